"""What each calibrator, fitted on validation, does to the probabilities on test.

Intervals are clustered by lesion (see `bootstrap`), with the same draws for every calibrator, and
speak of other test images: the calibrators themselves are not fitted anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kdcore.base import DataError
from kdcore.evaluate import scores
from kdcore.evaluate.align import align
from kdcore.evaluate.bootstrap import (
    Interval,
    difference_interval,
    percentile_interval,
    resample_sums,
)
from kdcore.evaluate.calibration import (
    BINS,
    Floats,
    bin_index,
    brier_per_image,
    confidence_and_hits,
    mass_edges,
    width_edges,
)
from kdcore.evaluate.calibrators import AS_TRAINED, Calibrator, fit_calibrators
from kdcore.evaluate.held_out import refuse_other_weights
from kdcore.evaluate.miscalibration import classwise_ece, debiased_ece, mce
from kdcore.predict import Predictions

_SUMS = 2 + 2 * BINS  # NLL, Brier, gaps by equal-width and by equal-mass bin
DELTAS = ("nll", "brier", "ece", "ece_mass")
_SMALLEST = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class CalibrationRow:
    """One calibrator on test.

    Attributes
    ----------
    name, title : of the calibrator
    nll : mean, in nats; a probability that underflowed to 0 counts as 708 nats
    brier : mean, in [0, 2]
    ece, ece_mass : with 15 bins of equal width and of equal mass
    debiased_ece : root mean square with 15 equal-mass bins, less its bias
    classwise_ece, mce : with 15 equal-width bins
    accuracy, macro_f1 : of the decisions, which vector and isotonic may change
    """

    name: str
    title: str
    nll: Interval
    brier: Interval
    ece: Interval
    ece_mass: Interval
    debiased_ece: float
    classwise_ece: float
    mce: float
    accuracy: float
    macro_f1: float


def calibrators_for(val: Predictions | None, test: Predictions) -> tuple[Calibrator, ...]:
    """Return the calibrators for `test`, fitted on `val` of the same weights.

    Without `val` there is the identity alone.

    Raises
    ------
    DataError
        If one of them has no image, they are of different weights or classes, or share an image.
    """
    if val is not None:
        refuse_other_weights(val, test)
        return fit_calibrators(val)
    if not len(test):
        raise DataError("There are no images to measure.", "Choose predictions that have some.")
    return (AS_TRAINED,)


def calibration_table(
    val: Predictions | None, test: Predictions, n_boot: int = 1000, seed: int = 0
) -> tuple[CalibrationRow, ...]:
    """Return one row for each calibrator, "as trained" first.

    Parameters
    ----------
    val : predictions on the validation part, which the calibrators are fitted on; without them
        there is one row
    test : predictions of the same weights on the test part, which is measured, N >= 1
    n_boot, seed : of the bootstrap; no resamples leave the intervals NaN

    Raises
    ------
    DataError
        If one of them has no image, they are of different weights or classes, or share an image.
    """
    calibrators = calibrators_for(val, test)
    applied = [calibrator.apply(test.logits) for calibrator in calibrators]
    sums = np.hstack([_image_sums(probs, test.labels) for probs in applied])  # (N, calibrators · K)
    counted = np.hstack([sums, np.ones((len(test), 1))])
    whole = _statistics(counted.sum(0)[None], len(applied))[0]
    drawn = _statistics(resample_sums(counted, test.group_ids, n_boot, seed), len(applied))
    return tuple(
        _row(calibrator, probs, test.labels, whole[k], drawn[:, k])
        for k, (calibrator, probs) in enumerate(zip(calibrators, applied, strict=True))
    )


def calibration_deltas(
    first: tuple[Predictions, Calibrator],
    second: tuple[Predictions, Calibrator],
    n_boot: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return by how much the second's NLL, Brier score and ECEs exceed the first's.

    The same lesions are drawn for both. The intervals of the ECEs are moved by their bias, see
    `bootstrap.difference_interval`.

    Parameters
    ----------
    first, second : predictions on the same images, in any order, each with what calibrates it
    n_boot, seed : of the bootstrap; no resamples leave the intervals NaN

    Returns
    -------
    By the names of `DELTAS`; below 0 the second is better

    Raises
    ------
    DataError
        If `align` finds that the images, labels, lesions or classes differ.
    """
    tests = align(first[0], second[0])
    sums = [
        _image_sums(calibrator.apply(test.logits), test.labels)
        for test, (_, calibrator) in zip(tests, (first, second), strict=True)
    ]
    counted = np.hstack([*sums, np.ones((len(tests[0]), 1))])
    whole = _statistics(counted.sum(0)[None], 2)[0]  # (2, 4)
    drawn = _statistics(resample_sums(counted, tests[0].group_ids, n_boot, seed), 2)
    values, resamples = whole[1] - whole[0], drawn[:, 1] - drawn[:, 0]
    return {
        name: (difference_interval if k >= 2 else percentile_interval)(
            float(values[k]), resamples[:, k]
        )
        for k, name in enumerate(DELTAS)
    }


def _image_sums(probs: Floats, labels: ArrayLike) -> Floats:
    """Return per image what is summed, (N, 2 + 2 · BINS)."""
    truth = np.asarray(labels)
    confidence, hits = confidence_and_hits(probs, truth)
    log_loss = -np.log(np.maximum(probs[np.arange(len(truth)), truth], _SMALLEST))
    edges = width_edges(), mass_edges(confidence)
    gaps = [np.eye(BINS)[bin_index(confidence, e)] * (confidence - hits)[:, None] for e in edges]
    return np.hstack([log_loss[:, None], brier_per_image(probs, truth)[:, None], *gaps])


def _statistics(totals: Floats, calibrators: int) -> Floats:
    """Return NLL, Brier, ECE and ECE by mass of each calibrator, (B, calibrators, 4)."""
    means = (totals[:, :-1] / totals[:, -1:]).reshape(len(totals), calibrators, _SUMS)
    plain, width, mass = np.split(means, [2, 2 + BINS], axis=2)
    gaps = (np.abs(part).sum(2, keepdims=True) for part in (width, mass))
    return np.concatenate([plain, *gaps], axis=2)


def _row(
    calibrator: Calibrator, probs: Floats, labels: ArrayLike, values: Floats, resamples: Floats
) -> CalibrationRow:
    nll, brier, ece, ece_mass = (
        percentile_interval(float(value), resamples[:, k], excess=k >= 2)
        for k, value in enumerate(values)
    )
    counts = scores.confusion_matrix(labels, probs.argmax(1), probs.shape[1])
    return CalibrationRow(
        calibrator.name,
        calibrator.title,
        nll,
        brier,
        ece,
        ece_mass,
        debiased_ece=debiased_ece(probs, labels),
        classwise_ece=classwise_ece(probs, labels),
        mce=mce(probs, labels),
        accuracy=float(scores.accuracy(counts)),
        macro_f1=float(scores.macro_f1(counts)),
    )
