"""Charts of what a temperature does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdcore.charts.probability import probability_view
from kdcore.charts.style import NEUTRAL, role_colour
from kdcore.losses.temperature import GradientCurve, Softening


def softened_view(
    softenings: Mapping[str, Softening],
    index: int,
    classes: Sequence[str],
    long_names: Sequence[str] = (),
    marked: str = "",
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the softened outputs at temperature number `index` as bars: specification, rows.

    `softenings` are by model; `classes`, `long_names` and `marked`, the true class, are those of
    `probability_view`.
    """
    temperature = next(iter(softenings.values())).temperatures[index]
    probs = {model: softening.probs[index] for model, softening in softenings.items()}
    return probability_view(probs, classes, long_names, f"T = {temperature:g}", marked)


def entropy_chart(softenings: Mapping[str, Softening], temperature: float) -> alt.LayerChart:
    """Return mean entropy (nats) over temperature for each model, `temperature` marked."""
    rows = [
        {"model": model, "T": t, "entropy": e}
        for model, s in softenings.items()
        for t, e in zip(s.temperatures.tolist(), s.entropy.tolist(), strict=True)
    ]
    lines = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("T:Q", title="Temperature T"),
            y=alt.Y("entropy:Q", title="Entropy, nats"),
            color=role_colour(),
            tooltip=["model:N", "T:Q", alt.Tooltip("entropy:Q", format=".3f")],
        )
    )
    return (lines + _rule(temperature)).properties(height=240)


def gradient_chart(curve: GradientCurve, temperature: float) -> alt.LayerChart:
    """Return the gradient's size over temperature, with and without T², on a log scale."""
    rows = [
        {"T": t, "loss": name, "size": max(size, 1e-12)}
        for name, sizes in (("KL", curve.plain), ("T² · KL", curve.scaled))
        for t, size in zip(curve.temperatures.tolist(), sizes.tolist(), strict=True)
    ]
    scale = alt.Scale(domain=["T² · KL", "KL"], range=["#009E73", NEUTRAL])
    lines = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("T:Q", title="Temperature T"),
            y=alt.Y(
                "size:Q",
                title="Gradient size (L2)",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(tickCount=4, format="~g"),
            ),
            color=alt.Color("loss:N", scale=scale, legend=alt.Legend(orient="top", title=None)),
            tooltip=["loss:N", "T:Q", alt.Tooltip("size:Q", format=".3g")],
        )
    )
    return (lines + _rule(temperature)).properties(height=240)


def similarity_chart(
    matrix: NDArray[np.float64], classes: Sequence[str], title: str = ""
) -> alt.LayerChart:
    """Return the class-similarity matrix (C, C) as a heatmap with its numbers, in percent."""
    rows = [
        {"true": true, "given": given, "share": None if value != value else float(value)}
        for true, row in zip(classes, matrix.tolist(), strict=True)
        for given, value in zip(classes, row, strict=True)
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("given:N", sort=None, title="Probability given to", axis=alt.Axis(labelAngle=-40)),
        y=alt.Y("true:N", sort=None, title="True class"),
        tooltip=["true:N", "given:N", alt.Tooltip("share:Q", format=".1%")],
    )
    cells = base.mark_rect().encode(
        color=alt.Color("share:Q", scale=alt.Scale(scheme="blues", domain=[0, 1]), legend=None)
    )
    # Dark ink on light cells and light ink on dark ones, whatever the page's theme.
    ink = alt.condition("datum.share > 0.55", alt.value("#ffffff"), alt.value("#12212e"))
    numbers = (
        base.transform_calculate(whole="round(datum.share * 100)")
        .mark_text(fontSize=11)
        .encode(text="whole:Q", color=ink)
    )
    return (cells + numbers).properties(title=title, height=300)


def _rule(temperature: float) -> alt.Chart:
    return (
        alt.Chart(pd.DataFrame([{"T": temperature}]))
        .mark_rule(strokeDash=[4, 3], color=NEUTRAL)
        .encode(x="T:Q")
    )
