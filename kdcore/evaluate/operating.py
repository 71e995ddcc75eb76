"""Operating points that move decisions: weights by class, and a confidence below which to reject.

Weights: decide for the class with the highest w_c · p_c, w chosen on validation to maximise the
macro F1 by coordinate ascent, as thresholds are for F1 in Lipton et al. 2014. Each step tries
every weight of one class that changes any decision, so it finds the best; among equally good ones
it takes the nearest to the present. It starts from plain argmax and ends when no class improves:
deterministic, and no worse than argmax on validation, though not always the best of all weights.

Rejection: an image whose confidence is below τ gets no decision, which makes it a miss of its
class and a false alarm of none. Accuracy can only fall, so for accuracy τ is 0; the macro F1 may
rise with the precision. scikit-learn's macro mean takes "rejected" for one more class, with F1 0,
so that the first rejected image costs a share of 1 / (C + 1): τ under that count is given too.
It is 0 unless rejection gains more than that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.base import check_labels, check_logits, check_probs
from kdcore.evaluate import scores
from kdcore.evaluate.bootstrap import Interval, percentile_interval, resample_sums
from kdcore.evaluate.calibration import Floats
from kdcore.evaluate.held_out import refuse_other_weights
from kdcore.predict.predictions import Predictions
from kdcore.predict.probabilities import softmax

_LEAST_GAIN = 1e-12  # what rounding alone may make of equal scores
_HIGHEST_OFFSET = float(np.log(1e6))  # a weight is a choice between classes, not a ban
_SCORES = {
    "accuracy": scores.accuracy,
    "balanced_accuracy": scores.balanced_accuracy,
    "macro_f1": scores.macro_f1,
}


@dataclass(frozen=True)
class PairedScore:
    """A score of plain argmax and of another rule on the same images, and their difference."""

    name: str
    plain: Interval
    changed: Interval
    difference: Interval


@dataclass(frozen=True)
class ClassWeights:
    """Weights by class from validation, and what they do on test.

    Attributes
    ----------
    classes : C names
    weights : (C,) positive, with geometric mean 1
    val_plain, val_changed : macro F1 on validation of argmax, and with the weights
    scores : accuracy, balanced accuracy and macro F1 on test, paired by lesion
    """

    classes: tuple[str, ...]
    weights: Floats
    val_plain: float
    val_changed: float
    scores: tuple[PairedScore, ...]


@dataclass(frozen=True)
class Rejection:
    """A confidence threshold from validation, and what it does on test.

    Attributes
    ----------
    tau : images with a confidence below it get no decision
    tau_as_class : the best τ if "rejected" counts as one more class (see the module)
    val_plain, val_changed : macro F1 on validation at τ = 0 and at `tau`, rejected are misses
    coverage : share of test images that get a decision
    scores : accuracy, balanced accuracy and macro F1 on test, paired by lesion
    """

    tau: float
    tau_as_class: float
    val_plain: float
    val_changed: float
    coverage: Interval
    scores: tuple[PairedScore, ...]


def choose_class_weights(
    val: Predictions, test: Predictions, n_boot: int = 1000, seed: int = 0
) -> ClassWeights:
    """Choose weights on `val` and compare them with plain argmax on `test`.

    Parameters
    ----------
    val, test : predictions of the same weights on validation and test
    n_boot, seed : of the bootstrap by lesion

    Raises
    ------
    DataError
        If one of them has no image, or they are of different weights or classes.
    """
    refuse_other_weights(val, test)
    weights = fit_class_weights(val.logits, val.labels)
    on_val, on_test = (weighted_decisions(p.logits, weights) for p in (val, test))
    return ClassWeights(
        val.classes,
        weights,
        _macro_f1_of(val, val.logits.argmax(1)),
        _macro_f1_of(val, on_val),
        paired_scores(test, test.logits.argmax(1), on_test, n_boot, seed),
    )


def choose_rejection(
    val: Predictions,
    test: Predictions,
    temperature: float = 1.0,
    n_boot: int = 1000,
    seed: int = 0,
) -> Rejection:
    """Choose τ on `val` to maximise the macro F1, the least of equally good ones, for `test`.

    Parameters
    ----------
    val, test : predictions of the same weights on validation and test
    temperature : divides the logits before the softmax
    n_boot, seed : of the bootstrap by lesion

    Raises
    ------
    DataError
        If one of them has no image, or they are of different weights or classes.
    """
    refuse_other_weights(val, test)
    taus, macro_f1 = rejection_curve(softmax(val.logits, temperature), val.labels)
    best = _first_best(macro_f1)
    present = len(np.unique(val.labels))
    as_class = macro_f1 * np.where(taus > taus[1], present / (present + 1), 1.0)
    probs = softmax(test.logits, temperature)
    plain, kept = probs.argmax(1), probs.max(1) >= taus[best]
    changed = np.where(kept, plain, len(test.classes))
    return Rejection(
        float(taus[best]),
        float(taus[_first_best(as_class)]),
        float(macro_f1[0]),
        float(macro_f1[best]),
        _share(kept, test, n_boot, seed),
        paired_scores(test, plain, changed, n_boot, seed),
    )


def weighted_decisions(logits: ArrayLike, weights: ArrayLike) -> NDArray[np.int64]:
    """Return the class with the highest weight times probability, (N,), the first on a tie.

    Parameters
    ----------
    logits : (N, C); a temperature T would do what the weights' T-th power does
    weights : (C,), positive

    Raises
    ------
    ValueError
        If there is not one positive weight for each class.
    """
    array, factors = check_logits(logits), np.asarray(weights, dtype=np.float64)
    if factors.shape != (array.shape[1],) or not (factors > 0).all():
        raise ValueError(f"weights: expected {array.shape[1]} positive numbers, got {factors}")
    return (array + np.log(factors)).argmax(1)


def fit_class_weights(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the weights (C,), of geometric mean 1, that coordinate ascent of the macro F1 finds.

    Parameters
    ----------
    logits : (N, C), of validation images, N >= 1
    labels : (N,) in [0, C)
    """
    array = check_logits(logits)
    truth = check_labels(labels, *array.shape)
    if not len(array):
        raise ValueError("logits: expected at least one image")
    offsets, reached, improved = np.zeros(array.shape[1]), -1.0, True
    while improved:  # the macro F1 has finitely many values and rises with every pass but the last
        improved = False
        for c in range(array.shape[1]):
            value, offset = _best_offset(array + offsets, truth, c, offsets[c])
            if value > reached + _LEAST_GAIN:
                offsets[c], reached, improved = offset, value, True
    return np.exp(offsets - offsets.mean())


