"""Charts of a training run's history, and of several runs beside each other."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from kdcore.charts.lines import labelled_lines
from kdcore.charts.style import NEUTRAL

_PARTS = {
    "loss": "loss",
    "ce": "hard label",
    "kd": "soft label",
    "at": "attention",
    "align": "alignment",
    "hint": "hints",
}
_ACROSS = 3  # panels in a row
_WIDTH, _HEIGHT = 190, 120  # px, of a panel
_LETTERS = 36  # of a line of a panel's title
History = Sequence[Mapping[str, float]]


def loss_chart(history: History, parts: History) -> alt.LayerChart:
    """Return the training loss and what each of its parts adds to it, over epochs.

    Parameters
    ----------
    history : one row an epoch with "epoch" and "train_loss"
    parts : for each epoch the weighted parts, from `kdcore.distill.presets.weighted_parts`
    """
    together = [
        {
            "epoch": row["epoch"],
            "loss": row.get("train_loss", math.nan),
            **(part if len(part) > 1 else {}),
        }
        for row, part in zip(history, parts or [{}] * len(history))
    ]
    return _lines(together, _PARTS, "Loss, weighted parts", zero=True)


def score_chart(history: History) -> alt.LayerChart:
    """Return macro-F1 and balanced accuracy on validation over epochs."""
    names = {"val_macro_f1": "macro-F1", "val_balanced_accuracy": "balanced acc."}
    return _lines(history, names, "On validation, 0 to 1")


def rate_chart(history: History) -> alt.LayerChart:
    """Return the learning rate at the end of each epoch."""
    return _lines(history, {"lr": "rate"}, "Learning rate", zero=True)


def throughput_chart(history: History) -> alt.LayerChart:
    """Return the training images per second of each epoch."""
    return _lines(history, {"images_per_second": "images/s"}, "Images per second", zero=True)


def agreement_chart(history: History) -> alt.LayerChart | None:
    """Return how near the student is to its teachers on validation; None without teachers."""
    names = {"val_agreement": "same answer", "val_attention": "attention"}
    if not any(name in row for row in history for name in names):
        return None
    return _lines(history, names, "Share of images, and cosine")


def comparison_chart(rows: Sequence[Mapping[str, Any]], title: str) -> alt.LayerChart:
    """Return one column of several runs: "x" the epoch, "series" the run, "value"."""
    return labelled_lines(rows, title, dashed=True)


def history_panels(
    rows: Sequence[Mapping[str, Any]], title: str, colours: Mapping[str, str]
) -> alt.ConcatChart:
    """Return a panel for each model: its column of the history, all others grey behind it.

    Lines of ten models on one plot can neither be told by colour nor named at their ends. A dot
    stands where the line is highest.

    Parameters
    ----------
    rows : dicts of "x" (the epoch), "series" (the model's title) and "value"; at least one
    title : of the vertical axis
    colours : by the model's title, in the order of the panels
    """
    table = pd.DataFrame(rows, columns=["x", "series", "value"])
    names = [name for name in colours if name in set(table["series"])]
    panels = []
    for place, name in enumerate(names):
        bottom, left = place + _ACROSS >= len(names), place % _ACROSS == 0
        titles = "Epoch" if bottom else None, title if left else None
        panels.append(_panel(table, name, colours[name], titles))
    return alt.concat(*panels, columns=_ACROSS, spacing={"row": 14, "column": 10})


def _panel(
    table: pd.DataFrame, name: str, colour: str, titles: tuple[str | None, str | None]
) -> alt.LayerChart:
    """Return the panel of one model; `titles` are of its axes, across and up."""
    epochs = alt.Scale(domain=[0, table["x"].max()], nice=False)
    values = alt.Scale(domain=[0, table["value"].max() * 1.06 or 1], nice=False)
    x = alt.X("x:Q", title=titles[0], axis=alt.Axis(tickCount=6, format="d"), scale=epochs)
    y = alt.Y("value:Q", title=titles[1], axis=alt.Axis(tickCount=4), scale=values)
    own = table[table["series"] == name]
    best = own.loc[[own["value"].idxmax()]]
    others = alt.Chart(table).mark_line(color=NEUTRAL, strokeWidth=1, opacity=0.4)
    line = alt.Chart(own).mark_line(color=colour, strokeWidth=2.5)
    dot = alt.Chart(best).mark_point(color=colour, filled=True, size=60, opacity=1)
    drawn = others.encode(x=x, y=y, detail="series:N")
    drawn = drawn + line.encode(x=x, y=y) + dot.encode(x=x, y=y)
    lines = textwrap.wrap(name.replace(" px", "\xa0px"), _LETTERS)  # a size stays in one line
    heading = alt.Title(lines, anchor="start", fontSize=11, fontWeight="normal", color=colour)
    return drawn.properties(width=_WIDTH, height=_HEIGHT, title=heading)


def _lines(
    history: History, names: Mapping[str, str], title: str, zero: bool = False
) -> alt.LayerChart:
    rows = [
        {"x": row["epoch"], "series": label, "value": row[key]}
        for key, label in names.items()
        for row in history
        if not math.isnan(row.get(key, math.nan))
    ]
    there = [label for label in names.values() if any(r["series"] == label for r in rows)]
    return labelled_lines(rows, title, there, zero=zero)
