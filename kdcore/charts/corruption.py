"""What a corruption does to the probabilities of one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdcore.charts.lines import labelled_lines
from kdcore.charts.style import ROLES, STUDENT, TEACHER, role_colour

Probs = Mapping[str, NDArray[np.float64]]


def shift_chart(clean: Probs, spoilt: Probs, classes: Sequence[str]) -> alt.LayerChart:
    """Return for each class and model a ring where it was and a dot where it went.

    Parameters
    ----------
    clean, spoilt : "Teacher" and "Student" to (C,) probabilities, before and after
    classes : C names, top to bottom
    """
    table = pd.DataFrame(
        {"model": model, "class": name, "clean": float(before), "spoilt": float(after)}
        for model in clean
        for name, before, after in zip(classes, clean[model], spoilt[model], strict=True)
    )
    scale = alt.Scale(domain=[0, 1])
    axis = alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1], title="Probability")
    base = alt.Chart(table).encode(
        y=alt.Y("class:N", sort=list(classes), title=None),
        yOffset=alt.YOffset("model:N", sort=list(ROLES)),
        color=role_colour(),
        tooltip=[
            alt.Tooltip("model:N", title="Model"),
            alt.Tooltip("class:N", title="Class"),
            alt.Tooltip("clean:Q", title="Clean", format=".1%"),
            alt.Tooltip("spoilt:Q", title="Spoilt", format=".1%"),
        ],
    )
    before = alt.X("clean:Q", scale=scale, axis=axis)
    lines = base.mark_rule(strokeWidth=2, opacity=0.6).encode(x=before, x2="spoilt:Q")
    rings = base.mark_point(size=45, strokeWidth=1.5, filled=False).encode(x=before)
    dots = base.mark_point(size=55, filled=True, opacity=1).encode(
        x=alt.X("spoilt:Q", scale=scale, axis=axis)
    )
    return (lines + rings + dots).properties(height=alt.Step(17))


def severity_chart(rows: Sequence[Mapping[str, object]]) -> alt.LayerChart:
    """Return the probability of each model's first choice over severity; `rows` of a sweep."""
    return labelled_lines(
        rows,
        "Probability of its clean answer",
        order=ROLES,
        x_title="Severity",
        colours=dict(zip(ROLES, (TEACHER, STUDENT), strict=True)),
        domain=(0.0, 1.02),
    )
