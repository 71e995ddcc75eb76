"""Values with their intervals as dots on lines, one row for each thing: a forest plot.

Cleveland & McGill 1984: a place on a common scale is read best; bars would hide the intervals.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from kdcore.charts.style import NEUTRAL, ROWS, SERIES

_COLUMNS = ["label", "series", "value", "low", "high", "note", "faint"]
_STEP = 15  # px, for each series of a row
_PAD = 12  # px, between rows
_LINE = 18  # px, of a name in the legend, as themes would have it other
_LEGEND = 12  # px, of its letters
_GAP = 6  # px, between legend and plot
_LETTER = 4  # px, of a row's name, at least, so that the legend is not left of all
_AXIS = 220  # px, the most that a row's name takes
_TITLE = 36  # letters of a line of the axis' title, so that a phone shows it
_FAINT = 0.25  # opacity


def interval_dots(
    rows: Sequence[Mapping[str, Any]],
    x_title: str,
    colours: Mapping[str, str] | None = None,
    reference: float | None = None,
    domain: tuple[float, float] | None = None,
) -> alt.LayerChart:
    """Return a dot with its interval for each row.

    Parameters
    ----------
    rows : dicts of "label" (the row of the chart), "series" (the dot in it), "value", "low" and
        "high"; "note" is shown with the numbers when a dot is pointed at, and "faint" is true of
        what says too little. A label may have several lines. What is NaN isn't drawn
    x_title : of the axis, with its unit; may have several lines
    colours : of the series by name, in the order in which they are drawn; default one by one
    reference : a thin line here, such as 0 for differences
    domain : of the axis; default what the intervals need
    """
    table = pd.DataFrame(rows, columns=_COLUMNS)
    names = list(colours or dict.fromkeys(table["series"]))
    palette = [colours[n] if colours else SERIES[i % len(SERIES)] for i, n in enumerate(names)]
    labels = list(dict.fromkeys(table["label"][table["value"].notna()]))
    alone = table["label"].nunique() == len(table)  # one dot a row: nothing to set apart in it
    place = _place(labels, names, palette, alone)
    title = [part for line in x_title.split("\n") for part in textwrap.wrap(line, _TITLE)]
    scale = alt.Scale(zero=False) if domain is None else alt.Scale(domain=list(domain), clamp=True)
    tooltip = _tooltip(noted=bool(table["note"].notna().any()))
    base = alt.Chart(table).transform_filter("isValid(datum.value)")
    spans = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, scale=scale),
        x2="high:Q",
        opacity=_strength(0.7),
        tooltip=tooltip,
        **place,
    )
    dots = base.mark_point(filled=True, size=60).encode(
        x=alt.X("value:Q", title=title, scale=scale),
        opacity=_strength(1),
        tooltip=tooltip,
        **place,
    )
    chart = spans + dots
    if reference is not None:
        line = alt.Chart(pd.DataFrame({"value": [reference]}))
        chart = line.mark_rule(color=NEUTRAL, strokeDash=[4, 3]).encode(x="value:Q") + chart
    height = len(labels) * (_STEP * (1 if alone else len(names)) + _PAD)
    above = _LINE * len(names) + _GAP if len(names) > 1 and labels != names else 0
    padding = {"top": 5 + above, "left": 5, "right": 5, "bottom": 5}
    return chart.properties(height=max(height, 60), autosize=ROWS, padding=padding)


def _place(labels: list[str], names: list[str], palette: list[str], alone: bool) -> dict[str, Any]:
    """Return the channels of a dot's row, its place within the row, and its colour."""
    # One on top would begin where the plot does, and a phone would cut it off.
    longest = max((len(line) for label in labels for line in label.split("\n")), default=0)
    legend = alt.Legend(
        orient="none",
        legendX=-min(_AXIS, longest * _LETTER),
        legendY=-_LINE * len(names) - _GAP,
        direction="vertical",
        padding=0,
        rowPadding=0,
        clipHeight=_LINE,
        labelFontSize=_LEGEND,
        symbolSize=80,
        title=None,
        labelLimit=300,
    )
    lines = alt.Axis(labelLimit=_AXIS, labelExpr="split(datum.label, '\\n')")
    return {
        "y": alt.Y("label:N", title=None, sort=labels, axis=lines),
        **({} if alone else {"yOffset": alt.YOffset("series:N", sort=names)}),
        "color": alt.Color(
            "series:N",
            scale=alt.Scale(domain=names, range=palette),
            legend=legend if len(names) > 1 and labels != names else None,
        ),
    }


def _tooltip(noted: bool) -> list[alt.Tooltip]:
    """Return what is shown of a dot that is pointed at, with its note if there are any."""
    numbers = (("value", "Value"), ("low", "95 % low"), ("high", "95 % high"))
    return [
        alt.Tooltip("label:N", title=" "),
        alt.Tooltip("series:N", title="Model"),
        *(alt.Tooltip(f"{column}:Q", title=title, format=".3f") for column, title in numbers),
        *([alt.Tooltip("note:N", title="Note")] if noted else []),
    ]


def _strength(full: float) -> Any:
    """Return the opacity channel: `full`, but for rows that are faint."""
    return alt.condition("datum.faint === true", alt.value(_FAINT), alt.value(full))
