"""Splits that are the same on every machine: order by a hash, never by a generator.

Lesions (or images) of a class are ordered by SHA-256 of seed and id and handed out until each
part holds its share of the class's images. Lesions whose part is published keep it, so that a
folder with more or fewer of them tests on the same ones.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError, Registry, group_hash
from kdcore.data.info import BY_IMAGE, LEAKY, DatasetInfo
from kdcore.data.sample import Sample

PARTS = ("train", "val", "test")
MEASURED_PARTS = ("val", "test")
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
    published: Mapping[str, str] | None = None,
) -> NDArray[np.str_]:
    """Return "train", "val" or "test" for each image, all images of a lesion in one part.

    Parameters
    ----------
    labels : N class indices; a lesion counts under the smallest of its images' labels
    groups : N lesion ids
    ids : ignored, for the same signature as `image_level_split`
    seed : non-negative integer
    fractions : shares of train, validation and test, which sum to 1
    published : parts that are fixed, by `group_hash` of the lesion; the others make up the shares

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
        members = sorted((g for g in label_of if label_of[g] == label), key=hash_order(seed))
        part_of.update(_hand_out(members, size, fractions, published or {}))
    return np.array([part_of[g] for g in groups])


@SPLITS.register(BY_IMAGE)  # where nothing says which images belong together: no leak is claimed
@SPLITS.register(LEAKY)
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


@SPLITS.register("official")
def official_split(
    labels: Sequence[int],
    groups: Sequence[str],
    ids: Sequence[str] | None = None,
    seed: int = 0,
    held_out: float = 0.1,
) -> NDArray[np.str_]:
    """Keep a data set's own parts; without a validation part, some of the training part is it.

    Parameters
    ----------
    labels : N class indices
    groups : N ids, which are not looked at
    ids : N image ids "train/…", "val/…" or "test/…"
    seed : non-negative integer
    held_out : share of each class of the training part, the first in hash order, for validation,
        where no id begins with "val/"

    Returns
    -------
    (N,) "train", "val" or "test".

    Raises
    ------
    DataError
        If an id does not tell its part.
    """
    given = [name.partition("/")[0] for name in ids or ()]
    if len(given) != len(labels) or not set(given) <= set(PARTS):
        raise DataError(
            "The official split is for data sets that come with a test part of their own.",
            f"Choose another one: {', '.join(n for n in SPLITS.names() if n != 'official')}.",
        )
    if "val" in given:
        return np.array(given)
    training: dict[int, list[str]] = defaultdict(list)
    for label, part, name in zip(labels, given, ids or (), strict=True):
        if part == "train":
            training[label].append(name)
    val: set[str] = set()
    for members in training.values():
        val.update(sorted(members, key=hash_order(seed))[: round(held_out * len(members))])
    return np.array(["val" if n in val else part for n, part in zip(ids or (), given, strict=True)])


def split_dataset(
    info: DatasetInfo, samples: Sequence[Sample], name: str = "", seed: int = 0
) -> NDArray[np.str_]:
    """Return the part of each sample, (N,), under a split that makes sense for its data set.

    Parameters
    ----------
    info : what the samples are of
    samples : N of them
    name : one of `info.splits`; "" is the first
    seed : non-negative integer

    Raises
    ------
    DataError
        If the split is unknown or not one of the data set's.
    """
    name = name or info.splits[0]
    SPLITS.get(name)
    if name not in info.splits:
        raise DataError(
            f"{info.name} has no split {name!r}.", f"Choose one of: {', '.join(info.splits)}."
        )
    return split_samples(samples, name, seed)


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


def hash_order(seed: int) -> Callable[[str], str]:
    """Return a sort key that shuffles names, the same way on every machine."""
    return lambda name: hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def _hand_out(
    members: list[str],
    size: dict[str, int],
    fractions: tuple[float, float, float],
    published: Mapping[str, str],
) -> dict[str, str]:
    """Give members, in order, to the part that lacks the largest share of its images."""
    total = sum(size[m] for m in members)
    lack = {part: fraction * total for part, fraction in zip(PARTS, fractions, strict=True)}
    fixed = {m: published.get(group_hash(m), "") for m in members} if published else {}
    result = {}
    for member in sorted(members, key=lambda m: not fixed.get(m)):  # stable: fixed ones first
        part = fixed.get(member) or max(PARTS, key=lambda p: lack[p])
        result[member] = part
        lack[part] -= size[member]
    return result
