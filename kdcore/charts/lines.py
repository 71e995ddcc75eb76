"""Lines, each named at its end: for people who can't tell the colours, and in print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import altair as alt
import pandas as pd

from kdcore.charts.style import SERIES

_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [4, 1])
_HEIGHT = 240
_LABEL_GAP = 0.075  # of the height: labels nearer to each other would overlap
_MOST_POINTS = 200  # of a line; more cost the browser time and show nothing
_MOST_MARKED = 30  # places; the points of more would run into each other
_WHOLE = ("Epoch", "Severity", "Threads")  # counted, not measured
_LETTER = 6.4  # px of width
_LONGEST = 20  # letters of a label of a chart that is narrow
_NARROW = "width < 620"  # px; a wider chart has room for whole names
_NAME = alt.expr(f"{_NARROW} ? datum.text : datum.series")


def labelled_lines(
    rows: Sequence[Mapping[str, Any]],
    y_title: str,
    order: Sequence[str] = (),
    zero: bool = False,
    dashed: bool = False,
    x_title: str = "Epoch",
    colours: Mapping[str, str] | None = None,
    domain: tuple[float, float] | None = None,
) -> alt.LayerChart:
    """Return one line for each series, its name in its colour at its end.

    Parameters
    ----------
    rows : dicts of "x", "series" and "value"; with "low" and "high" a band is drawn, too
    y_title, x_title : of the axes, with their units; "Epoch", "Severity" and "Threads" are
        counted
    order : the series by colour; default as they come
    zero : begin the vertical axis at 0
    dashed : tell series apart by dashes, too
    colours : of the series by name; default one after the other
    domain : of the vertical axis; default what the lines fill
    """
    names = list(order or dict.fromkeys(row["series"] for row in rows))
    banded = any("low" in row for row in rows)
    table = pd.DataFrame(
        _thin(rows), columns=["x", "series", "value", *(["low", "high"] if banded else [])]
    )
    ends = table.columns[2:]
    span = domain or _domain(table[ends].to_numpy().ravel().tolist(), zero)
    labels = _labels(table, names, span)
    palette = [colours[name] for name in names] if colours else SERIES
    colour = alt.Color("series:N", legend=None, scale=_scale(names, palette))
    dash = alt.StrokeDash("series:N", legend=None, scale=_scale(names, _DASHES))
    x = _across(x_title, *(_longest(labels[column]) for column in ("text", "series")))
    scale = alt.Scale(domain=list(span), nice=False, clamp=True)
    y = alt.Y("value:Q", title=y_title, axis=alt.Axis(tickCount=5), scale=scale)
    tooltip = [
        alt.Tooltip("series:N", title="Line"),
        alt.Tooltip("x:Q", title=x_title, format=".4~g"),
        alt.Tooltip("value:Q", title="Value", format=".4~g"),
        *(alt.Tooltip(f"{end}:Q", title=f"95 % {end}", format=".4~g") for end in ends[1:]),
    ]
    few = len(set(table["x"])) <= _MOST_MARKED
    lines = (
        alt.Chart(table)
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=22) if few else False)
        .encode(x=x, y=y, color=colour, tooltip=tooltip, **({"strokeDash": dash} if dashed else {}))
    )
    names_at_ends = (
        alt.Chart(labels)
        .mark_text(align="left", dx=8, fontSize=11, text=_NAME)
        .encode(x=x, y="place:Q", detail="text:N", color=colour)
    )
    chart = lines + names_at_ends
    if banded:
        band = alt.Chart(table).mark_area(opacity=0.15)
        low = alt.Y("low:Q", title=y_title, scale=scale)
        chart = band.encode(x=x, y=low, y2="high:Q", color=colour) + chart
    return chart.properties(height=_HEIGHT)


def _across(title: str, short: int, whole: int) -> alt.X:
    """Return the horizontal axis, with room at its end for names of so many letters."""
    narrow, wide = (f"{12 + _LETTER * letters:.0f}" for letters in (short, whole))
    counted = alt.Axis(tickCount=6, format="d", tickMinStep=1)
    return alt.X(
        "x:Q",
        title=title,
        axis=counted if title in _WHOLE else alt.Axis(tickCount=6),
        scale=alt.Scale(
            zero=False, nice=False, rangeMax=alt.expr(f"width - ({_NARROW} ? {narrow} : {wide})")
        ),
    )


def _scale(names: Sequence[str], values: Sequence[Any]) -> alt.Scale:
    """Return a scale that gives the names the values in turn."""
    given = [values[index % len(values)] for index in range(len(names))]
    return alt.Scale(domain=list(names), range=given)


def _labels(table: pd.DataFrame, names: Sequence[str], domain: tuple[float, float]) -> pd.DataFrame:
    """Return where each line's name stands: right of all lines, at the height where its own ends.

    A shorter line's name beside its last point would lie across the longer ones.
    """
    ends = [table[table["series"] == name].iloc[-1] for name in names if name in set(table.series)]
    ends.sort(key=lambda end: end["value"])
    gap = (domain[1] - domain[0]) * _LABEL_GAP
    places = _spread([float(end["value"]) for end in ends], gap, domain)
    shown = [
        {
            "x": table["x"].max(),
            "series": end["series"],
            "text": _shorten(end["series"]),
            "place": place,
        }
        for end, place in zip(ends, places)
    ]
    return pd.DataFrame(shown, columns=["x", "series", "text", "place"])


def _spread(values: Sequence[float], gap: float, domain: tuple[float, float]) -> list[float]:
    """Return rising values moved apart to at least `gap`, kept inside `domain` where they fit."""
    placed: list[float] = []
    for value in values:
        placed.append(max(value, placed[-1] + gap) if placed else value)
    ceiling = domain[1]
    for index in reversed(range(len(placed))):
        placed[index] = min(placed[index], ceiling)
        ceiling = placed[index] - gap
    return placed


def _domain(values: Sequence[float], zero: bool) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    pad = (high - low) * 0.06 or abs(high) * 0.1 or 0.1
    bottom = 0.0 if zero or 0 <= low < pad else low - pad
    return bottom, high + pad


def _thin(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return at most about `_MOST_POINTS` rows of each series, its last one among them."""
    kept = []
    ordered = sorted(rows, key=lambda row: (row["series"], row["x"]))
    for _, group in groupby(ordered, key=lambda row: row["series"]):
        line = list(group)
        step = -(-len(line) // _MOST_POINTS)
        kept += line[::-1][::step][::-1]
    return kept


def _longest(names: pd.Series) -> int:
    return max(map(len, names), default=0)


def _shorten(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[:9]}…{name[-10:]}"
