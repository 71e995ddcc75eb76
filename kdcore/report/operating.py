"""Tables of operating points: weights, rejection, alarms, decision curves and prediction sets.

Each is a list of rows, the first of them its head, for a page's table and for `csv_text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kdcore.base.words import percent
from kdcore.evaluate import (
    Alarm,
    ClassWeights,
    ConformalResult,
    DecisionCurve,
    PairedScore,
    Rejection,
    RiskCoverage,
)
from kdcore.report.cells import Rows, interval_text, number
from kdcore.report.tables import TITLES

_COVERAGES = (0.5, 0.8, 0.9, 1.0)
SCORES = {name: TITLES[name] for name in ("accuracy", "balanced_accuracy", "macro_f1")}
_ALARM_SCORES = ("sensitivity", "specificity", "ppv", "npv", "alarms")


def weight_rows(found: ClassWeights) -> Rows:
    """Return one row for each class: what its probability is multiplied by."""
    body: Rows = [
        [name, round(float(weight), 4)]
        for name, weight in zip(found.classes, found.weights, strict=True)
    ]
    return [["class", "weight"], *body]


def paired_rows(scores: Iterable[PairedScore], changed: str) -> Rows:
    """Return one row for each score: plain argmax, the rule called `changed`, the difference."""
    body: Rows = [
        [SCORES[s.name], *(interval_text(v) for v in (s.plain, s.changed, s.difference))]
        for s in scores
    ]
    return [["score", "argmax", changed, "difference"], *body]


def rejection_text(found: Rejection) -> str:
    """Return what a threshold on the confidence does to the macro-F1, in three sentences."""
    first = (
        f"Counted as one more class with F1 0, rejected images make τ = {found.tau_as_class:.3f} "
        "the best threshold for the macro-F1 on validation."
    )
    if found.tau == 0:
        return f"{first} Counted as misses, they leave it at 0 too: every image gets a decision."
    gain = next(s.difference for s in found.scores if s.name == "macro_f1")
    return (
        f"{first} Counted as misses, they make it {found.tau:.3f} (macro-F1 on validation "
        f"{number(found.val_plain)} to {number(found.val_changed)}). On test that decides on a "
        f"share of {interval_text(found.coverage)} and moves the macro-F1 by "
        f"{interval_text(gain)}."
    )


def alarm_rows(alarms: Iterable[Alarm]) -> Rows:
    """Return one row for each alarm: how τ was chosen, and its scores on test."""
    body: Rows = []
    for alarm in alarms:
        rule = alarm.rule
        if rule == "sensitivity":
            rule = f"sensitivity {percent(alarm.target)} on validation"
        scores = (interval_text(getattr(alarm.test, name)) for name in _ALARM_SCORES)
        body.append([alarm.positive, rule, round(alarm.tau, 4), *scores])
    head = ["sensitivity", "specificity", "PPV", "NPV", "share of alarms"]
    return [["class", "τ chosen by", "τ", *head], *body]


def risk_coverage_rows(curves: Mapping[str, RiskCoverage]) -> Rows:
    """Return one row for each name: areas, and the risk when the surest share is decided on."""
    body: Rows = []
    for name, curve in curves.items():
        areas = [interval_text(curve.aurc, 4), interval_text(curve.excess, 4)]
        body.append([name, *areas, *(round(curve.risk_at(c), 4) for c in _COVERAGES)])
    return [["network", "AURC", "excess", *(f"risk at {percent(c)}" for c in _COVERAGES)], *body]


def net_benefit_rows(curve: DecisionCurve) -> Rows:
    """Return one row for each threshold; the gain is over the better of all and none."""
    body: Rows = []
    for k, threshold in enumerate(curve.thresholds):
        values = (curve.model.value, curve.treat_all.value, curve.gain.value)
        ends = (curve.gain.low, curve.gain.high)
        numbers = (round(float(v[k]), 5) for v in (*values, *ends))
        body.append([round(float(threshold), 4), *numbers])
    return [["threshold", "model", "all", "gain", "gain, low", "gain, high"], *body]


def conformal_rows(results: Iterable[ConformalResult]) -> Rows:
    """Return one row for each method and level: coverage on test and the size of the sets."""
    body: Rows = []
    for result in results:
        found = (result.coverage, result.size, result.singletons, result.empty)
        body.append([result.method, result.level, *map(interval_text, found)])
    head = ["coverage", "classes in a set", "sets of one", "empty sets"]
    return [["method", "level", *head], *body]


def conformal_class_rows(results: Sequence[ConformalResult]) -> Rows:
    """Return one row for each method and level: coverage by class. At least one result."""
    body: Rows = [[r.method, r.level, *map(interval_text, r.by_class)] for r in results]
    return [["method", "level", *results[0].classes], *body]
