"""Conformal prediction sets: enough classes to hold the right one as often as was asked for.

Sources: Vovk et al. 2005 (split and Mondrian conformal prediction), Sadinle et al. 2019 (LAC, the
score 1 − p). The p-values are those of the `crepes` package (Boström 2024), which takes scores as
they are, Mondrian categories and all. Conventions:

- A class is in the set if its p-value, (1 + validation scores at or above its own) / (1 + n), is
  above 1 − level; equally, if its score is at most the ⌈level · (n + 1)⌉-th smallest. Not
  smoothed, so there is no chance in it, and ties make sets larger.
- "lac" promises the level on average over images. "class-conditional" compares each class with
  its own validation images and promises it in every class; one with too few of them, fewer than
  level / (1 − level), is in every set.
- The promise is for exchangeable images. Validation and test are lesions drawn alike, but images
  of one lesion resemble each other, so it holds only roughly and for lesions like these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.base import check_labels, check_probs
from kdcore.evaluate.bootstrap import Interval, percentile_interval, resample_sums
from kdcore.evaluate.calibration import Floats
from kdcore.evaluate.held_out import refuse_other_weights
from kdcore.evaluate.scores import ratio
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax

METHODS = ("lac", "class-conditional")
LEVELS = (0.8, 0.9, 0.95)
_ROUNDING = 1e-9  # p-values are multiples of 1 / (n + 1); 1 − level is off by rounding


@dataclass(frozen=True)
class ConformalResult:
    """Prediction sets on test, and whether they keep their promise.

    Attributes
    ----------
    level : the coverage asked for
    method : one of `METHODS`
    temperature : what the logits were divided by
    classes : C names
    sets : (N, C) bool, whether the class is in the set of the image
    coverage : share of images whose set holds the right class
    by_class : the same among the images of each class, C of them; NaN for a class without images
    size : mean number of classes in a set
    singletons, empty : share of sets with one class, and with none
    """

    level: float
    method: str
    temperature: float
    classes: tuple[str, ...]
    sets: NDArray[np.bool_]
    coverage: Interval
    by_class: tuple[Interval, ...]
    size: Interval
    singletons: Interval
    empty: Interval


def conformal_sets(
    val: Predictions,
    test: Predictions,
    level: float = 0.9,
    method: str = "lac",
    temperature: float = 1.0,
    n_boot: int = 1000,
    seed: int = 0,
) -> ConformalResult:
    """Return prediction sets for `test`, calibrated on `val`, with intervals over test lesions.

    Parameters
    ----------
    val, test : predictions of the same weights on validation and test
    level : the coverage asked for, in (0, 1)
    method : "lac" or "class-conditional" (see the module)
    temperature : divides the logits before the softmax; it moves the order of scores over images
    n_boot, seed : of the bootstrap by lesion

    Raises
    ------
    DataError
        If one of them has no image, they are of different weights or classes, or share an image.
    ValueError
        If there is no such method, or the level is outside (0, 1).
    """
    refuse_other_weights(val, test)
    before, after = (softmax(part.logits, temperature) for part in (val, test))
    sets = prediction_sets(before, val.labels, after, level, method)
    sums = _image_sums(sets, test.labels)
    whole = _statistics(sums.sum(0)[None])[0]
    drawn = _statistics(resample_sums(sums, test.group_ids, n_boot, seed))
    found = [percentile_interval(float(v), drawn[:, k]) for k, v in enumerate(whole)]
    coverage, size, singletons, empty, *by_class = found
    return ConformalResult(
        level,
        method,
        temperature,
        test.classes,
        sets,
        coverage,
        tuple(by_class),
        size,
        singletons,
        empty,
    )


def prediction_sets(
    val_probs: ArrayLike, val_labels: ArrayLike, probs: ArrayLike, level: float, method: str
) -> NDArray[np.bool_]:
    """Return whether each class is in the set of each image, (N, C).

    Parameters
    ----------
    val_probs : (M, C) on validation, M >= 1
    val_labels : (M,) in [0, C)
    probs : (N, C) of the images that sets are made for
    level, method : as in `conformal_sets`
    """
    before, after = check_probs(val_probs), check_probs(probs)
    truth = check_labels(val_labels, *before.shape)
    if method not in METHODS:
        raise ValueError(f"method: expected one of {METHODS}, got {method!r}")
    if not 0 < level < 1:
        raise ValueError(f"level: expected a share in (0, 1), got {level}")
    if before.shape[1] != after.shape[1]:
        raise ValueError(f"probs: expected {before.shape[1]} classes, got {after.shape[1]}")
    conditional = method == "class-conditional"
    p_values = _p_values(1 - before[np.arange(len(truth)), truth], truth, 1 - after, conditional)
    return p_values > 1 - level + _ROUNDING


def _p_values(
    val_scores: Floats, val_labels: NDArray[np.int64], scores: Floats, conditional: bool
) -> Floats:
    """Return the p-value of each class of each image, (N, C)."""
    from crepes import ConformalClassifier  # a second of import that pages do without

    categories = np.tile(np.arange(scores.shape[1]), len(scores))  # those of scores.ravel()
    fitted = ConformalClassifier().fit(val_scores, bins=val_labels if conditional else None)
    asked = categories if conditional else None
    return fitted.predict_p(scores.ravel(), bins=asked, smoothing=False).reshape(scores.shape)


def _image_sums(sets: NDArray[np.bool_], labels: NDArray[np.int64]) -> Floats:
    """Return per image (N, 5 + 2 C): 1, held, size, one, none; held by class, and the class."""
    held, size = sets[np.arange(len(labels)), labels], sets.sum(1)
    member = np.eye(sets.shape[1])[labels]
    overall = np.stack([np.ones(len(labels)), held, size, size == 1, size == 0], axis=1)
    return np.hstack([overall, member * held[:, None], member])


def _statistics(totals: Floats) -> Floats:
    """Return coverage, size, singletons, empty and the coverage of each class, (B, 4 + C)."""
    held, member = np.split(totals[:, 5:], 2, axis=1)
    return np.hstack([totals[:, 1:5] / totals[:, :1], ratio(held, member)])
