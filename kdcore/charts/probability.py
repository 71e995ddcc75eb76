"""Probabilities of teacher and student, class by class."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdcore.base.words import probability_text
from kdcore.charts.style import ROLES, role_colour
from kdcore.data import HAM10000


def probability_view(
    probs: Mapping[str, NDArray[np.float64]],
    classes: Sequence[str],
    long_names: Sequence[str] = (),
    title: str = "",
    marked: str = "",
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return grouped bars, one pair a class, the number at each end: specification and rows.

    Building a chart takes Altair 0.1 s. Under a slider only the rows change, so the rest is kept.

    Parameters
    ----------
    probs : "Teacher" and/or "Student" to (C,) probabilities
    classes : C short names, top to bottom
    long_names : C names for people, shown on hover
    title : above the chart
    marked : class to mark as the true one; "" for none
    """
    table = _table(probs, classes, long_names or classes, marked)
    kept = _specification(tuple(dict.fromkeys(table["class"])), len(probs) > 1)
    return copy.deepcopy(kept) | {"title": title}, table


def warm_up() -> None:
    """Build the bars of HAM10000's classes ahead of the first picture."""
    _specification(HAM10000.classes, True)


@lru_cache(maxsize=64)
def _specification(order: tuple[str, ...], pairs: bool) -> dict[str, Any]:
    base = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y(
            "class:N",
            # An explicit domain: a view updated in place would append a class newly marked.
            scale=alt.Scale(domain=list(order)),
            title=None,
            axis=alt.Axis(labelLimit=140, ticks=False),
        ),
        yOffset=alt.YOffset("model:N", sort=list(ROLES)),
        x=alt.X(
            "probability:Q",
            scale=alt.Scale(domain=[0, 1.12]),  # room for the label of a bar at 1
            axis=alt.Axis(format="%", values=[0, 0.5, 1], title="Probability"),
        ),
        tooltip=[
            alt.Tooltip("model:N", title="Model"),
            alt.Tooltip("name:N", title="Class"),
            alt.Tooltip("probability:Q", format=".2%", title="Probability"),
        ],
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(color=role_colour(pairs))
    labels = base.mark_text(align="left", dx=4, fontSize=11).encode(
        text="label:N", color=role_colour(False)
    )
    chart = (bars + labels).properties(height=alt.Step(17 if pairs else 22)).to_dict()
    return {key: chart[key] for key in ("layer", "height", "config")}


def _table(
    probs: Mapping[str, NDArray[np.float64]],
    classes: Sequence[str],
    names: Sequence[str],
    marked: str,
) -> pd.DataFrame:
    rows = [
        {
            "model": model,
            "class": f"{short} ◂ true" if short == marked else short,
            "name": f"{short}: {name}" if name != short else short,
            "probability": float(value),
            "label": probability_text(float(value)),
        }
        for model, row in probs.items()
        for short, name, value in zip(classes, names, row.tolist(), strict=True)
    ]
    return pd.DataFrame(rows)
