"""One training at a time: runs that were started with a queue take turns in order of asking.

The turn is a file lock, so a killed run gives it up without anybody's help.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from kdcore.base.progress import stop_if
from kdcore.distill.run import RunFolder

_POLL_S = 0.5


@contextmanager
def in_turn(folder: RunFolder) -> Iterator[None]:
    """Wait until no run that asked earlier waits or works beside `folder`, then hold the turn.

    Raises
    ------
    Cancelled
        If the run's folder asks for it while it waits.
    """
    asked = time.time()
    turn = FileLock(folder.path.parent / ".turn.lock")
    while True:
        stop_if(folder.cancel_requested, "The queued training run")
        ahead = _ahead(folder.path, asked)
        folder.write_status("queued", asked=asked, ahead=len(ahead))
        if not ahead:
            try:
                held = turn.acquire(timeout=0)
                break
            except Timeout:
                pass
        time.sleep(_POLL_S)
    with held:
        yield


def _ahead(own: Path, asked: float) -> list[str]:
    """Return the names of the runs beside `own` that work, or have waited longer."""
    names = []
    for status_file in own.parent.glob("*/status.json"):
        if status_file.parent == own:
            continue
        status = RunFolder(status_file.parent).status()
        earlier = status.state != "queued" or status.facts.get("asked", 0.0) < asked
        if status.live and earlier:
            names.append(status_file.parent.name)
    return names
