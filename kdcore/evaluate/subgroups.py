"""Whom does a network serve less well: scores within each group of images, against all others.

Lesions are drawn as in `bootstrap`, over the whole data set: group and others come from the same
resamples, also where images of one lesion fall into several groups. Conventions:

- Macro means run over the classes that have images in the group; their gap runs over the classes
  that both sides have, so that a group without a hard class does not look well served for it.
- The ECE of few images exceeds the truth by more than that of many. In a bin without true error,
  noise of deviation σ adds σ √(2/π) to the data and √2 times that to resamples, so the excess of
  the data is 1 / (√2 − 1) of what resamples exceed them by; in a bin far off it is none. A gap's
  interval reaches over the ends for all that lies between: lowered by 1 to 2 + √2 times the shift.
  With 80 images against 520, all calibrated, it held 0 in 50 of 60 data sets, since a bin of one
  image shows no noise when resampled. So the ECE has no p; the signed `overconfidence`, confidence
  less accuracy, has no such excess and has one.
- p inverts the gap's interval, two-sided, and can't be below 2 / (B + 1) of B resamples. Holm's
  adjustment runs over all groups of one score whose gap can be told. With two groups each is the
  other's others: the adjustment is then cautious.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError
from kdcore.data.attributes import ORDER
from kdcore.data.info import MELANOMA
from kdcore.evaluate.align import align
from kdcore.evaluate.bootstrap import (
    LEVEL,
    SHIFTED,
    Interval,
    draw_groups,
    index_groups,
    interval_words,
    percentile_interval,
    two_sided_p,
)
from kdcore.evaluate.scores import mean_of_defined
from kdcore.evaluate.sides import Side, make_side, measure
from kdcore.evaluate.significance import holm
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax

Floats = NDArray[np.float64]
UNKNOWN = "unknown"
OVERALL = ("accuracy", "balanced_accuracy", "macro_f1", "ece", "overconfidence")
OF_CLASS = ("recall", "auc")  # of `MELANOMA`
# Where every answer is right, every resample is too, and the interval is a point. With a true
# score of 0.9 that befalls 1 in 200 samples of 50 lesions and 1 in 3 of 10 images of a class.
MIN_LESIONS = 50
MIN_IMAGES = 10  # of a class, for a score of that class
_ALL_NOISE = 2 + math.sqrt(2)  # see the module


@dataclass(frozen=True)
class Score:
    """One score of one group.

    Attributes
    ----------
    value : with its 95 % interval
    gap : group less all others, with its 95 % interval, not adjusted
    p, p_holm : two-sided, of a gap of 0, NaN for the ECE; adjusted over the groups of this score
    too_small : why nothing can be said from `value`; "" where something can
    gap_too_small : the same of `gap`, for which the others must be enough, too
    """

    value: Interval
    gap: Interval
    p: float
    p_holm: float
    too_small: str
    gap_too_small: str


@dataclass(frozen=True)
class Subgroup:
    """The images with one value of an attribute.

    Attributes
    ----------
    name : the value, "unknown" where there is none
    n, lesions : images, and lesions they show
    positives : images of the class `Subgroups.positive`
    support : images of each class by name; macro means leave out classes without one
    scores : by name, those of `Subgroups.scores`
    """

    name: str
    n: int
    lesions: int
    positives: int
    support: Mapping[str, int]
    scores: Mapping[str, Score]

    @property
    def absent(self) -> tuple[str, ...]:
        """Classes without an image here, which macro means leave out."""
        return tuple(name for name, n in self.support.items() if not n)


@dataclass(frozen=True)
class Subgroups:
    """A data set by the values of one attribute.

    Attributes
    ----------
    by : the attribute
    groups : in their order where the values have one, else the largest first; "unknown" is last
    scores : names of what was measured
    positive : the class of `recall` and `auc`; "" where the data set has no such class
    n, n_groups : images and lesions in all
    temperature, n_boot, seed : as they were given
    checkpoint, split, corruption : what was measured
    """

    by: str
    groups: tuple[Subgroup, ...]
    scores: tuple[str, ...]
    positive: str
    n: int
    n_groups: int
    temperature: float
    n_boot: int
    seed: int
    checkpoint: str = ""
    split: str = ""
    corruption: str = "clean"

    @property
    def interval_method(self) -> str:
        """How intervals and p values were made, one sentence."""
        more = ", not adjusted; p values are adjusted over the groups of a score (Holm)"
        more += f"; the interval of the ECE is {SHIFTED}"
        return interval_words(self.n_boot, self.n_groups, self.seed, more)


@dataclass(frozen=True)
class GapDifference:
    """A group's gap to all others in one score, of two models of the same images.

    Attributes
    ----------
    name : of the group
    first, second : the gap of each model
    difference : second less first, with its 95 % interval, not adjusted
    p, p_holm : two-sided, of no difference; adjusted over the groups that can be told
    too_small : why nothing can be said; "" where something can
    """

    name: str
    first: float
    second: float
    difference: Interval
    p: float
    p_holm: float
    too_small: str


def subgroups(
    predictions: Predictions,
    by: str,
    temperature: float = 1.0,
    n_boot: int = 1000,
    seed: int = 0,
) -> Subgroups:
    """Measure each group of images that share a value of the attribute `by`, and all others.

    Parameters
    ----------
    predictions : at least one image, with the attribute
    by : a name in `predictions.attributes`
    temperature : divides the logits before the softmax; a fitted one calibrates
    n_boot : resamples; 0 leaves intervals and p values NaN
    seed : of the resampling; resamples are those of `evaluate_predictions`

    Raises
    ------
    DataError
        If there is no image, or the predictions do not have the attribute.
    ValueError
        If the temperature is not positive or `n_boot` is negative.
    """
    reached = _reach(predictions, by, temperature, n_boot, seed)
    groups = [
        _subgroup(name, predictions.classes, own, rest) for name, (own, rest) in reached.items()
    ]
    return Subgroups(
        by=by,
        groups=_adjusted(groups),
        scores=tuple(groups[0].scores),
        positive=MELANOMA if MELANOMA in predictions.classes else "",
        n=len(predictions),
        n_groups=index_groups(predictions.group_ids)[1],
        temperature=float(temperature),
        n_boot=n_boot,
        seed=seed,
        checkpoint=predictions.checkpoint,
        split=predictions.split,
        corruption=predictions.corruption,
    )


def gap_differences(
    first: tuple[Predictions, float],
    second: tuple[Predictions, float],
    by: str,
    score: str,
    n_boot: int = 1000,
    seed: int = 0,
) -> tuple[GapDifference, ...]:
    """Return by how much each group's gap in a score is higher of the second model.

    Two gaps of which one leaves out 0 and the other does not may be alike: this is their
    difference itself, in the same resamples of the lesions.

    Parameters
    ----------
    first, second : predictions on the same images, in any order, and what their logits are
        divided by; the groups are those of the first
    by : an attribute of the first
    score : one of `Subgroups.scores` but the ECE, whose excess over the truth differs by model
    n_boot, seed : of the bootstrap, as `subgroups` takes them

    Raises
    ------
    DataError
        If `align` finds that the images, labels, lesions or classes differ, there is no image, or
        no such attribute.
    ValueError
        If the score is the ECE or none, a temperature is not positive or `n_boot` is negative.
    """
    one, other = align(first[0], second[0])
    ones = _reach(one, by, first[1], n_boot, seed)
    others = _reach(replace(other, attributes=one.attributes), by, second[1], n_boot, seed)
    known = [key for key in next(iter(ones.values()))[0].whole if key != "ece"]
    if score not in known:
        raise ValueError(f"score: expected one of {', '.join(known)}, got {score!r}")
    found = [_difference(name, score, ones[name], others[name]) for name in ones]
    told = holm(math.nan if d.too_small else d.p for d in found)
    return tuple(replace(d, p_holm=p) for d, p in zip(found, told, strict=True))


def _difference(name: str, score: str, first: _Sides, second: _Sides) -> GapDifference:
    (whole, resampled), (whole_2, resampled_2) = (_gaps(score, *both) for both in (first, second))
    value, p = _gap(float(whole_2[0] - whole[0]), resampled_2 - resampled, excess=False)
    too_small = next(filter(None, (_gap_too_small(score, *both) for both in (first, second))), "")
    return GapDifference(name, float(whole[0]), float(whole_2[0]), value, p, math.nan, too_small)


def _reach(
    predictions: Predictions, by: str, temperature: float, n_boot: int, seed: int
) -> dict[str, _Sides]:
    """Return what each group and all others reached, by the group's name, in order."""
    if n_boot < 0:
        raise ValueError(f"n_boot: expected 0 or more, got {n_boot}")
    values = _values(predictions, by)
    probs = softmax(predictions.logits, temperature)
    index, lesions = index_groups(predictions.group_ids)
    names = _in_order(values, by)
    positive = predictions.classes.index(MELANOMA) if MELANOMA in predictions.classes else None
    insides = [values == name for name in names]
    sides = [
        make_side(probs, predictions.labels, index, inside, positive)
        for inside in (*insides, *(~inside for inside in insides))
    ]
    whole = measure(sides, index, [np.ones((1, lesions))])
    drawn = draw_groups(lesions, n_boot if lesions > 1 else 0, seed)
    reached = [_Reached(*of_side) for of_side in zip(sides, whole, measure(sides, index, drawn))]
    return {name: (own, rest) for name, own, rest in zip(names, reached, reached[len(names) :])}


