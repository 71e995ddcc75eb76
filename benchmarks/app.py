"""Time the app in a browser: start, upload to charts, slider, two corruptions, peak memory.

    python benchmarks/app.py --json FILE

Each figure is a median; its repetitions and spread are in the JSON. A start counts from the
server's process to an Explain page that takes uploads. An upload counts from the file given to
the browser to both charts drawn, both models in each. A rerun counts from the script's start to
its end as the browser sees them after a key on the temperature slider; the slider's own wait for
further keys is not in it. A stack's rerun is the same for a severity moved on the Corrupt page
with two corruptions: both models answer anew and their sweeps over severity are drawn. Memory is
the server's peak resident size (VmHWM) with teacher and student loaded and uploads shown.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))  # so that `python benchmarks/app.py` finds its own project

from benchmarks.driver import browser, serve, settle
from benchmarks.journeys import move_slider, open_stack, open_upload, upload_to_charts
from benchmarks.measuring import summary
from kdcore.base.machine import machine
from kdcore.data import HAM10000, draw_lesion

PACKAGES = ("streamlit", "torch", "torchvision", "altair", "numpy", "playwright")
SLIDER_MOVES = 4
AIMS = {
    "startup_s": 10.0,
    "upload_to_probs_s": 1.0,
    "slider_rerun_s": 0.15,
    "stack_rerun_s": 1.0,
    "peak_rss_mb": 1500.0,
}


def lesion(number: int) -> bytes:
    """Return a drawn lesion as JPEG bytes, another one for each number."""
    buffer = io.BytesIO()
    classes = HAM10000.classes
    image = draw_lesion(classes[number % len(classes)], seed=1000 + number)
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def one_server(chrome: Browser, checkpoints: Path | None, repeats: int) -> dict[str, list[float]]:
    """Start a server and visit it `repeats` times; return seconds and MB by name.

    Each visit is a browser session of its own that uploads another image, so that no prediction
    is cached; the first one pays for loading both networks.
    """
    images = [lesion(number) for number in range(repeats)]
    figures: dict[str, list[float]] = {name: [] for name in AIMS}
    begin = time.perf_counter()
    with serve(checkpoints) as app:
        for number, image in enumerate(images):
            context = chrome.new_context(viewport={"width": 1280, "height": 900})
            page = context.new_page()
            open_upload(page, app.url)
            if number == 0:
                figures["startup_s"].append(time.perf_counter() - begin)
            figures["upload_to_probs_s"].append(
                upload_to_charts(page, f"lesion-{number}.jpg", image)
            )
            settle(page)
            for _ in range(SLIDER_MOVES):
                figures["slider_rerun_s"].append(move_slider(page, "Temperature T"))
                settle(page)
            context.close()
        figures["stack_rerun_s"].extend(_stacked(chrome, app.url))
        figures["peak_rss_mb"].append(peak_mb(app.process.pid))
    return figures


def _stacked(chrome: Browser, url: str) -> list[float]:
    """Return the seconds of reruns after a severity was moved, none of them answered before."""
    page = chrome.new_context(viewport={"width": 1280, "height": 900}).new_page()
    open_stack(page, url)
    seconds = []
    for place in (0, 1, 0, 1):
        seconds.append(move_slider(page, "Severity", "ArrowRight", place))
        settle(page)
    page.context.close()
    return seconds


def peak_mb(pid: int) -> float:
    """Return the peak resident memory of a Linux process in MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"/proc/{pid}/status gives no VmHWM; this benchmark needs Linux")


def main() -> None:
    """Run the benchmark and write its JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument("--servers", type=int, default=3, help="server starts (default 3)")
    parser.add_argument("--repeats", type=int, default=5, help="uploads per server (default 5)")
    parser.add_argument("--checkpoints", type=Path, help="folder (default: checkpoints/)")
    options = parser.parse_args()
    conditions = machine(PACKAGES)
    figures: dict[str, list[float]] = {name: [] for name in AIMS}
    with browser() as chrome:
        for _ in range(options.servers):
            for name, values in one_server(chrome, options.checkpoints, options.repeats).items():
                figures[name].extend(values)
    root = options.checkpoints or REPO / "checkpoints"
    names = sorted(card.parent.name for card in root.glob("*/card.json"))
    result = summary(figures, AIMS) | {"checkpoints": names, "machine": conditions}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=2) + "\n")
    for name, aim in AIMS.items():
        print(f"{name:18} {result[name]:10.3f}   aim {aim:g}")


if __name__ == "__main__":
    main()
