"""Do probabilities mean what they say: NLL, Brier, ECE, reliability bins, temperature.

Sources: Guo et al. 2017 (ECE with right-closed bins, temperature scaling), Nguyen & O'Connor
2015 (equal-mass bins), Brier 1950. Conventions:

- Confidence is the highest probability; the decision is its class, the first one on a tie.
- Bin b holds confidences in (edge[b], edge[b + 1]]; the first also holds its lower edge, so 1.0
  lies in the last equal-width bin. An empty bin adds nothing to the ECE.
- Equal-mass edges are observed confidences at ranks ⌈kN/B⌉. Equal confidences share one bin, so
  with ties some bins are larger and others empty, whatever the order of the images.
- Brier is the sum over classes, in [0, 2], not halved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.base import check_labels, check_logits, check_probs
from kdcore.predict.probabilities import log_softmax, softmax

Floats = NDArray[np.float64]
BINS = 15
LOWEST_T, HIGHEST_T = 0.05, 20.0


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram in numbers: one entry for each of B bins.

    Attributes
    ----------
    edges : (B + 1,) rising, in [0, 1]
    count : (B,) images in the bin
    confidence, accuracy : (B,) means in the bin, NaN where it is empty
    ece : expected calibration error, in [0, 1]
    """

    edges: Floats
    count: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats
    ece: float


def nll_per_image(logits: ArrayLike, labels: ArrayLike, temperature: float = 1.0) -> Floats:
    """Return -log p of the true class in nats, (N,), from logits so that it is never infinite."""
    array = check_logits(logits)
    truth = check_labels(labels, *array.shape)
    return -log_softmax(array, temperature)[np.arange(len(array)), truth]


def brier_per_image(probs: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the squared distance of `probs` (N, C) from the one-hot label, (N,) in [0, 2]."""
    array = check_probs(probs)
    truth = check_labels(labels, *array.shape)
    return ((array - np.eye(array.shape[1])[truth]) ** 2).sum(1)


def nll(logits: ArrayLike, labels: ArrayLike, temperature: float = 1.0) -> float:
    """Return the mean negative log-likelihood in nats."""
    return float(nll_per_image(logits, labels, temperature).mean())


def brier(probs: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean Brier score over images, in [0, 2]."""
    return float(brier_per_image(probs, labels).mean())


def width_edges(bins: int = BINS) -> Floats:
    """Return the edges of `bins` bins of equal width on [0, 1]."""
    if bins < 1:
        raise ValueError(f"bins: expected at least 1, got {bins}")
    return np.linspace(0.0, 1.0, bins + 1)


def mass_edges(confidence: ArrayLike, bins: int = BINS) -> Floats:
    """Return edges that put equally many of `confidence` (N,) into each of `bins` bins.

    Sizes differ by at most one where all confidences differ.
    """
    ranked = np.sort(np.asarray(confidence, dtype=np.float64))
    if bins < 1 or not len(ranked):
        raise ValueError(f"bins: expected bins and values, got {bins} and {len(ranked)}")
    ranks = -(-np.arange(1, bins + 1) * len(ranked) // bins)  # ceil
    return np.concatenate([[0.0], ranked[np.maximum(ranks, 1) - 1]])


def bin_index(confidence: ArrayLike, edges: ArrayLike) -> NDArray[np.int64]:
    """Return the bin of each confidence, (N,) in [0, B), right-closed."""
    edges = np.asarray(edges, dtype=np.float64)
    found = np.searchsorted(edges, np.asarray(confidence, dtype=np.float64), side="left") - 1
    return np.clip(found, 0, len(edges) - 2).astype(np.int64)


def confidence_and_hits(probs: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats]:
    """Return the highest probability (N,) and whether its class is right (N,), 0.0 or 1.0."""
    array = check_probs(probs)
    truth = check_labels(labels, *array.shape)
    return np.clip(array.max(1), 0.0, 1.0), (array.argmax(1) == truth).astype(np.float64)


def reliability(
    probs: ArrayLike, labels: ArrayLike, bins: int = BINS, equal_mass: bool = False
) -> Reliability:
    """Return accuracy and confidence by bin, and their weighted mean distance, the ECE.

    Parameters
    ----------
    probs : (N, C), N >= 1
    labels : (N,) in [0, C)
    bins : number of bins
    equal_mass : bins of equally many images instead of equal width
    """
    return binned(*confidence_and_hits(probs, labels), bins, equal_mass)


def binned(
    said: ArrayLike, happened: ArrayLike, bins: int = BINS, equal_mass: bool = False
) -> Reliability:
    """Return what was said and what happened by bin of what was said.

    Parameters
    ----------
    said : (N,) probabilities of one thing, such as "the answer is right", N >= 1
    happened : (N,) whether it was so, 0.0 or 1.0
    bins, equal_mass : as in `reliability`

    Raises
    ------
    ValueError
        If there is no image, or `said` leaves [0, 1].
    """
    confidence, hits = (np.asarray(a, dtype=np.float64) for a in (said, happened))
    if not len(hits):
        raise ValueError("probs: expected at least one image")
    if not (confidence.min() >= 0 and confidence.max() <= 1):
        raise ValueError(
            f"said: expected values in [0, 1], got {confidence.min()} to {confidence.max()}"
        )
    edges = mass_edges(confidence, bins) if equal_mass else width_edges(bins)
    where = bin_index(confidence, edges)
    count = np.bincount(where, minlength=bins)
    total = np.bincount(where, confidence, bins), np.bincount(where, hits, bins)
    mean = [np.where(count > 0, t / np.maximum(count, 1), np.nan) for t in total]
    gap = float(np.abs(total[0] - total[1]).sum() / len(hits))
    return Reliability(edges, count, mean[0], mean[1], gap)


def ece(probs: ArrayLike, labels: ArrayLike, bins: int = BINS, equal_mass: bool = False) -> float:
    """Return the expected calibration error, in [0, 1].

    `probs` (N, C), `labels` (N,), `bins` and `equal_mass` are those of `reliability`.
    """
    return reliability(probs, labels, bins, equal_mass).ece


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """Return the temperature in [0.05, 20] that minimises the NLL (Guo et al. 2017, 4.2).

    The NLL is convex in 1/T, so the sign of its slope is bisected: no step size, no start value.
    Where every decision is right the optimum is T → 0 and the lower bound is returned; where the
    logits say nothing or mislead, the upper bound is.

    Parameters
    ----------
    logits : (N, C), of validation images, N >= 1
    labels : (N,) in [0, C)
    """
    array = check_logits(logits)
    truth = check_labels(labels, *array.shape)
    if not len(array):
        raise ValueError("logits: expected at least one image")
    target = array[np.arange(len(array)), truth]  # (N,)

    def slope(temperature: float) -> float:  # of the NLL in 1/T
        return float(((softmax(array, temperature) * array).sum(1) - target).mean())

    low, high = LOWEST_T, HIGHEST_T
    if slope(high) >= 0:
        return high
    if slope(low) <= 0:
        return low
    while high / low > 1 + 1e-9:
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return float(np.sqrt(low * high))
