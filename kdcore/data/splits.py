"""Splits that are the same on every machine: order by a hash, never by a generator.

Lesions (or images) of a class are ordered by SHA-256 of seed and id and handed out until each
part holds its share of the class's images.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError, Registry
from kdcore.data.ham10000 import Sample

PARTS = ("train", "val", "test")
FRACTIONS = (0.7, 0.15, 0.15)
Split = Callable[..., NDArray[np.str_]]
SPLITS: Registry[Split] = Registry("split", DataError)


@SPLITS.register("lesion-grouped")
def lesion_grouped_split(
    labels: Sequence[int],
    groups: Sequence[str],
    ids: Sequence[str] | None = None,
    seed: int = 0,
    fractions: tuple[float, float, float] = FRACTIONS,
) -> NDArray[np.str_]:
    """Return "train", "val" or "test" for each image, all images of a lesion in one part.

    Parameters
    ----------
    labels : N class indices; a lesion counts under the smallest of its images' labels
    groups : N lesion ids
    ids : ignored, for the same signature as `image_level_split`
    seed : non-negative integer
    fractions : shares of train, validation and test, which sum to 1

    Raises
    ------
    ValueError
        If lengths differ or the fractions do not sum to 1.
    """
    if len(labels) != len(groups):
        raise ValueError(f"groups: expected {len(labels)} ids, got {len(groups)}")
    if abs(sum(fractions) - 1) > 1e-6 or min(fractions) < 0:
        raise ValueError(f"fractions: expected three shares that sum to 1, got {fractions}")
    label_of: dict[str, int] = {}
    size: dict[str, int] = defaultdict(int)
    for label, group in zip(labels, groups, strict=True):
        label_of[group] = min(label, label_of.get(group, label))
        size[group] += 1
    part_of: dict[str, str] = {}
    for label in sorted(set(label_of.values())):
        members = sorted((g for g in label_of if label_of[g] == label), key=_order(seed))
        part_of.update(_hand_out(members, size, fractions))
    return np.array([part_of[g] for g in groups])


@SPLITS.register("image-level (leaky)")
def image_level_split(
    labels: Sequence[int],
    groups: Sequence[str],
    ids: Sequence[str] | None = None,
    seed: int = 0,
    fractions: tuple[float, float, float] = FRACTIONS,
) -> NDArray[np.str_]:
    """Split image by image, as much published work does; lesions leak between the parts.

    Only to compare with published numbers. `labels` (N,), `seed` and `fractions` are those of
    `lesion_grouped_split`; `ids` are the N image ids, and `groups` (N,) are not looked at.
    """
    names = list(ids) if ids is not None else [str(i) for i in range(len(labels))]
    return lesion_grouped_split(labels, names, None, seed, fractions)


def split_samples(
    samples: Sequence[Sample], name: str = "lesion-grouped", seed: int = 0
) -> NDArray[np.str_]:
    """Return the part of each sample under the split registered as `name`."""
    return SPLITS.get(name)(
        [s.label for s in samples],
        [s.lesion_id for s in samples],
        [s.image_id for s in samples],
        seed=seed,
    )


def _order(seed: int) -> Callable[[str], str]:
    return lambda name: hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def _hand_out(
    members: list[str], size: dict[str, int], fractions: tuple[float, float, float]
) -> dict[str, str]:
    """Give members, in order, to the part that lacks the largest share of its images."""
    total = sum(size[m] for m in members)
    lack = {part: fraction * total for part, fraction in zip(PARTS, fractions, strict=True)}
    result = {}
    for member in members:
        part = max(PARTS, key=lambda p: lack[p])
        result[member] = part
        lack[part] -= size[member]
    return result
