"""An alarm for one class: raised where its probability reaches τ, which validation chooses.

Sources: Youden 1950 (sensitivity + specificity − 1), Provost & Fawcett 2001 (choosing a point of
the ROC curve). Only probabilities that occur on validation are tried as τ; of equally good ones
the highest is taken, which raises the fewest alarms. Intervals on test are over lesions at that
τ: what another validation part would have chosen is not in them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.base import DataError
from kdcore.data.info import MELANOMA
from kdcore.evaluate.bootstrap import Interval, percentile_interval, resample_sums
from kdcore.evaluate.calibration import Floats
from kdcore.evaluate.held_out import refuse_other_weights
from kdcore.evaluate.scores import ratio
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax

RULES = ("sensitivity", "f1", "youden")


@dataclass(frozen=True)
class AlarmScores:
    """How an alarm did on one part; NaN where nothing of the kind was there.

    Attributes
    ----------
    sensitivity : share of the class that raised the alarm
    specificity : share of the rest that did not
    ppv : share of alarms that were the class
    npv : share of silent images that were not
    alarms : share of images that raised it
    """

    sensitivity: Interval
    specificity: Interval
    ppv: Interval
    npv: Interval
    alarms: Interval


@dataclass(frozen=True)
class Alarm:
    """A threshold on the probability of one class, and what it does.

    Attributes
    ----------
    positive : the class
    rule : how τ was chosen, one of `RULES`
    target : the sensitivity asked for; NaN under another rule
    tau : alarm where the probability is at or above it
    val, test : how it did where τ was chosen, and on new images
    """

    positive: str
    rule: str
    target: float
    tau: float
    val: AlarmScores
    test: AlarmScores


def choose_alarm(
    val: Predictions,
    test: Predictions,
    positive: str = MELANOMA,
    rule: str = "sensitivity",
    target: float = 0.9,
    temperature: float = 1.0,
    n_boot: int = 1000,
    seed: int = 0,
) -> Alarm:
    """Choose τ on `val` and measure the alarm on both parts.

    Parameters
    ----------
    val, test : predictions of the same weights on validation and test
    positive : the class
    rule : "sensitivity" for the highest τ that reaches `target` on validation; "f1" or "youden"
        for the τ with the highest F1 or Youden index there
    target : in (0, 1]
    temperature : divides the logits before the softmax
    n_boot, seed : of the bootstrap by lesion

    Raises
    ------
    DataError
        If the predictions do not belong together, or no validation image is of the class.
    ValueError
        If the class, rule or target is not one that there is.
    """
    refuse_other_weights(val, test)
    c = class_index(val.classes, positive)
    chances = [softmax(part.logits, temperature)[:, c] for part in (val, test)]
    members = [part.labels == c for part in (val, test)]
    tau = alarm_threshold(chances[0], members[0], rule, target)
    measured = [
        _measure(chance >= tau, member, part.group_ids, n_boot, seed)
        for chance, member, part in zip(chances, members, (val, test), strict=True)
    ]
    return Alarm(positive, rule, target if rule == "sensitivity" else np.nan, tau, *measured)


def alarm_threshold(
    chance: ArrayLike, member: ArrayLike, rule: str = "sensitivity", target: float = 0.9
) -> float:
    """Return the τ that `rule` chooses.

    Parameters
    ----------
    chance : (N,), the probability of the class
    member : (N,) bool, whether the image is of the class
    rule, target : as in `choose_alarm`

    Raises
    ------
    DataError
        If no image is of the class.
    ValueError
        If there is no such rule, or `target` is outside (0, 1].
    """
    values, truth = np.asarray(chance, dtype=np.float64), np.asarray(member, dtype=bool)
    if rule not in RULES:
        raise ValueError(f"rule: expected one of {RULES}, got {rule!r}")
    if not 0 < target <= 1:
        raise ValueError(f"target: expected a sensitivity in (0, 1], got {target}")
    if not truth.any():
        raise DataError(
            "No validation image is of the class, so no threshold can be chosen.",
            "Choose a class that the validation part has.",
        )
    taus = np.unique(values)
    hits, others = (_at_or_above(values[part], taus) for part in (truth, ~truth))
    sensitivity = hits / truth.sum()
    merit = {
        "sensitivity": np.minimum(sensitivity, target - 1e-12),  # all that reach it are equal
        "f1": 2 * hits / (truth.sum() + hits + others),
        "youden": sensitivity - others / max(int((~truth).sum()), 1),
    }[rule]
    return float(taus[np.flatnonzero(merit >= merit.max() - 1e-12)[-1]])


def class_index(classes: tuple[str, ...], name: str) -> int:
    """Return where `name` stands in `classes`; raises ValueError if it does not."""
    if name not in classes:
        raise ValueError(f"positive: expected one of {', '.join(classes)}, got {name!r}")
    return classes.index(name)


def _at_or_above(values: Floats, taus: Floats) -> NDArray[np.int64]:
    return len(values) - np.searchsorted(np.sort(values), taus, side="left")


def _measure(
    alarm: NDArray[np.bool_],
    member: NDArray[np.bool_],
    group_ids: ArrayLike,
    n_boot: int,
    seed: int,
) -> AlarmScores:
    sums = np.eye(4)[2 * member + alarm]  # (N, 4): true negative, false alarm, miss, hit
    whole = _rates(sums.sum(0)[None])[:, 0]
    drawn = _rates(resample_sums(sums, group_ids, n_boot, seed))
    return AlarmScores(*(percentile_interval(float(v), d) for v, d in zip(whole, drawn)))


def _rates(totals: Floats) -> Floats:
    """Return the five scores of each sample, (5, B), from its counts (B, 4)."""
    silent, false, missed, hit = totals.T
    return np.stack(
        [
            ratio(hit, hit + missed),
            ratio(silent, silent + false),
            ratio(hit, hit + false),
            ratio(silent, silent + missed),
            ratio(hit + false, totals.sum(1)),
        ]
    )
