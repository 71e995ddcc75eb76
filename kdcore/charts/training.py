"""Charts of a training run's history, and of several runs beside each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from kdcore.charts.lines import labelled_lines

_PARTS = {
    "loss": "loss",
    "ce": "hard label",
    "kd": "soft label",
    "at": "attention",
    "align": "alignment",
    "hint": "hints",
}
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