def _values(predictions: Predictions, by: str) -> NDArray[np.str_]:
    if not len(predictions):
        raise DataError("There are no images to evaluate.", "Choose a split that has some.")
    if by not in predictions.attributes:
        known = ", ".join(predictions.attributes)
        raise DataError(
            f"The predictions of {predictions.checkpoint or 'this file'} have no attribute {by!r}"
            + (f", but {known}." if known else ", nor any other."),
            "Choose another one." if known else "Make them again with `python -m kdcore predict`.",
        )
    values = predictions.attributes[by]
    return np.where(values == "", UNKNOWN, values).astype(np.str_)


def _in_order(values: NDArray[np.str_], by: str) -> list[str]:
    names, counts = np.unique(values, return_counts=True)
    order = {name: rank for rank, name in enumerate(ORDER.get(by, ()))}
    size = dict(zip(names.tolist(), counts.tolist()))
    return sorted(size, key=lambda v: (v == UNKNOWN, order.get(v, len(order)), -size[v], v))


@dataclass(frozen=True)
class _Reached:
    """A side with its scores in the data itself, (1,) or (1, C), and in resamples."""

    side: Side
    whole: dict[str, Floats]
    resampled: dict[str, Floats]


_Sides: TypeAlias = tuple[_Reached, _Reached]  # a group, and all others


