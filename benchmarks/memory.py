"""Show that `predict` streams: its peak memory for the first images of a data folder and for all.

    python benchmarks/memory.py --data DIR --json FILE

Each figure is the peak resident size of a `python -m kdcore predict` process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

REPO = Path(__file__).resolve().parents[1]
METADATA = "HAM10000_metadata.csv"


def subset(data: Path, count: int, folder: Path) -> Path:
    """Link everything in `data` into `folder`, with metadata of the first `count` images only."""
    for entry in data.iterdir():
        if entry.name != METADATA:
            (folder / entry.name).symlink_to(entry)
    pd.read_csv(data / METADATA).head(count).to_csv(folder / METADATA, index=False)
    return folder


def peak_mb(checkpoint: Path, data: Path, out: Path) -> float:
    """Predict every image of `data` in a new process; return its peak memory in MB (10^6 bytes)."""
    command = [sys.executable, "-m", "kdcore", "predict", "--checkpoint", str(checkpoint)]
    command += ["--data", str(data), "--split", "all", "--out", str(out)]
    process = subprocess.Popen(command, cwd=REPO, stdout=sys.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"predict ended with status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_maxrss * 1024 / 1e6


def main() -> None:
    """Run the benchmark and write its JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="a HAM10000 folder")
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument("--checkpoint", type=Path, help="folder (default: the first shipped one)")
    options = parser.parse_args()
    data = options.data.resolve()
    checkpoint = options.checkpoint or min((REPO / "checkpoints").glob("*/card.json")).parent
    total = len(pd.read_csv(data / METADATA))
    peaks = {}
    for count in (1000, total):
        with tempfile.TemporaryDirectory() as folder:
            part = subset(data, count, Path(folder))
            peaks[str(count)] = round(peak_mb(checkpoint, part, part / "out.npz"), 1)
            print(f"{count:6,} images: {peaks[str(count)]:7.1f} MB", flush=True)
    options.json.write_text(
        json.dumps({"peak_rss_mb": peaks, "checkpoint": checkpoint.name}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main()
