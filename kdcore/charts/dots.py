"""Values with their intervals as dots on lines, one row for each thing: a forest plot.

Cleveland & McGill 1984: a place on a common scale is read best; bars would hide the intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from kdcore.charts.style import NEUTRAL, ROWS, SERIES

_COLUMNS = ["label", "series", "value", "low", "high", "note", "faint"]
_STEP = 15  # px, for each series of a row
_PAD = 12  # px, between rows
_LONG = 18  # letters of a name in the legend
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
    title: str | list[str] = x_title.split("\n") if "\n" in x_title else x_title
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
    return chart.properties(height=max(height, 60), autosize=ROWS)


def _place(labels: list[str], names: list[str], palette: list[str], alone: bool) -> dict[str, Any]:
    """Return the channels of a dot's row, its place within the row, and its colour."""
    columns = 1 if max(map(len, names), default=0) > _LONG else 2  # a phone cuts off the rest
    legend = alt.Legend(orient="top", title=None, labelLimit=260, columns=columns)
    lines = alt.Axis(labelLimit=220, labelExpr="split(datum.label, '\\n')")
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
