"""Charts of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

_PARTS = {"train": "#56799A", "val": "#E0A030", "test": "#4DA587"}


def class_count_chart(counts: Mapping[str, Mapping[str, int]], classes: Sequence[str]) -> alt.Chart:
    """Return images per class as stacked bars, by part of the split.

    Parameters
    ----------
    counts : part ("train", "val", "test") to class to number of images
    classes : short names, top to bottom
    """
    rows = [
        {"part": part, "order": order, "class": name, "images": counts[part].get(name, 0)}
        for order, part in enumerate(_PARTS)
        if part in counts
        for name in classes
    ]
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            y=alt.Y("class:N", sort=None, title=None),
            x=alt.X("images:Q", title="Images"),
            order="order:Q",
            color=alt.Color(
                "part:N",
                scale=alt.Scale(domain=list(_PARTS), range=list(_PARTS.values())),
                legend=alt.Legend(orient="top", title=None),
            ),
            tooltip=["class:N", "part:N", alt.Tooltip("images:Q", format=",")],
        )
        .properties(height=alt.Step(28))
    )
