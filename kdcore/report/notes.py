"""What a figure or table is of: part, images, lesions, and how its intervals were made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Counted(Protocol):
    """A result that knows what it was measured on."""

    @property
    def n(self) -> int:
        """Images."""

    @property
    def n_groups(self) -> int:
        """Lesions that they show."""

    @property
    def split(self) -> str:
        """The part of the split."""


class WithIntervals(Counted, Protocol):
    """A result that also knows how its intervals were made."""

    @property
    def interval_method(self) -> str:
        """One sentence, without its full stop."""


def counted(found: Counted) -> str:
    """Return "Test part, n = 1,349 images of 1,001 lesions."."""
    part = {"val": "Validation"}.get(found.split, found.split.capitalize())
    return f"{part} part, n = {found.n:,} images of {found.n_groups:,} lesions."


def note(found: WithIntervals) -> str:
    """Return what `counted` says, and how the intervals were made."""
    return f"{counted(found)} Intervals: {found.interval_method}."


def not_measured(absent: Sequence[str], stale: Sequence[str] = (), how: str = "") -> str:
    """Return which models a study does not have in a sentence; "" where it has all of them.

    `absent` are titles of models, `stale` those of which the study has other weights; `how` says
    in what way they were not measured, such as "over seeds".
    """
    names = [*absent, *(f"{title} (the study has other weights of it)" for title in stale)]
    return f"{' '.join(filter(None, ['Not measured', how]))}: {'; '.join(names)}." if names else ""
