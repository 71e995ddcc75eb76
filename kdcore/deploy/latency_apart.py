"""A latency benchmark in a process of its own: threads, memory and interpreter are not shared.

In the app's process other sessions would take the interpreter's lock in the middle of a call, and
its number of threads would change under them.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from kdcore.base import KdError, SettingError
from kdcore.deploy.latency_plan import Plan

_REPOSITORY = Path(__file__).resolve().parents[2]
_LOOK_S = 0.2
_END_S = 5.0
_LOG_LINES = 20


def bench_apart(plan: Plan, report: Callable[[dict[str, Any]], None]) -> str:
    """Carry out a plan with `python -m kdcore bench --keep --live` and return the kept name.

    Parameters
    ----------
    plan : what is compared
    report : called several times a second with the latest "fraction", "doing" and "known" (of
        each contender "what", "calls", "p50" in ms and "spread"); what it raises (`Cancelled`)
        ends the process

    Raises
    ------
    KdError
        With the process's own words, if it failed.
    """
    process = subprocess.Popen(
        command(plan), cwd=_REPOSITORY, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    lines: queue.Queue[str] = queue.Queue()
    log: deque[str] = deque(maxlen=_LOG_LINES)
    readers = [_reader(process.stdout, lines.put), _reader(process.stderr, log.append)]
    latest: dict[str, Any] = {"fraction": 0.0, "doing": "Starting", "known": []}
    kept = ""
    try:
        while any(reader.is_alive() for reader in readers) or not lines.empty():
            try:
                told = json.loads(lines.get(timeout=_LOOK_S))
                kept = told.pop("kept", kept)
                latest |= {name: value for name, value in told.items() if value != []}
            except queue.Empty:
                pass
            report(latest)
        process.wait()
    finally:
        _end(process)
    if not kept:
        raise _problem(list(log))
    return kept


def command(plan: Plan) -> list[str]:
    """Return the command line that carries out a plan."""
    parts = [sys.executable, "-m", "kdcore", "bench", *map(str, plan.checkpoints)]
    for name, values in (
        ("--engines", plan.engines),
        ("--batch", plan.batches),
        ("--threads", plan.threads),
        ("--device", plan.devices),
    ):
        parts += [name, *map(str, values)]
    parts += ["--seconds", f"{plan.seconds:g}", "--precision", f"{plan.precision:g}"]
    parts += ["--end-to-end"] if plan.end_to_end else []
    return [*parts, "--keep", "--live"]


def _reader(stream: IO[str], take: Callable[[str], None]) -> threading.Thread:
    """Return a started thread that hands on the lines of a stream until it ends."""

    def read() -> None:
        for line in stream:
            take(line)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def _end(process: subprocess.Popen[str]) -> None:
    """End the process if it is still there, by force if it has to be."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _problem(log: list[str]) -> KdError:
    said = [line.strip() for line in log if line.strip()]
    errors = [line for line in said if line.startswith("Error: ")]
    text = (errors or said or ["It ended without a word."])[-1].removeprefix("Error: ")
    return SettingError(f"The benchmark ended without a result. {text}")