def rejection_curve(probs: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats]:
    """Return thresholds, 0 and each confidence that occurs, rising, and the macro F1 at each.

    Parameters
    ----------
    probs : (N, C), N >= 1
    labels : (N,) in [0, C)

    Returns
    -------
    (K,) thresholds and (K,) values; images with a confidence below the threshold are misses
    """
    array = check_probs(probs)
    truth = check_labels(labels, *array.shape)
    if not len(array):
        raise ValueError("probs: expected at least one image")
    order = np.argsort(array.max(1), kind="stable")
    confidence, decided = array.max(1)[order], array.argmax(1)[order]
    taus, first = np.unique(confidence, return_index=True)
    macro_f1 = _macro_f1_after(decided, truth[order], array.shape[1])[first]
    return np.r_[0.0, taus], np.r_[macro_f1[0], macro_f1]


def paired_scores(
    predictions: Predictions, plain: ArrayLike, changed: ArrayLike, n_boot: int, seed: int
) -> tuple[PairedScore, ...]:
    """Compare two decisions about the same images in accuracy, balanced accuracy and macro F1.

    Parameters
    ----------
    predictions : N images, N >= 1
    plain, changed : (N,) classes in [0, C], where C means no decision
    n_boot, seed : of the bootstrap by lesion; both decisions share its draws
    """
    classes = len(predictions.classes) + 1  # "none" has no images, so no mean counts it
    cells = np.eye(classes**2)
    columns = [cells[predictions.labels * classes + np.asarray(d)] for d in (plain, changed)]
    sums = np.hstack(columns)  # (N, 2 · (C + 1)²)
    totals = [sums.sum(0)[None], resample_sums(sums, predictions.group_ids, n_boot, seed)]
    before, after = ([t.reshape(-1, 2, classes, classes)[:, k] for t in totals] for k in (0, 1))
    found = []
    for name, score in _SCORES.items():
        (a, drawn_a), (b, drawn_b) = map(score, before), map(score, after)
        pairs = ((a, drawn_a), (b, drawn_b), (b - a, drawn_b - drawn_a))
        found.append(PairedScore(name, *(percentile_interval(float(v[0]), d) for v, d in pairs)))
    return tuple(found)


