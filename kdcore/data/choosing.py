"""Which samples of a data set to work on: a part of it, or the first few in a mixed order."""

from __future__ import annotations

from collections.abc import Iterable

from kdcore.data.corruptions import image_seed
from kdcore.data.dataset import ImageDataset
from kdcore.data.sample import Sample
from kdcore.data.splits import PARTS


def samples_by_part(data: ImageDataset, split: str = "", seed: int = 0) -> dict[str, list[Sample]]:
    """Return the samples of "train", "val" and "test", in this order; a part may be empty.

    Parameters
    ----------
    data : whose samples
    split, seed : as `ImageDataset.parts` takes them

    Raises
    ------
    DataError
        If the split is not one of the data set's.
    """
    found: dict[str, list[Sample]] = {part: [] for part in PARTS}
    for sample, part in zip(data.samples, data.parts(split, seed), strict=True):
        found[part].append(sample)
    return found


def first_by_hash(samples: Iterable[Sample], count: int | None = None) -> list[Sample]:
    """Return the first `count` samples, by default all, in the order of their ids' hashes.

    The order is the same on every machine, and mixed, so that the first are of all classes.
    """
    return sorted(samples, key=lambda sample: image_seed(sample.image_id))[:count]
