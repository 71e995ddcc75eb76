"""Everything measured on one set of predictions, with intervals clustered by lesion.

All but the AUC are functions of sums over images, so images are summed by lesion once and each
resample of the bootstrap is one row of a matrix product.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError
from kdcore.evaluate import calibration, scores
from kdcore.evaluate.bootstrap import (
    Interval,
    draw_groups,
    index_groups,
    percentile_interval,
    sum_by_group,
)
from kdcore.evaluate.ranking import Ranking, rank_classes, weighted_auc
from kdcore.predict.predictions import Predictions
from kdcore.predict.probabilities import softmax

Floats = NDArray[np.float64]
OVERALL = (
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "macro_auc",
    "nll",
    "ece",
    "brier",
    "ece_mass",
)
BY_CLASS = ("precision", "recall", "f1", "auc")
_EXCESS = ("ece", "ece_mass")


@dataclass(frozen=True)
class ClassRow:
    """One row of the table per class: `support` images, and each score with its interval."""

    name: str
    support: int
    precision: Interval
    recall: Interval
    f1: Interval
    auc: Interval

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        row: dict[str, Any] = {"class": self.name, "support": self.support}
        return row | {name: getattr(self, name).as_dict() for name in BY_CLASS}


@dataclass(frozen=True)
class Evaluation:
    """What one checkpoint reached on one split.

    Attributes
    ----------
    n, n_groups : images, and lesions they show
    metrics : the scores of `OVERALL`; macro means run over the classes that have images
    per_class : one row for each class, in logit order, those without images too
    confusion : (C, C) counts, row the true class, column the decision
    temperature : what the logits were divided by before the softmax
    n_boot, seed : of the bootstrap
    checkpoint, checkpoint_hash, split, corruption : what was measured
    """

    n: int
    n_groups: int
    metrics: Mapping[str, Interval]
    per_class: tuple[ClassRow, ...]
    confusion: NDArray[np.int64]
    temperature: float
    n_boot: int
    seed: int
    checkpoint: str = ""
    checkpoint_hash: str = ""
    split: str = ""
    corruption: str = "clean"

    @property
    def interval_method(self) -> str:
        """How the intervals were made, one sentence."""
        if self.n_boot == 0 or self.n_groups < 2:
            return "none: an interval needs resamples and at least two lesions"
        return (
            f"95 % percentile bootstrap of {self.n_boot} resamples of {self.n_groups} lesions "
            f"(seed {self.seed}); that of the ECE is lowered by its upward bias"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON; a number that is not defined is None."""
        head = {
            "checkpoint": self.checkpoint,
            "checkpoint_hash": self.checkpoint_hash,
            "split": self.split,
            "corruption": self.corruption,
            "n": self.n,
            "n_groups": self.n_groups,
        }
        tail = {
            "per_class": [row.as_dict() for row in self.per_class],
            "classes": [row.name for row in self.per_class],
            "confusion": self.confusion.tolist(),
            "temperature": self.temperature,
            "n_boot": self.n_boot,
            "seed": self.seed,
            "interval": self.interval_method,
        }
        return head | {name: value.as_dict() for name, value in self.metrics.items()} | tail


def evaluate_predictions(
    predictions: Predictions, temperature: float = 1.0, n_boot: int = 1000, seed: int = 0
) -> Evaluation:
    """Measure `predictions`, with 95 % intervals from resampling lesions.

    Parameters
    ----------
    predictions : at least one image
    temperature : divides the logits before the softmax; a fitted one calibrates
    n_boot : resamples; 0 leaves the intervals NaN
    seed : of the resampling

    Notes
    -----
    Macro means run over the classes that have images, in each resample anew, so a rare class
    that no drawn lesion shows is left out of that resample. The AUC is one class against the
    rest on the probabilities at `temperature`. Bins of equal mass keep the data's own edges in
    every resample. With a single lesion there is nothing to resample and intervals are NaN.

    Raises
    ------
    DataError
        If there is no image.
    ValueError
        If the temperature is not positive or `n_boot` is negative.
    """
    if not len(predictions):
        raise DataError("There are no images to evaluate.", "Choose a split that has some.")
    if n_boot < 0:
        raise ValueError(f"n_boot: expected 0 or more, got {n_boot}")
    probs = softmax(predictions.logits, temperature)
    sums = _image_sums(predictions, probs, temperature)  # (N, K)
    rankings = rank_classes(probs, predictions.labels)
    classes = len(predictions.classes)
    whole = _statistics(sums.sum(0)[None], weighted_auc(rankings, np.ones((len(sums), 1))), classes)
    index, groups = index_groups(predictions.group_ids)
    drawn = _resample(sums, rankings, index, groups, n_boot if groups > 1 else 0, seed)
    resampled = _statistics(*drawn, classes)
    confusion = sums[:, : classes**2].sum(0).reshape(classes, classes).astype(np.int64)
    return Evaluation(
        n=len(predictions),
        n_groups=groups,
        metrics={k: _interval(k, whole[k][0], resampled[k]) for k in OVERALL},
        per_class=_rows(predictions.classes, confusion, whole, resampled),
        confusion=confusion,
        temperature=float(temperature),
        n_boot=n_boot,
        seed=seed,
        checkpoint=predictions.checkpoint,
        checkpoint_hash=predictions.checkpoint_hash,
        split=predictions.split,
        corruption=predictions.corruption,
    )


