"""Quality against cost: bubbles with intervals on both axes, and the front that nothing beats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from kdcore.base.words import capitalised
from kdcore.charts.style import NEUTRAL, ROWS, model_colours
from kdcore.report.tradeoff import COSTS, QUALITIES, Point, drawable, front_of
from kdcore.report.tradeoff_words import direction

_HEIGHT = 380
_AREAS = [50, 500]  # px², of the smallest and largest bubble
_ABOVE, _BELOW = -17, 22  # px, from a bubble to its label
_PAD = 1.25  # of the cost, left and right of the outermost points


def tradeoff_chart(
    points: Sequence[Point],
    quality: str,
    cost: str = "latency",
    bubble: str = "size",
    limit: float = math.inf,
    best: Point | None = None,
    colours: Mapping[str, str] | None = None,
) -> alt.LayerChart:
    """Return the points of a trade-off.

    Parameters
    ----------
    points : of `make_points`; those without a known cost or quality are not drawn
    quality : of `QUALITIES`, upwards
    cost : of `COSTS`, to the right, on a logarithmic scale
    bubble : of `COSTS`, the area
    limit : of the cost, a dashed line; infinite for none
    best : is ringed
    colours : by the models' titles; default by their roles
    """
    shown = drawable(points, cost)
    colours = colours or model_colours({p.title: p.role for p in points})
    table = pd.DataFrame(_rows(shown, cost, bubble), columns=_COLUMNS)
    domain = _domain(table, limit)
    x, y = _axes(quality, cost, domain)
    colour = _colour(colours, {p.title for p in shown})
    base = alt.Chart(table)
    lines = base.mark_line(strokeWidth=1, opacity=0.5).encode(
        x=x, y=y, color=colour, detail="title:N", order="x:Q"
    )
    spans = [
        base.transform_filter("isValid(datum.x_low)")
        .mark_rule(opacity=0.6)
        .encode(x=_at("x_low", x), x2="x_high:Q", y=y, color=colour),
        base.transform_filter("isValid(datum.y_low)")
        .mark_rule(opacity=0.35)
        .encode(x=x, y=_at("y_low", y), y2="y_high:Q", color=colour),
    ]
    front = _to_the_edge([_place(p, cost) for p in front_of(shown, cost, quality)], domain[1])
    layers = [_front(front, x, y), *_limit(limit, x), lines, *spans]
    layers += [_bubbles(base, x, y, colour, cost, quality, bubble), *_labels(base, x, y, colour)]
    if best is not None and not math.isnan(best.costs[cost].value):
        layers.append(_ring(pd.DataFrame([_place(best, cost)]), x, y))
    return alt.LayerChart(layer=layers).properties(height=_HEIGHT, autosize=ROWS)


_COLUMNS = [
    *("title", "label", "full", "x", "x_low", "x_high", "y", "y_low", "y_high"),
    *("bubble", "recommended", "below"),
]


def _rows(points: Sequence[Point], cost: str, bubble: str) -> list[dict[str, Any]]:
    """Return the rows of the chart; labels of a model stand above and below by turns."""
    seen: dict[str, int] = {}
    rows = []
    for p in sorted(points, key=lambda p: p.costs[cost].value):
        turn = seen[p.title] = seen.get(p.title, -1) + 1
        x, y = p.costs[cost], p.quality
        rows.append(
            _place(p, cost)
            | {"title": p.title, "label": p.label, "full": p.full}
            | {"x_low": x.low, "x_high": x.high, "y_low": y.low, "y_high": y.high}
            | {"bubble": p.costs[bubble].value, "below": turn % 2 == 1}
            | {"recommended": "yes" if p.recommended else "no"}
        )
    return rows


def _place(point: Point, cost: str) -> dict[str, float]:
    return {"x": point.costs[cost].value, "y": point.quality.value}


def _domain(table: pd.DataFrame, limit: float) -> list[float]:
    """Return the ends of the cost's axis: around all points, their intervals and the limit."""
    ends = [*table["x"], *table["x_low"].dropna(), *table["x_high"].dropna()]
    ends += [limit] if math.isfinite(limit) else []
    return [min(ends, default=1) / _PAD, max(ends, default=10) * _PAD]


