"""How much of the metadata is known: gaps differ between classes, and comparisons inherit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kdcore.data.sample import GAPS, Sample

COLUMNS = ("age", "sex", "localization", "dx_type")


@dataclass(frozen=True)
class CoverageRow:
    """Of `images` images, how many have a value in each of `COLUMNS`."""

    name: str
    images: int
    known: tuple[int, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of images with a value, in [0, 1], for each of `COLUMNS`."""
        return tuple(n / self.images if self.images else 0.0 for n in self.known)


@dataclass(frozen=True)
class Coverage:
    """What is known overall and of each class, in the order of first appearance."""

    overall: CoverageRow
    classes: tuple[CoverageRow, ...]

    @property
    def empty(self) -> bool:
        """Whether there is no metadata at all, as in CIFAR."""
        return not any(self.overall.known)


def coverage(samples: Sequence[Sample], classes: Sequence[str] = ()) -> Coverage:
    """Count the known values of the metadata.

    Parameters
    ----------
    samples : rows; "" and "unknown" count as gaps
    classes : their order; by default that of first appearance
    """
    names = classes or tuple(dict.fromkeys(s.dx for s in samples))
    rows = [_row(name, [s for s in samples if s.dx == name]) for name in names]
    return Coverage(_row("all", samples), tuple(rows))


def _row(name: str, samples: Sequence[Sample]) -> CoverageRow:
    known = [sum(_is_known(getattr(s, column)) for s in samples) for column in COLUMNS]
    return CoverageRow(name, len(samples), tuple(known))


def _is_known(value: object) -> bool:
    return value is not None and value not in GAPS
