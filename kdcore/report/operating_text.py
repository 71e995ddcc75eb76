"""What operating points come to, in sentences for people who did not make them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from kdcore.base.words import capitalised, percent
from kdcore.data import HAM10000
from kdcore.evaluate import (
    Alarm,
    ClassWeights,
    ConformalResult,
    DecisionCurve,
    Interval,
    PairedScore,
    RiskCoverage,
)
from kdcore.predict import Predictions
from kdcore.report.cells import number, percent_text, signed_text
from kdcore.report.operating import SCORES

RULES = {
    "80": "80 % sensitivity",
    "90": "90 % sensitivity",
    "95": "95 % sensitivity",
    "f1": "Best F1",
    "youden": "Youden",
}
_SPOKEN = dict(zip(HAM10000.classes, HAM10000.long_names, strict=True))


def spoken(name: str) -> str:
    """Return a class in words, "melanoma" for "mel"; as it is where it is not a known code."""
    return _SPOKEN.get(name, name)


def alarm_rule(name: str) -> dict[str, Any]:
    """Return the options of `choose_alarm` for a name of `RULES`."""
    if name.isdigit():
        return {"rule": "sensitivity", "target": int(name) / 100}
    return {"rule": name}


def alarm_text(alarm: Alarm) -> str:
    """Return the four cells of test in words, counted from 100."""
    test, kind = alarm.test, spoken(alarm.positive)
    if math.isnan(test.sensitivity.value):
        return f"No test image is of {kind}, so what the alarm misses can't be said."
    return (
        f"Of 100 images of **{kind}** it raises the alarm for **{_hundred(test.sensitivity)}**, "
        f"and for **{_hundred(_rest(test.specificity))}** of 100 others. Of 100 alarms "
        f"{_hundred(test.ppv)} are {kind}; of 100 images without one {_hundred(test.npv)} are not."
    )


def missed_target_text(alarm: Alarm) -> str:
    """Return by how much test falls short of the sensitivity asked for; "" where it does not."""
    reached = alarm.test.sensitivity
    if not reached.value < alarm.target:  # NaN: another rule, or nothing to find
        return ""
    head = (
        f"Asked for a sensitivity of {percent(alarm.target)}, the threshold reaches "
        f"{percent(alarm.val.sensitivity.value, 1)} on validation, but "
        f"{percent_text(reached, 1)} on test."
    )
    if reached.high < alarm.target:
        return (
            f"{head} The whole interval lies below the target. It takes the threshold as given, "
            "which validation chose from few cases: don't rely on the target."
        )
    return f"{head} That is less than was asked for, if within what chance does."


def weights_text(found: ClassWeights) -> str:
    """Return what the weights did to the macro-F1 on validation, and to each score on test."""
    if not found.val_changed > found.val_plain:
        return "On validation no weights are better than none, so decisions stay as they are."
    moved = "; ".join(_moved(s) for s in found.scores)
    return (
        f"On validation, where they were chosen, the weights raise the macro-F1 from "
        f"{number(found.val_plain)} to {number(found.val_changed)}. On test: {moved}."
    )


def risk_text(curve: RiskCoverage, left: float) -> str:
    """Return what leaving the least sure share `left`, in (0, 1), to a human does to the error."""
    before, after = curve.risk_at(1), curve.risk_at(1 - left)
    does = "lowers" if after < before else "does not lower"
    return (
        f"Leaving the least sure {percent(left)} to a human {does} the error of the others "
        f"from {percent(before, 1)} to {percent(after, 1)}."
    )


def benefit_text(curve: DecisionCurve, threshold: float) -> str:
    """Return the net benefit at the curve's threshold nearest to `threshold`, for 1,000 images."""
    k = int(np.abs(curve.thresholds - threshold).argmin())
    t, kind = float(curve.thresholds[k]), spoken(curve.positive)
    gain = Interval(
        *(1000 * float(v[k]) for v in (curve.gain.value, curve.gain.low, curve.gain.high))
    )
    model, everyone = (1000 * float(band.value[k]) for band in (curve.model, curve.treat_all))
    return (
        f"Acting from a probability of {percent(t)} on says that one {kind} found is worth "
        f"{(1 - t) / t:.3g} false alarms. In 1,000 images the model is then worth {model:.0f} "
        f"found without a false alarm, acting on all {everyone:.0f}, acting on none 0. Against "
        f"the better of these two that is {signed_text(gain, 1)}: {_verdict(gain)}."
    ).replace("-", "−")


def sets_text(found: ConformalResult) -> str:
    """Return whether sets keep their promise on test, how large they are, and where they fail."""
    lowest = min(
        zip(found.classes, found.by_class, strict=True),
        key=lambda pair: math.inf if math.isnan(pair[1].value) else pair[1].value,
    )
    return (
        f"Asked to hold the right answer in {percent(found.level)} of cases, the sets did in "
        f"{percent_text(found.coverage, 1)} of the test images. They have "
        f"{number(found.size.value, 2)} of {len(found.classes)} classes on average, and "
        f"{percent_text(found.singletons)} hold a single one. Worst served is {spoken(lowest[0])}: "
        f"{percent_text(lowest[1])}."
    )


def parts_note(parts: Mapping[str, Predictions], resamples: int, seed: int = 0) -> str:
    """Return what figures are of: part, images and lesions of each model, how intervals are made.

    Parameters
    ----------
    parts : the predictions by model, at least one
    resamples, seed : of the bootstrap by lesion
    """
    sizes = {
        name: f"{p.split} part, n = {len(p):,} images of {len(set(p.group_ids)):,} lesions"
        for name, p in parts.items()
    }
    same = len(set(sizes.values())) == 1
    each = [next(iter(sizes.values()))] if same else [f"{n}: {text}" for n, text in sizes.items()]
    of = "; ".join(each)
    return (
        f"{capitalised(of)}. Intervals: 95 % percentile bootstrap of {resamples:,} resamples "
        f"of lesions (seed {seed})."
    )


def _hundred(share: Interval) -> str:
    return percent_text(share).replace(" %", "")


def _rest(share: Interval) -> Interval:
    return Interval(1 - share.value, 1 - share.high, 1 - share.low)


def _moved(score: PairedScore) -> str:
    return f"{SCORES[score.name]} {signed_text(score.difference)} ({_verdict(score.difference)})"


def _verdict(difference: Interval) -> str:
    if difference.low > 0:
        return "better"
    return "worse" if difference.high < 0 else "not clearly better or worse"