def _axes(quality: str, cost: str, domain: list[float]) -> tuple[alt.X, alt.Y]:
    x = alt.X(
        "x:Q",
        title=[capitalised(COSTS[cost]), "(logarithmic; further left is better)"],
        scale=alt.Scale(type="log", nice=False, domain=domain),
        axis=alt.Axis(tickCount=6, format="~g", grid=False, labelOverlap=True),
    )
    y = alt.Y(
        "y:Q",
        title=f"{capitalised(QUALITIES[quality])} ({direction(quality)})",
        scale=alt.Scale(zero=False, padding=18),
        axis=alt.Axis(tickCount=6),
    )
    return x, y


def _at(column: str, like: Any) -> Any:
    """Return the channel `like` for another column, with its scale, title and axis."""
    made = like.copy()
    made["shorthand"] = f"{column}:Q"
    return made


def _colour(colours: Mapping[str, str], shown: set[str]) -> alt.Color:
    names = [name for name in colours if name in shown]
    scale = alt.Scale(domain=names, range=[colours[name] for name in names])
    legend = alt.Legend(orient="top", title=None, labelLimit=280, columns=1, symbolOpacity=1)
    return alt.Color("title:N", scale=scale, legend=legend)


def _to_the_edge(places: list[dict[str, float]], edge: float) -> pd.DataFrame:
    """Return the places of the front, and its last one again where the axis ends."""
    more = [{"x": edge, "y": places[-1]["y"]}] if places else []
    return pd.DataFrame([*places, *more], columns=["x", "y"])


def _front(front: pd.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    """Return the front as steps: up to the next point, the one before it is the best there is."""
    line = alt.Chart(front).mark_line(
        interpolate="step-after", color=NEUTRAL, strokeWidth=6, opacity=0.35
    )
    return line.encode(x=x, y=y)


def _limit(limit: float, x: alt.X) -> list[alt.Chart]:
    if not math.isfinite(limit):
        return []
    line = alt.Chart(pd.DataFrame({"x": [limit]}))
    return [line.mark_rule(color=NEUTRAL, strokeDash=[5, 4]).encode(x=x)]


def _bubbles(
    base: alt.Chart, x: alt.X, y: alt.Y, colour: alt.Color, cost: str, quality: str, bubble: str
) -> alt.Chart:
    legend = alt.Legend(
        orient="bottom", title=f"Bubble: {COSTS[bubble]}", titleLimit=280, tickCount=3,
        format="~r", symbolFillColor=NEUTRAL, symbolStrokeColor=NEUTRAL, direction="horizontal",
    )  # fmt: skip
    size = alt.Size("bubble:Q", scale=alt.Scale(range=_AREAS, zero=True), legend=legend)
    numbers = (
        ("x", capitalised(COSTS[cost])), ("x_low", "95 % low"), ("x_high", "95 % high"),
        ("y", capitalised(QUALITIES[quality])), ("y_low", "95 % low "), ("y_high", "95 % high "),
        ("bubble", f"Bubble: {COSTS[bubble]}"),
    )  # fmt: skip
    tooltip = [alt.Tooltip("full:N", title=" ")]
    tooltip += [alt.Tooltip(f"{k}:Q", title=title, format=".3~g") for k, title in numbers]
    tooltip += [alt.Tooltip("recommended:N", title="Recommended")]
    return base.mark_circle(opacity=0.75, stroke="white", strokeWidth=1).encode(
        x=x, y=y, color=colour, size=size, tooltip=tooltip
    )


def _labels(base: alt.Chart, x: alt.X, y: alt.Y, colour: alt.Color) -> list[alt.Chart]:
    return [
        base.transform_filter(f"datum.below === {below}")
        .mark_text(dy=dy, fontSize=11)
        .encode(x=x, y=y, text="label:N", color=colour)
        for below, dy in (("false", _ABOVE), ("true", _BELOW))
    ]


def _ring(best: pd.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    return (
        alt.Chart(best)
        .mark_point(filled=False, size=800, color=NEUTRAL, strokeWidth=2.5)
        .encode(x=x, y=y)
    )
