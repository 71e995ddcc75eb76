"""Operating points that move decisions: weights by class, and a confidence below which to reject.

Weights are those of `class_weights`; the plain rule is the class with the highest probability.

Rejection: an image whose confidence is below τ gets no decision, which makes it a miss of its
class and a false alarm of none. Accuracy can only fall, so for accuracy τ is 0; the macro-F1 may
rise with the precision. scikit-learn's macro mean takes "rejected" for one more class, with F1 0,
so that the first rejected image costs a share of 1 / (C + 1): τ under that count is given too.
It is 0 unless rejection gains more than that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.base import check_labels, check_probs
from kdcore.evaluate import scores
from kdcore.evaluate.bootstrap import Interval, percentile_interval, resample_sums
from kdcore.evaluate.calibration import Floats
from kdcore.evaluate.class_weights import (
    LEAST_GAIN,
    fit_class_weights,
    fit_prior_weights,
    macro_f1_after,
    weighted_decisions,
)
from kdcore.evaluate.held_out import refuse_other_weights
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax

METHODS = {"prior": fit_prior_weights, "ascent": fit_class_weights}
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
    method : how they were chosen, "prior" or "ascent"
    classes : C names
    weights : (C,) positive, with geometric mean 1
    val_plain, val_changed : macro-F1 on validation of argmax, and with the weights
    scores : accuracy, balanced accuracy and macro-F1 on test, paired by lesion
    """

    method: str
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
    val_plain, val_changed : macro-F1 on validation at τ = 0 and at `tau`, rejected are misses
    coverage : share of test images that get a decision
    scores : accuracy, balanced accuracy and macro-F1 on test, paired by lesion
    """

    tau: float
    tau_as_class: float
    val_plain: float
    val_changed: float
    coverage: Interval
    scores: tuple[PairedScore, ...]


def choose_class_weights(
    val: Predictions,
    test: Predictions,
    method: str = "prior",
    n_boot: int = 1000,
    seed: int = 0,
) -> ClassWeights:
    """Choose weights on `val` and compare them with plain argmax on `test`.

    Parameters
    ----------
    val, test : predictions of the same weights on validation and test
    method : "prior" or "ascent" (see `class_weights`)
    n_boot, seed : of the bootstrap by lesion

    Raises
    ------
    DataError
        If one of them has no image, they are of different weights or classes, or share an image.
    ValueError
        If there is no such method.
    """
    refuse_other_weights(val, test)
    if method not in METHODS:
        raise ValueError(f"method: expected one of {tuple(METHODS)}, got {method!r}")
    weights = METHODS[method](val.logits, val.labels)
    on_val, on_test = (weighted_decisions(p.logits, weights) for p in (val, test))
    return ClassWeights(
        method,
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
    """Choose τ on `val` to maximise the macro-F1, the least of equally good ones, for `test`.

    Parameters
    ----------
    val, test : predictions of the same weights on validation and test
    temperature : divides the logits before the softmax
    n_boot, seed : of the bootstrap by lesion

    Raises
    ------
    DataError
        If one of them has no image, they are of different weights or classes, or share an image.
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


def rejection_curve(probs: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats]:
    """Return thresholds, 0 and each confidence that occurs, rising, and the macro-F1 at each.

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
    macro_f1 = macro_f1_after(decided, truth[order], array.shape[1])[first]
    return np.r_[0.0, taus], np.r_[macro_f1[0], macro_f1]


def paired_scores(
    predictions: Predictions, plain: ArrayLike, changed: ArrayLike, n_boot: int, seed: int
) -> tuple[PairedScore, ...]:
    """Compare two decisions about the same images in accuracy, balanced accuracy and macro-F1.

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


def _first_best(values: Floats) -> int:
    return int(np.flatnonzero(values >= values.max() - LEAST_GAIN)[0])


def _share(chosen: NDArray[np.bool_], of: Predictions, n_boot: int, seed: int) -> Interval:
    counted = np.stack([chosen, np.ones(len(chosen))], axis=1)
    totals = resample_sums(counted, of.group_ids, n_boot, seed)
    return percentile_interval(float(chosen.mean()), totals[:, 0] / totals[:, 1])


def _macro_f1_of(predictions: Predictions, decisions: NDArray[np.int64]) -> float:
    classes = len(predictions.classes)
    counts = scores.confusion_matrix(predictions.labels, decisions, classes)
    return float(scores.macro_f1(counts))
