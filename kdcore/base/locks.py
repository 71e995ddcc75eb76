"""A lock file, which the system takes back even from a process that was killed."""

from __future__ import annotations

from pathlib import Path

from filelock import AcquireReturnProxy, FileLock, Timeout

from kdcore.base.errors import KdError


def hold(path: Path, busy: KdError, wait_s: float = 1.0) -> AcquireReturnProxy[FileLock]:
    """Take the lock file at `path` and return it, for a `with` block that gives it back.

    Parameters
    ----------
    path : its folder is made; whoever holds it may delete it
    busy : what is raised if another process or thread holds it longer than `wait_s`
    wait_s : seconds

    Raises
    ------
    KdError
        `busy`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return FileLock(path).acquire(timeout=wait_s)
    except Timeout as error:
        raise busy from error
