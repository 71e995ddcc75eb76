"""Scores of several models as dots with their intervals: overall, by class, and differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from kdcore.base.words import capitalised
from kdcore.charts.dots import interval_dots
from kdcore.evaluate import LOWER_IS_BETTER, Evaluation, Interval, PairComparison
from kdcore.report.models import CLASS_SCORES, SCORES


def model_dots(
    found: Mapping[str, Evaluation], score: str, colours: Mapping[str, str]
) -> alt.LayerChart:
    """Return one overall score of `SCORES` as a dot for each model, by its title."""
    rows = [_dot(title, title, e.metrics[score]) for title, e in found.items()]
    better = "lower" if score in LOWER_IS_BETTER else "higher"
    return interval_dots(rows, f"{capitalised(SCORES[score])} ({better} is better)", colours)


def class_dots(
    found: Mapping[str, Evaluation], score: str, colours: Mapping[str, str]
) -> alt.LayerChart:
    """Return one score of `CLASS_SCORES` of each class, a dot for each model of the same images."""
    rows = [
        _dot(class_label(row.name, row.support), title, getattr(row, score))
        for title, e in found.items()
        for row in e.per_class
    ]
    axis = f"{capitalised(CLASS_SCORES[score])} (higher is better)"
    return interval_dots(rows, axis, colours, domain=(0, 1))


def difference_dots(found: PairComparison, score: str, colour: str) -> alt.LayerChart:
    """Return the second less the first in one score of `CLASS_SCORES` by class, and a line at 0."""
    series = f"Δ {CLASS_SCORES[score]}"
    rows = [
        _dot(class_label(row.name, row.support), series, row.scores[score].delta)
        for row in found.per_class
    ]
    axis = f"{series}: {found.student}\nless {found.teacher}"
    return interval_dots(rows, axis, {series: colour}, reference=0)


def class_label(name: str, support: int) -> str:
    """Return "mel (n = 156)"."""
    return f"{name} (n = {support:,})"


def _dot(label: str, series: str, interval: Interval) -> dict[str, Any]:
    return {"label": label, "series": series} | interval.as_dict()
