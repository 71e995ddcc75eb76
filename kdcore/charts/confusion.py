"""Which answers meet which: counts in a matrix, and who is right where; each can be clicked.

A click is Vega-Lite's point selection `PICK` on the named fields, which a page reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdcore.base.words import probability_text
from kdcore.charts.style import NEUTRAL, ROWS
from kdcore.evaluate import QUADRANTS, PairComparison
from kdcore.report.pair import quadrant_titles

PICK = "pick"
_CELL = 34  # px
_LETTERS = 26  # of a line of an axis' title, which a matrix in a third of a page has room for
_BAR = 38  # px, for a name of two lines
_ROOM = 1.25  # of all images, for the label of a long bar
_MARK = "#D55E00"
_DARK_FROM = 0.55  # share from which a cell is dark enough for light ink


def confusion_chart(
    counts: NDArray[np.int64],
    classes: Sequence[str],
    row_title: str,
    column_title: str,
    picked: tuple[str, str] = ("", ""),
) -> alt.LayerChart:
    """Return counts (C, C) as a heatmap: a number in each cell, its share of the row as colour.

    Parameters
    ----------
    counts : row and column in the order of `classes`; a row without images has no colour
    classes : C names
    row_title, column_title : of the axes; a long one has several lines
    picked : row and column to frame; "" is any, so that ("mel", "") frames a row

    A click selects the fields `row` and `column` in the parameter `PICK`.
    """
    totals = counts.sum(1)
    rows = [
        {
            "row": true,
            "column": given,
            "count": int(count),
            "share": count / total if total else 0.0,
            "picked": any(picked) and picked[0] in ("", true) and picked[1] in ("", given),
        }
        for true, line, total in zip(classes, counts, totals, strict=True)
        for given, count in zip(classes, line, strict=True)
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("column:N", sort=None, title=wrap(column_title, _LETTERS), axis=_every_name(-40)),
        y=alt.Y("row:N", sort=None, title=wrap(row_title, _LETTERS), axis=_every_name(0)),
        tooltip=[
            alt.Tooltip("row:N", title=row_title),
            alt.Tooltip("column:N", title=column_title),
            alt.Tooltip("count:Q", title="Images", format=","),
            alt.Tooltip("share:Q", title="Share of the row", format=".1%"),
        ],
    )
    cells = base.mark_rect(cursor="pointer").encode(
        color=alt.Color("share:Q", scale=alt.Scale(scheme="blues", domain=[0, 1]), legend=None),
        stroke=alt.condition("datum.picked", alt.value(_MARK), alt.value(None)),
        strokeWidth=alt.value(2.5),
    )
    cells = cells.add_params(_pick("row", "column"))
    # Dark ink on light cells and light ink on dark ones, whatever the page's theme.
    ink = alt.condition(f"datum.share > {_DARK_FROM}", alt.value("#ffffff"), alt.value("#12212e"))
    numbers = base.mark_text(fontSize=12).encode(text=alt.Text("count:Q", format=","), color=ink)
    return (cells + numbers).properties(height=_CELL * len(classes), autosize=ROWS)


def quadrant_chart(
    pair: PairComparison, colours: Mapping[str, str], picked: str = ""
) -> alt.LayerChart:
    """Return the images of each key of `QUADRANTS` as bars; a click selects the field `name`.

    Parameters
    ----------
    pair : two models, `named` as `colours` knows them
    colours : of both models by name
    picked : the key of the bar to frame, or ""
    """
    found, words = pair.agreement, quadrant_titles(pair.teacher, pair.student)
    total = sum(q.count for q in found.quadrants)
    rows = [
        {
            "name": q.name,
            "words": words[q.name].replace(": ", ":\n", 1),
            "count": q.count,
            "share": q.share.value,
            "label": f"{q.count:,} ({probability_text(q.share.value)})",
            "total": total,
            "picked": q.name == picked,
        }
        for q in found.quadrants
    ]
    own = {"teacher_only": colours[pair.teacher], "student_only": colours[pair.student]}
    palette = [own.get(q.name, NEUTRAL) for q in found.quadrants]
    lines = alt.Axis(labelLimit=220, labelOverlap=False, labelExpr="split(datum.label, '\\n')")
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("words:N", sort=None, title=None, axis=lines),
        tooltip=[
            alt.Tooltip("words:N", title=" "),
            alt.Tooltip("count:Q", title="Images", format=","),
            alt.Tooltip("share:Q", title="Share of all", format=".1%"),
        ],
    )
    # A track behind each bar, so that a quadrant of few images can be hit, too.
    track = base.mark_bar(color=NEUTRAL, opacity=0.12, cursor="pointer").encode(
        x=alt.X(
            "total:Q",
            title="Images",
            scale=alt.Scale(domain=[0, _ROOM * total], nice=False),
            axis=alt.Axis(tickCount=5),
        ),
        stroke=alt.condition("datum.picked", alt.value(_MARK), alt.value(None)),
        strokeWidth=alt.value(2.5),
    )
    track = track.add_params(_pick("name"))
    bars = base.mark_bar(cursor="pointer").encode(
        x="count:Q",
        color=alt.Color(
            "name:N", scale=alt.Scale(domain=list(QUADRANTS), range=palette), legend=None
        ),
    )
    labels = base.mark_text(align="left", dx=4, fontSize=12).encode(
        x="count:Q", text="label:N", color=alt.value(NEUTRAL)
    )
    return (track + bars + labels).properties(height=_BAR * len(rows), autosize=ROWS)


def _every_name(angle: float) -> alt.Axis:
    """Return an axis that drops no class, however narrow the chart."""
    return alt.Axis(labelAngle=angle, labelOverlap=False)


def _pick(*fields: str) -> alt.Parameter:
    return alt.selection_point(name=PICK, fields=list(fields), on="click", clear=False)
