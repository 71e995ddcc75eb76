"""Every headline score of one set of predictions, and of each resample of its lesions.

All but the areas under curves are functions of sums over images, so images are summed by lesion
once and each resample of the bootstrap is one row of a matrix product. Two sets of predictions on
the same images and lesions get the same resamples from the same seed: their differences are
paired.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError
from kdcore.evaluate import calibration, scores
from kdcore.evaluate.bootstrap import Interval, percentile_interval, resample, resample_sums
from kdcore.evaluate.ranking import rank_classes, weighted_areas
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax

Floats = NDArray[np.float64]
OVERALL = (
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "weighted_f1",
    "mcc",
    "macro_auc",
    "macro_ap",
    "nll",
    "ece",
    "brier",
    "ece_mass",
)
LOWER_IS_BETTER = frozenset({"nll", "brier", "ece", "ece_mass"})
BY_CLASS = ("precision", "recall", "f1", "auc", "ap")
EXCESS = ("ece", "ece_mass")  # they exceed the truth by construction, see `bootstrap`


@dataclass(frozen=True)
class Headline:
    """The scores of `OVERALL` and `BY_CLASS`, with those of B resamples.

    Attributes
    ----------
    values : by name, (1,) or, of `BY_CLASS`, (1, C)
    resamples : by name, (B,) or (B, C)
    confusion : (C, C) counts, row the true class, column the decision
    """

    values: dict[str, Floats]
    resamples: dict[str, Floats]
    confusion: NDArray[np.int64]

    def interval(self, name: str, c: int | None = None) -> Interval:
        """Return a score with its percentile interval; `c` is the class of one in `BY_CLASS`."""
        value, resamples = self.pick(name, c)
        return percentile_interval(value, resamples, excess=name in EXCESS)

    def pick(self, name: str, c: int | None = None) -> tuple[float, Floats]:
        """Return a score and its resamples (B,); `c` is the class of one in `BY_CLASS`."""
        where = (...,) if c is None else (..., c)
        return float(self.values[name][where][0]), self.resamples[name][where]


def headline_scores(
    predictions: Predictions, temperature: float = 1.0, n_boot: int = 1000, seed: int = 0
) -> Headline:
    """Measure `predictions` and `n_boot` resamples of their lesions.

    Parameters
    ----------
    predictions : at least one image
    temperature : divides the logits before the softmax
    n_boot : resamples; none are drawn where there is only one lesion
    seed : of the resampling

    Raises
    ------
    DataError
        If there is no image.
    ValueError
        If the temperature is not positive or `n_boot` is negative.
    """
    if not len(predictions):
        raise DataError("There are no images to evaluate.", "Choose a split that has some.")
    probs = softmax(predictions.logits, temperature)
    sums = _image_sums(predictions, probs, temperature)  # (N, K)
    areas = partial(weighted_areas, rank_classes(probs, predictions.labels))
    n, classes = probs.shape
    values = _scores(sums.sum(0)[None], areas(np.ones((n, 1))), classes)
    drawn = predictions.group_ids, n_boot, seed
    resamples = _scores(resample_sums(sums, *drawn), resample(areas, *drawn), classes)
    confusion = sums[:, : classes**2].sum(0).reshape(classes, classes).astype(np.int64)
    return Headline(values, resamples, confusion)


def _image_sums(predictions: Predictions, probs: Floats, temperature: float) -> Floats:
    """Return per image what is summed: (N, C² + 2 + 2·BINS) confusion, NLL, Brier, gaps by bin."""
    labels, classes = predictions.labels.astype(np.int64), probs.shape[1]
    confidence, hits = calibration.confidence_and_hits(probs, labels)
    edges = calibration.width_edges(), calibration.mass_edges(confidence)
    gaps = [one_column(calibration.bin_index(confidence, e), len(e) - 1) for e in edges]
    return np.hstack(
        [
            one_column(labels * classes + probs.argmax(1), classes**2),
            calibration.nll_per_image(predictions.logits, labels, temperature)[:, None],
            calibration.brier_per_image(probs, labels)[:, None],
            *(gap * (confidence - hits)[:, None] for gap in gaps),
        ]
    )


def one_column(column: NDArray[np.int64], columns: int) -> Floats:
    """Return (N, `columns`) zeros with a one in the given `column` (N,) of each row."""
    out = np.zeros((len(column), columns))
    out[np.arange(len(column)), column] = 1.0
    return out


def _scores(totals: Floats, areas: Floats, classes: int) -> dict[str, Floats]:
    """Return every score of B samples from their sums (B, K) and areas (B, 2, C)."""
    counts = totals[:, : classes**2].reshape(-1, classes, classes)
    n = counts.sum((1, 2))
    log_loss, brier, *gaps = np.split(totals[:, classes**2 :], [1, 2, 2 + calibration.BINS], axis=1)
    return {
        "accuracy": scores.accuracy(counts),
        "balanced_accuracy": scores.balanced_accuracy(counts),
        "macro_f1": scores.macro_f1(counts),
        "weighted_f1": scores.weighted_f1(counts),
        "mcc": scores.mcc(counts),
        "macro_auc": scores.mean_of_defined(areas[:, 0]),
        "macro_ap": scores.mean_of_defined(areas[:, 1]),
        "nll": log_loss[:, 0] / n,
        "brier": brier[:, 0] / n,
        "ece": np.abs(gaps[0]).sum(1) / n,
        "ece_mass": np.abs(gaps[1]).sum(1) / n,
        "precision": scores.precision(counts),
        "recall": scores.recall(counts),
        "f1": scores.f1(counts),
        "auc": areas[:, 0],
        "ap": areas[:, 1],
    }