def _best_offset(
    scores: Floats, truth: NDArray[np.int64], c: int, present: float
) -> tuple[float, float]:
    """Return the highest macro F1 that another offset of class `c` reaches, and that offset.

    `scores` (N, C) have the `present` offset in them.
    """
    others = scores.copy()
    others[:, c] = -np.inf
    rival = others.argmax(1)
    needed = others.max(1) - scores[:, c] + present  # class c wins where its offset is above
    order = np.argsort(needed, kind="stable")
    needed = needed[order]
    values = _macro_f1_after(rival[order], truth[order], scores.shape[1], c)
    middle = np.r_[needed[0] - 1, (needed[:-1] + needed[1:]) / 2, needed[-1] + 1]
    middle = middle.clip(-_HIGHEST_OFFSET, _HIGHEST_OFFSET)
    edges = np.r_[-np.inf, needed, np.inf]
    possible = (edges[:-1] < middle) & (middle < edges[1:])  # equal needs change together
    best = possible & (values >= values[possible].max() - _LEAST_GAIN)
    nearest = np.flatnonzero(best)[np.abs(middle[best] - present).argmin()]
    return float(values[nearest]), float(middle[nearest])


def _macro_f1_after(
    decided: NDArray[np.int64], truth: NDArray[np.int64], classes: int, to: int | None = None
) -> Floats:
    """Return the macro F1 after the first 0, 1, ... N images lose their decision, (N + 1,).

    They have none then, or class `to`.
    """
    lost = np.eye(classes)[decided]  # (N, C)
    hits = lost * (decided == truth)[:, None]
    if to is not None:
        lost[:, to] -= 1
        hits[:, to] -= truth == to
    start = np.bincount(decided, minlength=classes), hits.clip(0).sum(0)
    support = np.bincount(truth, minlength=classes)
    left, right = (
        total - np.cumsum(np.vstack([np.zeros(classes), change]), axis=0)
        for total, change in zip(start, (lost, hits), strict=True)
    )
    f1 = scores.ratio(2 * right, support + left)
    return scores.mean_of_defined(np.where(support > 0, f1, np.nan))


def _first_best(values: Floats) -> int:
    return int(np.flatnonzero(values >= values.max() - _LEAST_GAIN)[0])


def _share(chosen: NDArray[np.bool_], of: Predictions, n_boot: int, seed: int) -> Interval:
    counted = np.stack([chosen, np.ones(len(chosen))], axis=1)
    totals = resample_sums(counted, of.group_ids, n_boot, seed)
    return percentile_interval(float(chosen.mean()), totals[:, 0] / totals[:, 1])


def _macro_f1_of(predictions: Predictions, decisions: NDArray[np.int64]) -> float:
    classes = len(predictions.classes)
    counts = scores.confusion_matrix(predictions.labels, decisions, classes)
    return float(scores.macro_f1(counts))
