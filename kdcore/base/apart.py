"""A command in a process of its own that tells how far it is in JSON lines, and can be ended."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from kdcore.base.errors import KdError, SettingError
from kdcore.base.settings import REPOSITORY

_LOOK_S = 0.2
_END_S = 5.0
_LOG_LINES = 20


def run_apart(
    command: Sequence[str],
    report: Callable[[dict[str, Any]], object],
    what: str,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run a command of this repository and return all that it told.

    Parameters
    ----------
    command : it tells on standard output, in lines that are JSON objects, among other things
        "fraction" in [0, 1] and "doing"; its errors begin with "Error: " on standard error
    report : called several times a second with what was told so far, the later over the earlier,
        save that an empty list takes no other's place; what it raises (`Cancelled`) ends the
        process
    what : what the command is, for errors: "The benchmark"
    environment : its variables; None for those of this process

    Raises
    ------
    KdError
        With the process's own words, if it failed.
    OSError
        If it can't be started.
    """
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    lines: queue.Queue[str] = queue.Queue()
    log: deque[str] = deque(maxlen=_LOG_LINES)
    readers = [_reader(process.stdout, lines.put), _reader(process.stderr, log.append)]
    told: dict[str, Any] = {"fraction": 0.0, "doing": "Starting"}
    try:
        while any(reader.is_alive() for reader in readers) or not lines.empty():
            with contextlib.suppress(queue.Empty):
                told |= _fields(lines.get(timeout=_LOOK_S))
            report(told)
        process.wait()
    finally:
        _end(process)
    if process.returncode:
        raise problem_of(what, log)
    return told


def _fields(line: str) -> dict[str, Any]:
    """Return what a line tells; nothing of one that a library has printed."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return {k: v for k, v in found.items() if v != []} if isinstance(found, dict) else {}


def problem_of(what: str, log: Sequence[str]) -> KdError:
    """Return the error of a process that ended without a result, from the lines of its log."""
    said = [line.strip() for line in log if line.strip()]
    errors = [line for line in said if line.startswith("Error: ")]
    text = (errors or said or ["It ended without a word."])[-1].removeprefix("Error: ")
    return SettingError(f"{what} ended without a result. {text}")


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
