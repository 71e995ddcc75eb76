"""Counting for pages, which compute nothing themselves: shares of work, time gone by, rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def share(done: float, total: float, before: int = 0, steps: int = 1) -> float:
    """Return how much of some work is done, in [0, 1].

    Parameters
    ----------
    done, total : of the step at work, 0 ≤ `done` ≤ `total`, and `total` > 0
    before, steps : how many equal steps are over, and how many there are in all

    Raises
    ------
    ValueError
        If the step at work or the number of steps is out of its domain.
    """
    if not 0 <= done <= total or not total:
        raise ValueError(f"done, total: expected 0 <= done <= total > 0, got {done} of {total}")
    if not 0 <= before < steps:
        raise ValueError(f"before, steps: expected 0 <= before < steps, got {before} of {steps}")
    return (before + done / total) / steps


def since(moment: float) -> float:
    """Return the seconds since a moment of `time.monotonic`; infinite since −∞."""
    return time.monotonic() - moment


def in_rows(items: Sequence[T], width: int) -> list[Sequence[T]]:
    """Return items in rows of `width`, the last one as long as what is left; ValueError for 0."""
    return [items[start : start + width] for start in range(0, len(items), width)]
