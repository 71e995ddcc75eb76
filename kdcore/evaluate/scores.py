"""Scores of hard decisions from confusion counts, for one data set or a stack of resamples.

Every function takes counts of shape (..., C, C), true class by row, decision by column, so that
a bootstrap computes all its resamples at once. Conventions where a ratio is 0/0:

- A class without images has no recall and no F1 (NaN); macro means run over the classes that
  have images. scikit-learn's macro-F1 instead counts an absent class that was predicted as 0.
- A class with images that was never predicted has precision 0, as scikit-learn reports it.
- The Matthews coefficient is 0 where all decisions are one class, as scikit-learn reports it, but
  NaN where all images are of one class: there is nothing to correlate with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.base import check_labels

Floats = NDArray[np.float64]


def confusion_matrix(labels: ArrayLike, decisions: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Return counts (C, C): row the true class, column the decision.

    Raises
    ------
    ValueError
        If the lengths differ or a value lies outside [0, classes).
    """
    n = np.asarray(labels).size
    truth = check_labels(labels, n, classes)
    chosen = check_labels(decisions, n, classes)
    counts = np.bincount(truth * classes + chosen, minlength=classes**2)
    return counts.reshape(classes, classes)


def ratio(part: ArrayLike, whole: ArrayLike) -> Floats:
    """Return `part` / `whole`, NaN where `whole` is 0, without a warning."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def mean_of_defined(values: ArrayLike) -> Floats:
    """Return the mean over the last axis of what is not NaN; NaN where nothing is left."""
    array = np.asarray(values, dtype=np.float64)
    defined = ~np.isnan(array)
    return ratio(np.where(defined, array, 0.0).sum(-1), defined.sum(-1))


def accuracy(counts: ArrayLike) -> Floats:
    """Return the share of right decisions, in [0, 1]; NaN without images."""
    array = np.asarray(counts, dtype=np.float64)
    return ratio(np.trace(array, axis1=-2, axis2=-1), array.sum((-2, -1)))


def recall(counts: ArrayLike) -> Floats:
    """Return the recall (sensitivity) of each class, (..., C); NaN for a class without images."""
    array = np.asarray(counts, dtype=np.float64)
    return ratio(np.diagonal(array, axis1=-2, axis2=-1), array.sum(-1))


def precision(counts: ArrayLike) -> Floats:
    """Return the precision of each class, (..., C).

    A class that was never predicted has 0 if it has images, and NaN if it has none.
    """
    array = np.asarray(counts, dtype=np.float64)
    value = ratio(np.diagonal(array, axis1=-2, axis2=-1), array.sum(-2))
    return np.where(np.isnan(value) & (array.sum(-1) > 0), 0.0, value)


def f1(counts: ArrayLike) -> Floats:
    """Return the F1 of each class, 2 TP / (2 TP + FP + FN), (..., C).

    NaN for a class without images, 0 for one that has images and no hit.
    """
    array = np.asarray(counts, dtype=np.float64)
    support = array.sum(-1)
    value = ratio(2 * np.diagonal(array, axis1=-2, axis2=-1), support + array.sum(-2))
    return np.where(support > 0, value, np.nan)


def balanced_accuracy(counts: ArrayLike) -> Floats:
    """Return the mean recall over the classes that have images."""
    return mean_of_defined(recall(counts))


def macro_f1(counts: ArrayLike) -> Floats:
    """Return the mean F1 over the classes that have images."""
    return mean_of_defined(f1(counts))


def weighted_f1(counts: ArrayLike) -> Floats:
    """Return the mean F1 over the classes that have images, weighted by how many they have."""
    array = np.asarray(counts, dtype=np.float64)
    support = array.sum(-1)
    weighted = np.where(support > 0, support * f1(array), 0.0)
    return ratio(weighted.sum(-1), support.sum(-1))


def mcc(counts: ArrayLike) -> Floats:
    """Return the Matthews correlation of decisions and true classes, in [-1, 1].

    With more than two classes it is the R_K of Gorodkin 2004. 0 where all decisions are one
    class, NaN where all images are of one class.
    """
    array = np.asarray(counts, dtype=np.float64)
    n, truth, chosen = array.sum((-2, -1)), array.sum(-1), array.sum(-2)
    hits = np.trace(array, axis1=-2, axis2=-1)
    spread_truth, spread_chosen = (n**2 - (sums**2).sum(-1) for sums in (truth, chosen))
    covariance = hits * n - (truth * chosen).sum(-1)
    value = ratio(covariance, np.sqrt(spread_truth * spread_chosen))
    return np.where((spread_truth > 0) & (spread_chosen == 0), 0.0, value)
