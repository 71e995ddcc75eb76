"""The app as a person meets it: a server of its own and Debian's Chromium.

Used by `benchmarks/app.py` and by `tests/browser`. Only addresses of this machine are reached.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

REPO = Path(__file__).resolve().parents[1]
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
SERVER_FLAGS = (
    "--server.address=127.0.0.1",
    "--server.headless=true",
    "--server.fileWatcherType=none",
    "--browser.gatherUsageStats=false",
)
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
ERROR = '[data-testid="stException"]'


@dataclass(frozen=True)
class App:
    """A running server: its address, its process and the file it logs to."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


def chromium() -> str | None:
    """Return the path of Debian's Chromium, or None where it is not installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def serve(
    checkpoints: Path | None = None, data: Path | None = None, state: Path | None = None
) -> Iterator[App]:
    """Run `streamlit run streamlit_app.py` on a free port until the block is left.

    The app gets a state folder of its own unless `state` names one, which a second server then
    finds as the first has left it, and a data set only if `data` names one.

    Raises
    ------
    RuntimeError
        If the server ends before it answers, or does not answer within 60 s.
    """
    with tempfile.TemporaryDirectory(prefix="distilscope-") as folder:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = Path(folder) / "server.log"
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", *SERVER_FLAGS]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, f"--server.port={port}"],
                cwd=REPO,
                env=_environment(state or Path(folder) / "state", checkpoints, data),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        app = App(f"http://127.0.0.1:{port}", process, log)
        try:
            _await_health(app)
            yield app
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment(state: Path, checkpoints: Path | None, data: Path | None) -> dict[str, str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DISTILSCOPE_")}
    environment["DISTILSCOPE_STATE"] = str(state)
    if checkpoints:
        environment["DISTILSCOPE_CHECKPOINTS"] = str(checkpoints)
    if data:
        environment["DISTILSCOPE_DATA"] = str(data)
    return environment


def _await_health(app: App, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and app.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{app.url}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError("The app did not start:\n" + app.log.read_text(errors="replace")[-3000:])


@contextmanager
def browser() -> Iterator[Browser]:
    """Run headless Chromium until the block is left; raises RuntimeError where there is none."""
    path = chromium()
    if path is None:
        raise RuntimeError("There is no chromium; install Debian's package `chromium`.")
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        try:
            yield instance
        finally:
            instance.close()


def settle(page: Page, seconds: float = 60) -> None:
    """Wait until the script has run to its end, and no rerun has followed for 0.3 s.

    Raises
    ------
    TimeoutError
        If the app is still running after `seconds`.
    """
    end, calm = time.monotonic() + seconds, 0
    while calm < 3:
        if time.monotonic() > end:
            raise TimeoutError(f"The page still runs after {seconds:.0f} s.")
        calm = calm + 1 if page.locator(IDLE).count() else 0
        page.wait_for_timeout(100)
