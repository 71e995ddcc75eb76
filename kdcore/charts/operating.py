"""Operating points: alarms, class weights, rejection, decision curves and prediction sets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from kdcore.charts.dots import interval_dots
from kdcore.charts.lines import labelled_lines
from kdcore.charts.style import NEUTRAL
from kdcore.evaluate import (
    Alarm,
    Band,
    ConformalResult,
    DecisionCurve,
    Interval,
    PairedScore,
    RiskCoverage,
)
from kdcore.report.operating import SCORES

Colours = Mapping[str, str]
TREAT_ALL, TREAT_NONE = "act on all", "act on none"
LEAST_COVERAGE = 0.1  # the error among fewer images jumps with each of them
_FLOOR = -0.03  # net benefit; what lies lower is out of the question
_ALARM = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "alarms that are right (PPV)",
    "npv": "silences that are right (NPV)",
}


def alarm_chart(alarms: Mapping[str, Alarm], colours: Colours) -> alt.LayerChart:
    """Return the four rates of each model's alarm on test; the target is a thin line.

    `alarms` is by model, all of one rule; `colours` names at least these models.
    """
    rows = [
        _dot(text, name, getattr(alarm.test, key))
        for key, text in _ALARM.items()
        for name, alarm in alarms.items()
    ]
    target = next(iter(alarms.values())).target
    reference = None if math.isnan(target) else target
    return interval_dots(rows, "Share", _only(colours, alarms), reference, (0, 1))


def weights_chart(found: Mapping[str, Sequence[PairedScore]], colours: Colours) -> alt.LayerChart:
    """Return what another rule than argmax does to each score, a dot for each model."""
    rows = [
        _dot(SCORES[s.name], name, s.difference) for name, scores in found.items() for s in scores
    ]
    return interval_dots(rows, "With weights less without", _only(colours, found), reference=0)


def risk_chart(curves: Mapping[str, RiskCoverage], colours: Colours) -> alt.LayerChart:
    """Return the error among the surest images over their share, from `LEAST_COVERAGE` on."""
    rows = [
        {"x": float(x), "series": name, "value": float(y)}
        for name, curve in curves.items()
        for x, y in zip(curve.coverage, curve.risk, strict=True)
        if x >= LEAST_COVERAGE
    ]
    return labelled_lines(
        rows,
        "Share of these that are wrong",
        zero=True,
        x_title="Share of images that the model decides, the surest first",
        colours=_only(colours, curves),
    )


def benefit_chart(
    curves: Mapping[str, DecisionCurve],
    colours: Colours,
    upto: float = 0.6,
    at: float | None = None,
) -> alt.LayerChart:
    """Return net benefit over the threshold, with bands, beside acting on all and on none.

    Parameters
    ----------
    curves : by model, all of one class; at least one
    colours : of at least these models
    upto : the highest threshold shown
    at : a threshold to mark with a thin line
    """
    first = next(iter(curves.values()))
    flat = [{"x": float(t), "series": TREAT_NONE, "value": 0.0} for t in first.thresholds]
    rows = [
        *(row for name, c in curves.items() for row in _points(name, c.thresholds, c.model)),
        *_points(TREAT_ALL, first.thresholds, first.treat_all),
        *({**row, "low": math.nan, "high": math.nan} for row in flat),
    ]
    rows = [row for row in rows if row["x"] <= upto + 1e-9 and row["value"] >= _FLOOR]
    shades = {**_only(colours, curves), TREAT_ALL: NEUTRAL, TREAT_NONE: NEUTRAL}
    top = max(row["high"] if row["high"] == row["high"] else row["value"] for row in rows)
    chart = labelled_lines(
        rows,
        "Net benefit for each image",
        order=list(shades),
        x_title="Probability from which to act",
        colours=shades,
        domain=(_FLOOR, top * 1.05),
    )
    if at is None:
        return chart
    line = alt.Chart(pd.DataFrame({"x": [at]}))
    return chart + line.mark_rule(color=NEUTRAL, strokeDash=[4, 3]).encode(x="x:Q")


def coverage_chart(found: Mapping[str, ConformalResult], colours: Colours) -> alt.LayerChart:
    """Return how often sets hold the right class, of all images and of each class.

    `found` is by model, all asked for one level, which is a thin line.
    """
    rows = [
        _dot(label, name, interval)
        for name, result in found.items()
        for label, interval in (
            ("all images", result.coverage),
            *zip(result.classes, result.by_class, strict=True),
        )
    ]
    level = next(iter(found.values())).level
    title = "Share of sets that hold the right class"
    return interval_dots(rows, title, _only(colours, found), level, (0, 1))


def _points(name: str, thresholds: Any, band: Band) -> list[dict[str, Any]]:
    columns = (thresholds, band.value, band.low, band.high)
    return [
        {"x": float(x), "series": name, "value": float(v), "low": float(low), "high": float(high)}
        for x, v, low, high in zip(*columns, strict=True)
    ]


def _dot(label: str, name: str, interval: Interval) -> dict[str, Any]:
    ends = {"value": interval.value, "low": interval.low, "high": interval.high}
    return {"label": label, "series": name, **ends}


def _only(colours: Colours, models: Mapping[str, Any]) -> dict[str, str]:
    return {name: colours[name] for name in models}
