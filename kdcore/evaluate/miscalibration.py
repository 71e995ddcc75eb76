"""Calibration beyond the ECE: debiased, by class, at its worst, and the parts of the Brier score.

Sources: Kumar et al. 2019, section 5 (debiased), Nixon et al. 2019 (static calibration error
by class), Guo et al. 2017 (maximum), Murphy 1973 and Stephenson et al. 2008 (Brier parts). Bins,
ties, empty bins and p = 1 are those of `calibration`. Conventions:

- The debiased error is a root mean square, so what it estimates lies at or above the mean
  distance that the ECE estimates. A bin with one image has no variance to take off.
- The maximum runs over the bins that have images, however few: it says most about small bins.
- Brier parts are made by class on equal-width bins of its probability, one class against the
  rest, and summed over classes, as the score itself is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.base import check_labels, check_probs
from kdcore.evaluate.bootstrap import Interval, percentile_interval, resample_sums
from kdcore.evaluate.calibration import (
    BINS,
    Floats,
    bin_index,
    mass_edges,
    reliability,
    width_edges,
)
from kdcore.evaluate.scores import ratio


@dataclass(frozen=True)
class BrierParts:
    """What the Brier score is made of; the parts add up to it exactly.

    Attributes
    ----------
    reliability : squared distance of what was said from what happened, by bin; lower is better
    resolution : squared distance of what happened in a bin from the base rate; higher is better
    uncertainty : of the labels alone, Σ base rate · (1 − base rate)
    within_variance : of the probabilities of one bin around their mean
    within_covariance : twice that of probabilities and outcomes in one bin; higher is better
    """

    reliability: float
    resolution: float
    uncertainty: float
    within_variance: float
    within_covariance: float

    @property
    def total(self) -> float:
        """The Brier score, summed over classes, in [0, 2]."""
        between = self.reliability - self.resolution + self.uncertainty
        return between + self.within_variance - self.within_covariance


def debiased_ece(
    probs: ArrayLike, labels: ArrayLike, bins: int = BINS, equal_mass: bool = True
) -> float:
    """Return the root mean squared calibration error less its upward bias, in [0, 1].

    The squared distance of each bin is lowered by the variance of its accuracy,
    a (1 − a) / (n − 1); a sum below 0 is returned as 0.

    Parameters
    ----------
    probs : (N, C), N >= 1
    labels : (N,) in [0, C)
    bins : number of bins
    equal_mass : bins of equally many images, as in the source, or of equal width
    """
    found = reliability(probs, labels, bins, equal_mass)
    filled = found.count > 0
    n, accuracy = found.count[filled], found.accuracy[filled]
    squared = (found.confidence[filled] - accuracy) ** 2
    noise = accuracy * (1 - accuracy) / np.maximum(n - 1, 1)
    return float(np.sqrt(max(np.average(squared - noise, weights=n), 0.0)))


def mce(probs: ArrayLike, labels: ArrayLike, bins: int = BINS, equal_mass: bool = False) -> float:
    """Return the largest distance of accuracy and confidence in a bin that has images, in [0, 1].

    `probs` (N, C), `labels` (N,), `bins` and `equal_mass` are those of `reliability`.
    """
    found = reliability(probs, labels, bins, equal_mass)
    return float(np.nanmax(np.abs(found.accuracy - found.confidence)))


def classwise_ece(probs: ArrayLike, labels: ArrayLike, bins: int = BINS) -> float:
    """Return the mean over all C classes of the ECE of "it is this class", in [0, 1].

    A class without images counts: its probabilities should be 0. `probs` is (N, C), N >= 1, and
    `labels` (N,); bins have equal width.
    """
    array, outcome, cell = _cells(probs, labels, bins)
    gaps = np.bincount(cell.ravel(), (array - outcome).ravel())
    return float(np.abs(gaps).sum() / array.size)


def brier_parts(probs: ArrayLike, labels: ArrayLike, bins: int = BINS) -> BrierParts:
    """Return the parts of the Brier score of `probs` (N, C), N >= 1, for `labels` (N,).

    `bins` is the number of equal-width bins for each class.
    """
    array, outcome, cell = _cells(probs, labels, bins)
    said, happened = _cell_means(array, cell), _cell_means(outcome, cell)  # (N, C)
    base = outcome.mean(0)  # (C,)

    def mean(values: Floats) -> float:  # over images, summed over classes
        return float(values.mean(0).sum())

    return BrierParts(
        reliability=mean((said - happened) ** 2),
        resolution=mean((happened - base) ** 2),
        uncertainty=float((base * (1 - base)).sum()),
        within_variance=mean((array - said) ** 2),
        within_covariance=2 * mean((array - said) * (outcome - happened)),
    )


def binned_intervals(
    said: Floats,
    happened: Floats,
    group_ids: ArrayLike,
    bins: int = BINS,
    equal_mass: bool = False,
    n_boot: int = 1000,
    seed: int = 0,
) -> tuple[Interval, ...]:
    """Return what happened in each bin of `calibration.binned` with its 95 % interval.

    Everything is NaN where a bin is empty. Where all images of a bin are right, or all wrong,
    every resample says the same and the interval has no width: it is too narrow for small bins.

    Parameters
    ----------
    said, happened : (N,) as in `binned`
    group_ids : (N,) lesion ids
    bins, equal_mass : as in `binned`; resamples keep the data's own edges
    n_boot, seed : of the bootstrap
    """
    edges = mass_edges(said, bins) if equal_mass else width_edges(bins)
    inside = np.eye(bins)[bin_index(said, edges)]  # (N, B)
    sums = np.hstack([inside * happened[:, None], inside])
    whole = _split_ratio(sums.sum(0)[None])[0]
    drawn = _split_ratio(resample_sums(sums, group_ids, n_boot, seed))
    return tuple(percentile_interval(v, drawn[:, b]) for b, v in enumerate(whole))


def _split_ratio(sums: Floats) -> Floats:
    part, whole = np.split(sums, 2, axis=1)
    return ratio(part, whole)


def _cells(
    probs: ArrayLike, labels: ArrayLike, bins: int
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return probabilities, outcomes and the number of the class's bin, each (N, C)."""
    array = np.clip(check_probs(probs), 0.0, 1.0)
    truth = check_labels(labels, *array.shape)
    if not len(array):
        raise ValueError("probs: expected at least one image")
    classes = array.shape[1]
    cell = bin_index(array, width_edges(bins)) + bins * np.arange(classes)
    return array, np.eye(classes)[truth], cell


def _cell_means(values: Floats, cell: NDArray[np.int64]) -> Floats:
    """Return for each value the mean of all values in its cell, (N, C)."""
    flat = cell.ravel()
    mean = np.bincount(flat, values.ravel()) / np.maximum(np.bincount(flat), 1)
    return mean[cell]
