"""Reliability diagrams, calibration before and after, and what the Brier score is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from kdcore.base.words import percent
from kdcore.charts.dots import interval_dots
from kdcore.charts.style import NEUTRAL, ROWS
from kdcore.evaluate import CALIBRATORS, BrierParts, CalibrationRow, Diagram, Interval

_HEIGHT = 440
_FOOT = -0.3  # where the bars of the counts stand, below the diagram on the same axis
_TALLEST = 0.2
_MOST_COUNTED = 10  # bins; the counts of more would run into each other
_BAR = 46  # px, for a model's bar and its name above


def reliability_chart(found: Diagram, colour: str) -> alt.LayerChart:
    """Return what happened over what was said, the diagonal, and the images of each bin below.

    A thin line joins each dot to the diagonal: the gap. Empty bins are not drawn.
    """
    table = _bin_table(found)
    last = "Images that are so" if found.target else "Answers that are right"
    x = alt.X(
        "said:Q",
        title=f"Probability said for {found.target}" if found.target else "Confidence said (mean)",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(format="%", tickCount=5),
    )
    scale = alt.Scale(domain=[_FOOT, 1], nice=False)
    axis = alt.Axis(format="%", values=[0, 0.2, 0.4, 0.6, 0.8, 1], titleY=_HEIGHT * 0.4)
    y = alt.Y("happened:Q", title=last, scale=scale, axis=axis)
    tooltip = [
        alt.Tooltip("said:Q", title="Said, mean", format=".1%"),
        alt.Tooltip("happened:Q", title=last, format=".1%"),
        alt.Tooltip("low:Q", title="95 % low", format=".1%"),
        alt.Tooltip("high:Q", title="95 % high", format=".1%"),
        alt.Tooltip("images:Q", title="Images", format=","),
        alt.Tooltip("span:N", title="Bin"),
    ]
    base = alt.Chart(table)
    ends = pd.DataFrame({"said": [0.0, 1.0], "happened": [0.0, 1.0]})
    diagonal = alt.Chart(ends).mark_line(color=NEUTRAL, strokeDash=[4, 3], strokeWidth=1.5)
    gap = base.mark_rule(color=colour, strokeWidth=7, opacity=0.25)
    span = base.mark_rule(color=colour, strokeWidth=1.5)
    dot = base.mark_point(color=colour, filled=True, size=65, opacity=1)
    chart = (
        diagonal.encode(x=x, y=y)
        + gap.encode(x=x, y=y, y2="said:Q")
        + span.transform_filter("isValid(datum.low)").encode(
            x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q"
        )
        + dot.encode(x=x, y=y, tooltip=tooltip)
    )
    for counts in _counts(base, colour, tooltip, len(found.happened) <= _MOST_COUNTED):
        chart += counts
    return chart.properties(height=_HEIGHT)


def measure_chart(
    tables: Mapping[str, Sequence[CalibrationRow]],
    measure: str,
    title: str,
    colours: Mapping[str, str],
    reference: float | None = None,
) -> alt.LayerChart:
    """Return a dot for each model and calibrator, with its interval where it has one.

    Parameters
    ----------
    tables : rows by the model's title
    measure : an attribute of `CalibrationRow`
    title : of the measure, with its unit
    colours : of the models by title
    reference : a thin line here
    """
    rows = []
    for series, table in tables.items():
        for row in table:
            value = getattr(row, measure)
            ends = vars(value) if isinstance(value, Interval) else {"value": value}
            rows.append({"label": CALIBRATORS[row.name], "series": series, **ends})
    return interval_dots(rows, title, {name: colours[name] for name in tables}, reference)


def brier_chart(parts: Mapping[str, BrierParts], colours: Mapping[str, str]) -> alt.LayerChart:
    """Return each model's Brier score as a bar: its reliability part first, then all the rest.

    The dashed line is the uncertainty: the score of saying the base rates of every image.

    Parameters
    ----------
    parts : of each model by title
    colours : of the models by title
    """
    table = pd.DataFrame(
        [
            {
                "model": name,
                "text": f"{name}: {p.total:.3f}, of it reliability {p.reliability:.3f}",
                "reliability": p.reliability,
                "total": p.total,
                "resolution": p.resolution,
                "uncertainty": p.uncertainty,
            }
            for name, p in parts.items()
        ]
    )
    scale = alt.Scale(domain=list(parts), range=[colours[name] for name in parts])
    y = alt.Y("model:N", sort=list(parts), axis=None)
    colour = alt.Color("model:N", scale=scale, legend=None)
    tooltip = [
        alt.Tooltip("model:N", title="Model"),
        *(
            alt.Tooltip(f"{name}:Q", title=name.capitalize(), format=".4f")
            for name in ("total", "reliability", "resolution", "uncertainty")
        ),
    ]
    base = alt.Chart(table)
    bar = base.mark_bar(height=12, yOffset=8)
    title = "Brier score (0 is perfect)"
    x = alt.X("total:Q", title=title, scale=alt.Scale(domainMin=0), axis=alt.Axis(tickCount=6))
    named = base.mark_text(align="left", dy=-9, fontSize=12, color=NEUTRAL).encode(
        x=alt.datum(0), y=y, text="text:N"
    )
    line = base.mark_rule(color=NEUTRAL, strokeDash=[4, 3]).encode(x="uncertainty:Q")
    chart = (
        bar.encode(x=x, y=y, color=colour, opacity=alt.value(0.35), tooltip=tooltip)
        + bar.encode(x="reliability:Q", y=y, color=colour, tooltip=tooltip)
        + named
        + line
    )
    return chart.properties(height=_BAR * len(parts), autosize=ROWS)


def _bin_table(found: Diagram) -> pd.DataFrame:
    """Return one row for each bin with images: what is drawn of it, and where its bar stands."""
    most = max(found.bins.count)
    edges = found.bins.edges
    return pd.DataFrame(
        [
            {
                "said": found.bins.confidence[b],
                "happened": interval.value,
                "low": interval.low,
                "high": interval.high,
                "images": found.bins.count[b],
                "left": edges[b],
                "right": edges[b + 1],
                "foot": _FOOT,
                "top": _FOOT + _TALLEST * found.bins.count[b] / most,
                "span": f"{percent(edges[b], 1)} to {percent(edges[b + 1], 1)}",
            }
            for b, interval in enumerate(found.happened)
            if found.bins.count[b]
        ]
    )


def _counts(
    base: alt.Chart, colour: str, tooltip: list[alt.Tooltip], named: bool
) -> list[alt.Chart]:
    bars = base.mark_bar(color=colour, opacity=0.35, stroke=colour, strokeWidth=0.5).encode(
        x="left:Q", x2="right:Q", y="foot:Q", y2="top:Q", tooltip=tooltip
    )
    if not named:
        return [bars]
    numbers = base.mark_text(color=NEUTRAL, dy=-6, fontSize=10).transform_calculate(
        middle="(datum.left + datum.right) / 2"
    )
    text = alt.Text("images:Q", format=",")
    return [bars, numbers.encode(x="middle:Q", y="top:Q", text=text)]
