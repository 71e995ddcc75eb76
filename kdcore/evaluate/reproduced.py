"""Whether the figures of a card are given again by predictions: each one, and how far off."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TOLERANCE = (
    1e-6  # saved predictions give a card to the last bit; other machines add in other orders
)


@dataclass(frozen=True)
class Reproduced:
    """How near recomputed figures are to a card's.

    Attributes
    ----------
    figures : how many numbers the card has, ends of intervals and counts included
    largest : the largest difference; infinite where only one of both is a number
    figure : where that is, such as "per_class.3.ap.low"; "" where nothing differs
    """

    figures: int
    largest: float
    figure: str

    @property
    def same(self) -> bool:
        """Whether no figure differs by more than `TOLERANCE`."""
        return self.largest <= TOLERANCE


def compare_figures(card: Any, found: Mapping[str, Any]) -> Reproduced:
    """Compare a card's metrics of one part with an evaluation's `as_dict`.

    Words, such as how intervals were made, are no figures, nor is what `found` has beyond the card.
    A card without a figure is not given again.
    """
    leaves = list(_differences("", card, found))
    name, largest = max(leaves, key=lambda leaf: leaf[1], default=("", math.inf))
    return Reproduced(len(leaves), largest, name if largest else "")


def _differences(name: str, card: Any, found: Any) -> Iterator[tuple[str, float]]:
    """Yield name and difference of each number of the card, and of each that it says is none."""
    if isinstance(card, Mapping):
        other = found if isinstance(found, Mapping) else {}
        for key, value in card.items():
            yield from _differences(f"{name}.{key}".lstrip("."), value, other.get(key))
    elif isinstance(card, (list, tuple)):
        same = isinstance(found, (list, tuple)) and len(found) == len(card)
        for index, value in enumerate(card):
            yield from _differences(f"{name}.{index}", value, found[index] if same else None)
    elif _is_number(card) and _is_number(found):
        gap = abs(card - found)
        yield name, (math.inf if math.isnan(gap) else gap)
    elif _is_number(card) or card is None:
        yield name, (0.0 if card is None and found is None else math.inf)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
