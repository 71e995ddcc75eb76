"""How much disk teacher caches may take, and which of them goes when there is no room."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from kdcore.base import SettingError, folder_bytes, state_folder

LIMIT_VARIABLE = "DISTILSCOPE_CACHE_GB"
LIMIT_GB = 8.0


def cache_root() -> Path:
    """Return the folder of all teacher caches."""
    return state_folder() / "teacher-cache"


def cache_limit() -> int:
    """Return how many bytes all caches together may take: `DISTILSCOPE_CACHE_GB`, else 8 GB.

    Raises
    ------
    SettingError
        If the variable is no positive number.
    """
    text = os.environ.get(LIMIT_VARIABLE) or str(LIMIT_GB)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < 1e9:
        raise SettingError(
            f"{LIMIT_VARIABLE} is {text!r}, which is no positive number of gigabytes.",
            "Correct it or leave it out.",
        )
    return int(value * 1e9)


def make_room(folder: Path, wanted: int, keep: Collection[Path] = ()) -> None:
    """Delete caches beside `folder`, those used longest ago first, until `wanted` bytes fit.

    Parameters
    ----------
    folder : the cache that will grow
    wanted : bytes
    keep : caches that are not to be deleted

    Raises
    ------
    SettingError
        If they would not fit whatever is deleted; then nothing is.
    """
    caches = [p.parent for p in folder.parent.glob("*/key.json") if p.parent != folder]
    sizes = {path: folder_bytes(path) for path in caches}
    stay = sum(size for path, size in sizes.items() if path in keep)
    own = folder_bytes(folder) + wanted
    if own + stay > cache_limit():
        raise SettingError(
            f"The teacher cache would take {(own + stay) / 1e9:.1f} GB, and its limit is "
            f"{cache_limit() / 1e9:.1f} GB.",
            f"Lower teacher_views, or raise {LIMIT_VARIABLE}.",
        )
    excess = own + sum(sizes.values()) - cache_limit()
    for path in sorted((p for p in caches if p not in keep), key=_last_use):
        if excess > 0:
            with suppress(Timeout), FileLock(path / ".lock", timeout=0):  # else: being filled
                (path / "key.json").unlink(missing_ok=True)
                shutil.rmtree(path / "views", ignore_errors=True)
                excess -= sizes[path]


def _last_use(folder: Path) -> float:
    """Return when a cache was asked for last: `key.json` is written anew each time."""
    try:
        return (folder / "key.json").stat().st_mtime
    except FileNotFoundError:
        return 0.0
