"""How long computations tell how far they are, and are asked to stop."""

from __future__ import annotations

from collections.abc import Callable

from kdcore.base.errors import Cancelled

Progress = Callable[[int, int], object]  # units done, units in all
ShareProgress = Callable[[float, str], object]  # share done in [0, 1], what is being done
CancelCheck = Callable[[], bool]  # True to stop


def stop_if(cancelled: CancelCheck | None, what: str) -> None:
    """Raise Cancelled, naming `what`, if the person asked to stop."""
    if cancelled is not None and cancelled():
        raise Cancelled(what)


def part_of(progress: Progress | None, start: int, share: int, total: int) -> Progress | None:
    """Return the progress of a step that takes `share` of `total` units, from `start` on.

    The step may count in units of its own. None stays None.
    """
    if progress is None:
        return None
    report = progress
    return lambda done, of: report(start + share * done // max(of, 1), total)
