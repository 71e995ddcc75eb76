"""Ctrl-C while modules load: one line and exit code 130, as while a command runs.

An import that is interrupted may turn the KeyboardInterrupt into an error of its own, and half of
a library stays behind; nothing has been begun by then, so the process ends at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CANCELLED = "Cancelled; what was finished is kept."
EXIT_CODE = 130


@contextmanager
def ends_at_once() -> Iterator[None]:
    """End the process at Ctrl-C in the block; who handles or ignores it otherwise is left alone."""
    kept = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()  # only there a handler can be set
    if not main or kept is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, kept)


def _end(*_: object) -> None:
    print(CANCELLED, file=sys.stderr, flush=True)
    os._exit(EXIT_CODE)
