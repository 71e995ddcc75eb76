"""Weights by class: decide for the highest w_c · p_c, w chosen to maximise the macro-F1.

Two ways, both deterministic and on validation no worse than plain argmax:

- "ascent": one weight for each class by coordinate ascent, as thresholds are chosen for F1 in
  Lipton et al. 2014. Each step tries every weight of one class that changes any decision, so it
  finds the best, and among equally good ones takes the nearest to the present. It ends when no
  class improves, which need not be the best of all weights. A rare class is then decided by a
  handful of images: on the released networks it gains on validation and loses on test.
- "prior": w_c = n_c^(−γ) with one γ for all (Menon et al. 2021, section 4, with the exponent
  chosen and not 1). Below 0 it takes back what class weights in training overdid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.base import check_labels, check_logits
from kdcore.evaluate import scores
from kdcore.evaluate.calibration import Floats

EXPONENTS = np.arange(-100, 151) / 100
LEAST_GAIN = 1e-12  # what rounding alone may make of equal scores
_HIGHEST_OFFSET = float(np.log(1e6))  # a weight is a choice between classes, not a ban


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
    """Return the weights (C,), of geometric mean 1, that coordinate ascent of the macro-F1 finds.

    Parameters
    ----------
    logits : (N, C), of validation images, N >= 1
    labels : (N,) in [0, C)
    """
    array, truth = _checked(logits, labels)
    offsets, reached, improved = np.zeros(array.shape[1]), -1.0, True
    while improved:  # the macro-F1 has finitely many values and rises with every pass but the last
        improved = False
        for c in range(array.shape[1]):
            value, offset = _best_offset(array + offsets, truth, c, offsets[c])
            if value > reached + LEAST_GAIN:
                offsets[c], reached, improved = offset, value, True
    return np.exp(offsets - offsets.mean())


def fit_prior_weights(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Return weights (C,), of geometric mean 1, that are one power of the class counts.

    Of the exponents −γ in `EXPONENTS` it takes the one with the highest macro-F1, the least in
    size of equally good ones. A class counts one image more than it has, so that none has 0.

    Parameters
    ----------
    logits : (N, C), of validation images, N >= 1
    labels : (N,) in [0, C)
    """
    array, truth = _checked(logits, labels)
    classes = array.shape[1]
    log_counts = np.log(np.bincount(truth, minlength=classes) + 1)
    centred = log_counts - log_counts.mean()
    decisions = (weighted_decisions(array, np.exp(-x * centred)) for x in EXPONENTS)
    counts = np.stack([scores.confusion_matrix(truth, d, classes) for d in decisions])
    values = scores.macro_f1(counts)
    best = values >= values.max() - LEAST_GAIN
    return np.exp(-EXPONENTS[best][np.abs(EXPONENTS[best]).argmin()] * centred)


def macro_f1_after(
    decided: NDArray[np.int64], truth: NDArray[np.int64], classes: int, to: int | None = None
) -> Floats:
    """Return the macro-F1 after the first 0, 1, ... N images lose their decision, (N + 1,).

    Parameters
    ----------
    decided, truth : (N,) in [0, classes)
    classes : C
    to : the class that they get instead; None for no decision
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


def _checked(logits: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    array = check_logits(logits)
    truth = check_labels(labels, *array.shape)
    if not len(array):
        raise ValueError("logits: expected at least one image")
    return array, truth


def _best_offset(
    logits: Floats, truth: NDArray[np.int64], c: int, present: float
) -> tuple[float, float]:
    """Return the highest macro-F1 that another offset of class `c` reaches, and that offset.

    `logits` (N, C) have the `present` offset in them.
    """
    others = logits.copy()
    others[:, c] = -np.inf
    rival = others.argmax(1)
    needed = others.max(1) - logits[:, c] + present  # class c wins where its offset is above
    order = np.argsort(needed, kind="stable")
    needed = needed[order]
    values = macro_f1_after(rival[order], truth[order], logits.shape[1], c)
    middle = np.r_[needed[0] - 1, (needed[:-1] + needed[1:]) / 2, needed[-1] + 1]
    middle = middle.clip(-_HIGHEST_OFFSET, _HIGHEST_OFFSET)
    edges = np.r_[-np.inf, needed, np.inf]
    possible = (edges[:-1] < middle) & (middle < edges[1:])  # equal needs change together
    best = possible & (values >= values[possible].max() - LEAST_GAIN)
    nearest = np.flatnonzero(best)[np.abs(middle[best] - present).argmin()]
    return float(values[nearest]), float(middle[nearest])
