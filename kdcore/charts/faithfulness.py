"""Insertion and deletion curves of a map, beside those of maps that never saw the network."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from kdcore.charts.style import SERIES
from kdcore.explain.faithfulness import Faithfulness

_SHOWN = {
    "map": "this map",
    "centre": "middle",
    "edges": "edges",
    "random": "random blobs",
    "uniform": "random pixels",
}
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4])
_HEIGHT = 210
_ROOM = 132  # px right of the curves, for their names
_TITLES = {
    "insertion": "Share of the pixels uncovered",
    "deletion": "Share of the pixels deleted",
}


def curve_chart(found: Mapping[str, Faithfulness], which: str, colour: str) -> alt.LayerChart:
    """Return one curve for the map and a thin one for each baseline map, best first.

    All curves begin and end at the same two points, so that names at their ends could not tell
    them apart: the names stand in a column, in the order and with the value of the areas.

    Parameters
    ----------
    found : by map, "map" and names of `BASELINE_MAPS`; others are left out
    which : "insertion", where higher is better, or "deletion", where lower is
    colour : of the map's own curve
    """
    names = [name for name in _SHOWN if name in found]
    areas = {name: float(getattr(found[name], f"{which}_auc")) for name in names}
    ranked = sorted(names, key=areas.__getitem__, reverse=which == "insertion")
    rows = [
        {"curve": _SHOWN[name], "share": float(share), "probability": float(value)}
        for name in names
        for share, value in zip(found[name].fractions, getattr(found[name], which))
    ]
    domain = [_SHOWN[name] for name in names]
    others = [SERIES[i % len(SERIES)] for i in range(len(names) - 1)]
    tint = alt.Color(
        "curve:N", legend=None, scale=alt.Scale(domain=domain, range=[colour, *others])
    )
    dash = alt.Scale(domain=domain, range=list(_DASHES[: len(names)]))
    width = alt.Scale(domain=domain, range=[3.0, *[1.2] * (len(names) - 1)])
    lines = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line()
        .encode(
            x=alt.X(
                "share:Q",
                title=_TITLES[which],
                axis=alt.Axis(format="%", tickCount=4),
                scale=alt.Scale(domain=[0, 1], rangeMax=alt.expr(f"width - {_ROOM}")),
            ),
            y=alt.Y(
                "probability:Q",
                title="Probability of the class",
                axis=alt.Axis(format="%", tickCount=5),
                scale=alt.Scale(domain=[0, 1]),
            ),
            color=tint,
            strokeDash=alt.StrokeDash("curve:N", legend=None, scale=dash),
            strokeWidth=alt.StrokeWidth("curve:N", legend=None, scale=width),
            tooltip=["curve:N", alt.Tooltip("share:Q", format=".0%"),
                     alt.Tooltip("probability:Q", format=".1%")],
        )
    )  # fmt: skip
    return (lines + _names(ranked, areas, tint)).properties(height=_HEIGHT)


def _names(ranked: list[str], areas: Mapping[str, float], tint: alt.Color) -> alt.Chart:
    """Return the names right of the curves, the best on top, each with its area."""
    step = 0.9 / max(len(ranked) - 1, 1)
    table = pd.DataFrame(
        [
            {"curve": _SHOWN[name], "at": 1.0, "place": 0.95 - step * row,
             "text": f"{_SHOWN[name]} {areas[name]:.2f}"}
            for row, name in enumerate(ranked)
        ]
    )  # fmt: skip
    text = alt.Chart(table).mark_text(align="left", dx=10, fontSize=11)
    return text.encode(x="at:Q", y="place:Q", text="text:N", color=tint)
