"""One class found among all others: sensitivity at a specificity, and the other way round.

An image is flagged where its probability of the class is at or above a threshold; any number may
be the threshold. The sensitivity at specificity s is the largest over the thresholds whose
specificity is at least s, and the specificity at sensitivity s the largest over those whose
sensitivity is at least s: points that are reached on these images, nothing interpolated. Images
of equal probability are flagged together. Each resample chooses its thresholds anew, so the
intervals speak of the curve, not of one fixed threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError
from kdcore.data.info import MELANOMA
from kdcore.evaluate.bootstrap import Interval, percentile_interval, resample
from kdcore.evaluate.ranking import Ranking, Sweep, auc, rank_classes, sweep
from kdcore.evaluate.scores import ratio
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax

Floats = NDArray[np.float64]
TARGETS = (0.80, 0.90, 0.95)
_SLACK = 1e-9  # of an image: 0.8 · n is not always the nearest double to a whole number


@dataclass(frozen=True)
class Detection:
    """How well one class is told from all others.

    Attributes
    ----------
    class_name : the class that is looked for
    positives, negatives : images of it, and of all others
    sensitivity_at : by the specificity that is kept, `TARGETS`
    specificity_at : by the sensitivity that is kept
    auc : area under the ROC curve
    """

    class_name: str
    positives: int
    negatives: int
    sensitivity_at: Mapping[float, Interval]
    specificity_at: Mapping[float, Interval]
    auc: Interval

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON; a number that is not defined is None."""
        tables = {
            name: {f"{target:g}": value.as_dict() for target, value in table.items()}
            for name, table in (
                ("sensitivity_at", self.sensitivity_at),
                ("specificity_at", self.specificity_at),
            )
        }
        counts = {"positives": self.positives, "negatives": self.negatives}
        return {"class": self.class_name, **counts, **tables, "auc": self.auc.as_dict()}


def detection(
    predictions: Predictions,
    class_name: str = MELANOMA,
    temperature: float = 1.0,
    n_boot: int = 1000,
    seed: int = 0,
) -> Detection:
    """Measure how one class is found, with 95 % intervals from resampling lesions.

    Parameters
    ----------
    predictions : (N, C); without images of the class, or of others, everything is NaN
    class_name : one of the classes of `predictions`
    temperature : divides the logits; it can reorder images where there are more than two classes
    n_boot : resamples; 0 leaves the intervals NaN
    seed : of the resampling

    Raises
    ------
    DataError
        If there is no image.
    ValueError
        If there is no such class, the temperature is not positive, or `n_boot` is negative.
    """
    if class_name not in predictions.classes:
        known = ", ".join(predictions.classes)
        raise ValueError(f"class_name: expected one of {known}, got {class_name!r}")
    if not len(predictions):
        raise DataError("There are no images to evaluate.", "Choose a split that has some.")
    probs, c = softmax(predictions.logits, temperature), predictions.classes.index(class_name)
    points = partial(_points, rank_classes(probs, predictions.labels)[c])
    value = points(np.ones((len(predictions), 1)))[0]
    drawn = resample(points, predictions.group_ids, n_boot, seed)
    found = [percentile_interval(v, r) for v, r in zip(value, drawn.T)]
    positives, targets = int((predictions.labels == c).sum()), len(TARGETS)
    return Detection(
        class_name=class_name,
        positives=positives,
        negatives=len(predictions) - positives,
        sensitivity_at=dict(zip(TARGETS, found[:targets])),
        specificity_at=dict(zip(TARGETS, found[targets:-1])),
        auc=found[-1],
    )


def _points(ranking: Ranking, weights: Floats) -> Floats:
    """Return sensitivities, specificities and AUC under each of `weights` (N, B), (B, 2T + 1)."""
    swept = sweep(ranking, weights)
    sensitivities = [sensitivity_at(swept, target) for target in TARGETS]
    return np.stack([*sensitivities, *(specificity_at(swept, t) for t in TARGETS), auc(swept)], 1)


def sensitivity_at(swept: Sweep, specificity: float) -> Floats:
    """Return the largest sensitivity whose specificity is at least `specificity`, (B,).

    It changes only at the scores of the class's own images, so these are all the thresholds that
    matter. NaN where the class or the rest is absent.
    """
    allowed = swept.below >= specificity * swept.negatives - _SLACK  # (P, B)
    found = ratio(np.where(allowed, swept.hits, 0.0).max(0, initial=0.0), swept.positives)
    return np.where(swept.negatives > 0, found, np.nan)


def specificity_at(swept: Sweep, sensitivity: float) -> Floats:
    """Return the largest specificity whose sensitivity is at least `sensitivity`, (B,).

    Between two images of the class the higher threshold flags no more of the others, so the
    scores of the class's own images are again all that matter. NaN as `sensitivity_at`.
    """
    allowed = swept.hits >= sensitivity * swept.positives - _SLACK  # (P, B)
    found = ratio(np.where(allowed, swept.below, 0.0).max(0, initial=0.0), swept.negatives)
    return np.where(swept.positives > 0, found, np.nan)
