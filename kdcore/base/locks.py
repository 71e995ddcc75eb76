"""A lock file, which the system takes back even from a process that was killed."""

from __future__ import annotations

import time
from pathlib import Path

from filelock import AcquireReturnProxy, FileLock, Timeout

from kdcore.base.errors import KdError

_LOOK_S = 0.05


def hold(path: Path, busy: KdError, wait_s: float = 1.0) -> AcquireReturnProxy[FileLock]:
    """Take the lock file at `path` and return it, for a `with` block that gives it back.

    Parameters
    ----------
    path : its folder is made; who holds it may delete both as the last thing
    busy : what is raised if another process or thread holds it longer than `wait_s`
    wait_s : seconds

    Raises
    ------
    KdError
        `busy`.
    OSError
        If the file can't be made.
    """
    end = time.monotonic() + wait_s
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return FileLock(path).acquire(timeout=max(0.0, end - time.monotonic()))
        except Timeout as error:
            raise busy from error
        except (FileNotFoundError, FileExistsError):  # the folder goes, or went, in between
            if time.monotonic() > end:
                raise
            time.sleep(_LOOK_S)
