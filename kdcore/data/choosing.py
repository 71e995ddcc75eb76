"""Which samples of a data set to work on: the first few in an order that has no pattern."""

from __future__ import annotations

from collections.abc import Iterable

from kdcore.data.corruptions import image_seed
from kdcore.data.sample import Sample


def first_by_hash(samples: Iterable[Sample], count: int | None = None) -> list[Sample]:
    """Return the first `count` samples, by default all, in the order of their ids' hashes.

    The order is the same on every machine, and mixed, so that the first are of all classes.
    """
    return sorted(samples, key=lambda sample: image_seed(sample.image_id))[:count]