def _subgroup(name: str, classes: tuple[str, ...], own: _Reached, rest: _Reached) -> Subgroup:
    side = own.side
    return Subgroup(
        name=name,
        n=side.n,
        lesions=side.lesions,
        positives=0 if side.positive is None else int(side.support[side.positive]),
        support={name: int(n) for name, n in zip(classes, side.support, strict=True)},
        scores={key: _score(key, own, rest) for key in own.whole},
    )


def _score(key: str, own: _Reached, rest: _Reached) -> Score:
    excess = key == "ece"
    value = float(_flat(own.whole[key])[0])
    whole, resampled = _gaps(key, own, rest)
    gap, p = _gap(float(whole[0]), resampled, excess)
    return Score(
        value=percentile_interval(value, _flat(own.resampled[key]), excess),
        gap=gap,
        p=p,
        p_holm=math.nan,
        too_small=_too_small(key, own),
        gap_too_small=_gap_too_small(key, own, rest),
    )


def _gaps(key: str, own: _Reached, rest: _Reached) -> tuple[Floats, Floats]:
    """Return a group's score less that of all others: in the data (1,), and in resamples (B,)."""
    return (
        _flat(own.whole[key] - rest.whole[key]),
        _flat(own.resampled[key] - rest.resampled[key]),
    )


def _flat(values: Floats) -> Floats:
    """Return a score (B,); of one by class (B, C), its mean over the classes that have it."""
    return values if values.ndim == 1 else mean_of_defined(values)


def _gap(value: float, resamples: Floats, excess: bool) -> tuple[Interval, float]:
    """Return a gap with the interval of its resamples (B,), and p of a gap of 0."""
    defined = resamples[~np.isnan(resamples)]
    if math.isnan(value) or not len(defined):
        return Interval(value, math.nan, math.nan), math.nan
    shift = float(defined.mean() - value) if excess else 0.0
    low, high = defined - max(shift, _ALL_NOISE * shift), defined - min(shift, _ALL_NOISE * shift)
    ends = np.quantile(low, (1 - LEVEL) / 2), np.quantile(high, (1 + LEVEL) / 2)
    p = math.nan if excess else two_sided_p(defined)
    return Interval(value, *map(float, ends)), p


def _too_small(key: str, reached: _Reached) -> str:
    """Return why nothing can be said from a side's score, or ""."""
    side = reached.side
    if side.lesions < MIN_LESIONS:
        return f"{side.lesions} lesions, fewer than {MIN_LESIONS}"
    if key in OF_CLASS and side.positive is not None:
        positives = int(side.support[side.positive])
        if positives < MIN_IMAGES:
            return f"{positives} images of {MELANOMA}, fewer than {MIN_IMAGES}"
        if key == "auc" and side.n - positives < MIN_IMAGES:
            return f"{side.n - positives} images of other classes, fewer than {MIN_IMAGES}"
    resamples = _flat(reached.resampled[key])
    defined = resamples[~np.isnan(resamples)]
    if len(defined) and np.ptp(defined) == 0:
        return "all resamples agree, which gives no interval"
    return ""


def _gap_too_small(key: str, own: _Reached, rest: _Reached) -> str:
    """Return why nothing can be said from the gap of two sides, or ""."""
    outside = _too_small(key, rest)
    return _too_small(key, own) or (outside and f"outside the group: {outside}")


def _adjusted(groups: Sequence[Subgroup]) -> tuple[Subgroup, ...]:
    """Fill in `p_holm`, over the groups of each score whose gap can be told."""
    scores: list[dict[str, Score]] = [dict(group.scores) for group in groups]
    for key in scores[0]:
        column = [s[key] for s in scores]
        told = holm(math.nan if score.gap_too_small else score.p for score in column)
        for own, p in zip(scores, told):
            own[key] = replace(own[key], p_holm=p)
    return tuple(replace(group, scores=own) for group, own in zip(groups, scores))
