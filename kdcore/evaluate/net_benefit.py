"""Decision curve: is acting on a probability better than acting on all, or on none.

Source: Vickers & Elkin 2006. Who acts from probability t on holds one case found worth
(1 − t) / t false alarms, so acting on all with p >= t has the net benefit
TP / N − FP / N · t / (1 − t): in cases found for each image, free of false alarms. Acting on none
has 0. It reads probabilities as such, so calibrate them first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kdcore.base import DataError
from kdcore.data.info import MELANOMA
from kdcore.evaluate.alarm import class_index
from kdcore.evaluate.bootstrap import LEVEL, resample_sums
from kdcore.evaluate.calibration import Floats
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax

THRESHOLDS = np.arange(1, 100) / 100


@dataclass(frozen=True)
class Band:
    """A curve of K values with its pointwise 95 % interval.

    Attributes
    ----------
    value, low, high : (K,); the ends are NaN where there were no resamples
    """

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit over K threshold probabilities.

    Attributes
    ----------
    positive : the class
    thresholds : (K,) rising, in (0, 1)
    model : acting where the probability reaches the threshold
    treat_all : acting on every image; acting on none has 0
    gain : `model` less the better of all and none, on the same resamples
    """

    positive: str
    thresholds: Floats
    model: Band
    treat_all: Band
    gain: Band


def decision_curve(
    predictions: Predictions,
    positive: str = MELANOMA,
    temperature: float = 1.0,
    thresholds: ArrayLike = THRESHOLDS,
    n_boot: int = 1000,
    seed: int = 0,
) -> DecisionCurve:
    """Return the net benefit of acting on the probability of one class.

    Parameters
    ----------
    predictions : at least one image
    positive : the class
    temperature : divides the logits before the softmax
    thresholds : (K,), rising, in (0, 1)
    n_boot, seed : of the bootstrap by lesion

    Raises
    ------
    DataError
        If there is no image.
    ValueError
        If there is no such class, or the thresholds are not rising or not in (0, 1).
    """
    if not len(predictions):
        raise DataError("There are no images to decide on.", "Choose a split that has some.")
    levels = np.asarray(thresholds, dtype=np.float64)
    if not len(levels) or levels[0] <= 0 or levels[-1] >= 1 or (np.diff(levels) <= 0).any():
        raise ValueError(f"thresholds: expected rising values in (0, 1), got {levels}")
    c = class_index(predictions.classes, positive)
    member = (predictions.labels == c).astype(np.float64)
    chance = softmax(predictions.logits, temperature)[:, c]
    acted = (chance[:, None] >= levels).astype(np.float64)  # (N, K)
    each = np.hstack([acted, np.ones((len(member), 1))])
    sums = np.hstack([each * member[:, None], each])  # (N, 2 K + 2): found, cases, acted on, N
    whole = _net_benefits(sums.sum(0)[None], levels)
    drawn = _net_benefits(resample_sums(sums, predictions.group_ids, n_boot, seed), levels)
    bands = [_band(value[0], resamples) for value, resamples in zip(whole, drawn, strict=True)]
    return DecisionCurve(positive, levels, *bands)


def net_benefit(
    true_positive: ArrayLike, false_positive: ArrayLike, n: ArrayLike, threshold: ArrayLike
) -> Floats:
    """Return the net benefit of counts, all of one shape or broadcast to it, same shape.

    `true_positive` cases found and `false_positive` false alarms among `n` images, at a
    `threshold` in (0, 1).
    """
    level = np.asarray(threshold, dtype=np.float64)
    cost = np.asarray(false_positive) * (level / (1 - level))
    return np.asarray((np.asarray(true_positive) - cost) / np.asarray(n), dtype=np.float64)


def _net_benefits(totals: Floats, levels: Floats) -> tuple[Floats, Floats, Floats]:
    """Return those of the model, of acting on all, and the model's gain, each (B, K)."""
    k = len(levels)
    found, cases, acted, n = np.split(totals, [k, k + 1, 2 * k + 1], axis=1)
    model = net_benefit(found, acted - found, n, levels)
    treat_all = net_benefit(cases, n - cases, n, levels)
    return model, treat_all, model - np.maximum(treat_all, 0.0)


def _band(value: Floats, resamples: Floats) -> Band:
    if not len(resamples):
        return Band(value, np.full_like(value, np.nan), np.full_like(value, np.nan))
    low, high = np.quantile(resamples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return Band(value, low, high)
