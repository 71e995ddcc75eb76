"""Selective prediction: the error among the images that the network is most sure of.

Sources: El-Yaniv & Wiener 2010 (risk and coverage), Geifman et al. 2019 (AURC and its excess over
a perfect ranking). Conventions:

- Confidence is the highest probability at the temperature given, which may change its order.
- A threshold accepts all images of one confidence together, so the curve has a point for each
  confidence that occurs, and AURC is the mean over images of the risk among all that are at least
  as sure. Without ties that is Geifman's mean over coverages 1/N, 2/N, ... 1.
- The excess takes off the AURC of a ranking with as many errors, all of them last, exactly and
  not by the source's limit r + (1 − r) · log(1 − r).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma

from kdcore.base import DataError
from kdcore.evaluate.bootstrap import Interval, draw_groups, index_groups, percentile_interval
from kdcore.evaluate.calibration import Floats, confidence_and_hits
from kdcore.evaluate.scores import ratio
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax


@dataclass(frozen=True)
class RiskCoverage:
    """A risk-coverage curve: one point for each of K confidences, the highest first.

    Attributes
    ----------
    threshold : (K,) falling; images at or above it are accepted
    coverage : (K,) share of images accepted, rising to 1
    risk : (K,) share of the accepted that are wrong
    aurc : area under the curve, in [0, 1]; lower is better
    excess : `aurc` less that of a perfect ranking with as many errors, at least 0
    """

    threshold: Floats
    coverage: Floats
    risk: Floats
    aurc: Interval
    excess: Interval

    def risk_at(self, coverage: float) -> float:
        """Return the risk at the highest threshold that accepts at least a share `coverage`."""
        return float(self.risk[np.searchsorted(self.coverage, coverage - 1e-12)])


def risk_coverage(
    predictions: Predictions, temperature: float = 1.0, n_boot: int = 1000, seed: int = 0
) -> RiskCoverage:
    """Return the curve of `predictions`, with 95 % intervals of its areas over lesions.

    Parameters
    ----------
    predictions : at least one image
    temperature : divides the logits before the softmax
    n_boot, seed : of the bootstrap; no resamples leave the intervals NaN

    Raises
    ------
    DataError
        If there is no image.
    ValueError
        If `n_boot` is negative.
    """
    if not len(predictions):
        raise DataError("There are no images to rank.", "Choose a split that has some.")
    if n_boot < 0:
        raise ValueError(f"n_boot: expected 0 or more, got {n_boot}")
    probs = softmax(predictions.logits, temperature)
    confidence, hits = confidence_and_hits(probs, predictions.labels)
    order = np.argsort(-confidence, kind="stable")
    errors, ranked = 1 - hits[order], confidence[order]
    last = np.searchsorted(-ranked, -ranked, side="right") - 1  # of the images as sure, (N,)
    whole, risk = _areas(errors, last, np.ones((len(errors), 1)))
    index, groups = index_groups(predictions.group_ids)
    drawn = [np.empty((2, 0))]
    for counts in draw_groups(groups, n_boot if groups > 1 else 0, seed):
        drawn.append(_areas(errors, last, counts.T[index[order]])[0])
    aurc, excess = (
        percentile_interval(float(value[0]), resamples)
        for value, resamples in zip(whole, np.concatenate(drawn, axis=1), strict=True)
    )
    ends = np.unique(last)
    return RiskCoverage(ranked[ends], (ends + 1) / len(errors), risk[ends, 0], aurc, excess)


def perfect_aurc(images: ArrayLike, errors: ArrayLike) -> Floats:
    """Return the least AURC that n images with e errors can have: all errors come last.

    It is Σ (i − (n − e)) / i over the last e ranks i, by harmonic numbers.

    Parameters
    ----------
    images, errors : of the same shape, 0 <= e <= n and n >= 1

    Returns
    -------
    of the same shape, in [0, 1]
    """
    n, e = np.asarray(images, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    return (e - (n - e) * (digamma(n + 1) - digamma(n - e + 1))) / n


def _areas(errors: Floats, last: NDArray[np.int64], weights: Floats) -> tuple[Floats, Floats]:
    """Return AURC and excess (2, B), and the risk (N, B) up to each image, of B weightings."""
    seen, wrong = np.cumsum(weights, axis=0), np.cumsum(weights * errors[:, None], axis=0)
    risk = ratio(wrong, seen)[last]  # (N, B)
    aurc = np.where(weights > 0, weights * risk, 0.0).sum(0) / seen[-1]
    return np.stack([aurc, aurc - perfect_aurc(seen[-1], wrong[-1])]), risk