def _image_sums(predictions: Predictions, probs: Floats, temperature: float) -> Floats:
    """Return per image what is summed: (N, C² + 2 + 2·BINS) confusion, NLL, Brier, gaps by bin."""
    labels, classes = predictions.labels.astype(np.int64), probs.shape[1]
    confidence, hits = calibration.confidence_and_hits(probs, labels)
    edges = calibration.width_edges(), calibration.mass_edges(confidence)
    gaps = [_one_column(calibration.bin_index(confidence, e), len(e) - 1) for e in edges]
    return np.hstack(
        [
            _one_column(labels * classes + probs.argmax(1), classes**2),
            calibration.nll_per_image(predictions.logits, labels, temperature)[:, None],
            calibration.brier_per_image(probs, labels)[:, None],
            *(gap * (confidence - hits)[:, None] for gap in gaps),
        ]
    )


def _one_column(column: NDArray[np.int64], columns: int) -> Floats:
    out = np.zeros((len(column), columns))
    out[np.arange(len(column)), column] = 1.0
    return out


def _resample(
    sums: Floats,
    rankings: tuple[Ranking, ...],
    index: NDArray[np.int64],
    groups: int,
    n_boot: int,
    seed: int,
) -> tuple[Floats, Floats]:
    """Return the sums (B, K) and the AUCs (B, C) of every resample."""
    by_group = sum_by_group(sums, index, groups)  # (G, K)
    totals, aucs = [np.empty((0, sums.shape[1]))], [np.empty((0, len(rankings)))]
    for counts in draw_groups(groups, n_boot, seed):  # (b, G)
        totals.append(counts @ by_group)
        aucs.append(weighted_auc(rankings, np.ascontiguousarray(counts.T)[index]))
    return np.concatenate(totals), np.concatenate(aucs)


def _statistics(totals: Floats, aucs: Floats, classes: int) -> dict[str, Floats]:
    """Return every score of B samples from their sums (B, K) and AUCs (B, C)."""
    counts = totals[:, : classes**2].reshape(-1, classes, classes)
    n = counts.sum((1, 2))
    log_loss, brier, *gaps = np.split(totals[:, classes**2 :], [1, 2, 2 + calibration.BINS], axis=1)
    return {
        "accuracy": scores.accuracy(counts),
        "balanced_accuracy": scores.balanced_accuracy(counts),
        "macro_f1": scores.macro_f1(counts),
        "macro_auc": scores.mean_of_defined(aucs),
        "nll": log_loss[:, 0] / n,
        "brier": brier[:, 0] / n,
        "ece": np.abs(gaps[0]).sum(1) / n,
        "ece_mass": np.abs(gaps[1]).sum(1) / n,
        "precision": scores.precision(counts),
        "recall": scores.recall(counts),
        "f1": scores.f1(counts),
        "auc": aucs,
    }


def _interval(name: str, value: float, resamples: Floats) -> Interval:
    return percentile_interval(float(value), resamples, excess=name in _EXCESS)


def _rows(
    names: tuple[str, ...],
    confusion: NDArray[np.int64],
    whole: dict[str, Floats],
    resampled: dict[str, Floats],
) -> tuple[ClassRow, ...]:
    return tuple(
        ClassRow(
            name=name,
            support=int(confusion[c].sum()),
            **{k: _interval(k, whole[k][0, c], resampled[k][:, c]) for k in BY_CLASS},
        )
        for c, name in enumerate(names)
    )
