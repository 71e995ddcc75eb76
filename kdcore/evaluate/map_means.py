"""Means of columns over parts of the images, and differences of columns, by lesion.

The columns of one part are of the same resamples of its lesions (Davison & Hinkley 1997, section
3.8), so that they can be compared; each part draws among its own. Differences are taken image by
image: an image counts where both numbers are defined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.data.corruptions import CLEAN
from kdcore.evaluate.agreement import QUADRANTS, quadrants_of
from kdcore.evaluate.bootstrap import (
    Interval,
    index_groups,
    percentile_interval,
    resample_sums,
    two_sided_p,
)
from kdcore.evaluate.scores import ratio
from kdcore.predict.map_scores import MapScores

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
ALL = "all"
SAME_ANSWERS = "same answers"
MIN_LESIONS = 20  # fewer show too little of how lesions differ for a p value, or a verdict


@dataclass(frozen=True)
class PartMean:
    """A mean over the images of a part that have the number, or a mean difference.

    Attributes
    ----------
    metric : name of the column
    scope, name : the kind of part, and which: "all", "class" and a class, "quadrant" and a key of
        `QUADRANTS`, "same answers", "corruption" and a stack; `name` is "" where there is one only
    mean : with its 95 % interval
    n, lesions : images that have the number, and lesions they show
    p : two-sided, of a mean of 0, not adjusted; NaN below `MIN_LESIONS`. For differences
    p_floor : the least that p can be with so many resamples
    """

    metric: str
    scope: str
    name: str
    mean: Interval
    n: int
    lesions: int
    p: float
    p_floor: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON; a number that is not defined is None."""
        plain = {name: getattr(self, name) for name in ("metric", "scope", "name", "n", "lesions")}
        return plain | {"mean": self.mean.as_dict(), "p": None if np.isnan(self.p) else self.p}


def part_means(
    columns: Mapping[str, NDArray[Any]],
    parts: Mapping[tuple[str, str], Bools],
    group_ids: ArrayLike,
    n_boot: int = 1000,
    seed: int = 0,
) -> tuple[PartMean, ...]:
    """Return the mean of each column over each part, part by part.

    Parameters
    ----------
    columns : (N,) by metric; NaN is left out
    parts : (N,) which images, by scope and name
    group_ids : (N,) lesion ids
    n_boot, seed : of the bootstrap; 0 resamples, as a single lesion, leave intervals NaN
    """
    lesions = np.asarray(group_ids)
    found = []
    for (scope, name), inside in parts.items():
        values = {metric: np.asarray(v, np.float64)[inside] for metric, v in columns.items()}
        found += _means(values, lesions[inside], scope, name, n_boot, seed)
    return tuple(found)


def parts_of(record: MapScores) -> dict[tuple[str, str], Bools]:
    """Return the parts of a record: all clean images, those of each class and each quadrant.

    (N,) each. A class or quadrant without an image is left out; the quadrants are those of the
    teacher, whose answers are the record's targets, and the record's model.
    """
    clean = np.asarray(record.corruptions == CLEAN)
    parts: dict[tuple[str, str], Bools] = {(ALL, ""): clean}
    for index, name in enumerate(record.classes):
        parts["class", name] = clean & (record.labels == index)
    if record.checkpoint != record.teacher:
        quadrants = quadrants_of(record.labels, record.target, record.answer)
        parts |= {("quadrant", name): clean & (quadrants == name) for name in QUADRANTS}
    return {place: inside for place, inside in parts.items() if inside.any()}


def corrupted_parts(record: MapScores) -> dict[tuple[str, str], Bools]:
    """Return the images under each corruption, (N,) each, first the same images clean."""
    spoilt = np.asarray(record.corruptions != CLEAN)
    if not spoilt.any():
        return {}
    same = np.isin(record.sample_ids, record.sample_ids[spoilt]) & ~spoilt
    stacks = dict.fromkeys(record.corruptions[spoilt].tolist())
    return {("corruption", CLEAN): same} | {
        ("corruption", stack): np.asarray(record.corruptions == stack) for stack in stacks
    }


def _means(
    values: Mapping[str, Floats],
    lesions: NDArray[Any],
    scope: str,
    name: str,
    n_boot: int,
    seed: int,
) -> list[PartMean]:
    """Return the mean of each column (n,) of one part."""
    if not values or not len(lesions):
        return []
    stacked = np.column_stack(list(values.values()))  # (n, K)
    defined = ~np.isnan(stacked)
    sums = np.hstack([np.where(defined, stacked, 0.0), defined])  # (n, 2·K)
    total, count = np.split(sums.sum(0), 2)
    means = ratio(total, count)
    resampled = ratio(*np.split(resample_sums(sums, lesions, n_boot, seed), 2, axis=1))  # (B, K)
    found = []
    for k, metric in enumerate(values):
        seen = index_groups(lesions[defined[:, k]])[1]
        mean = percentile_interval(float(means[k]), resampled[:, k])
        p = two_sided_p(resampled[:, k]) if seen >= MIN_LESIONS else np.nan
        floor = 2 / (n_boot + 1)
        found.append(PartMean(metric, scope, name, mean, int(count[k]), seen, p, floor))
    return found
