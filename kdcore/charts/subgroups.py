"""Scores by group of images as dots with intervals: each group, and its gap to all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from kdcore.charts.dots import interval_dots
from kdcore.evaluate import Interval, Subgroup, Subgroups
from kdcore.evaluate.subgroups import OF_CLASS
from kdcore.report.subgroups import score_title


def group_chart(
    found: Mapping[str, Subgroups], score: str, colours: Mapping[str, str]
) -> alt.LayerChart:
    """Return a row for each group, a dot for each model; groups that are too small are faint.

    Parameters
    ----------
    found : by model, all measured by the same attribute; at least one
    score : one of their `scores`
    colours : of the models by name
    """
    told = {g.name for of in found.values() for g in of.groups if not g.scores[score].too_small}
    rows = []
    for name, of in found.items():
        for group in of.groups:
            s = group.scores[score]
            label = _label(group, score, of.positive)
            label += "" if group.name in told else ", too few"
            rows.append(_dot(name, label, s.value, s.too_small))
    return interval_dots(rows, _title(found, score), _of(colours, found))


def gap_chart(
    found: Mapping[str, Subgroups], score: str, colours: Mapping[str, str]
) -> alt.LayerChart | None:
    """Return how far each group large enough lies from all others, or None if there is none.

    Parameters are those of `group_chart`.
    """
    rows = [
        _dot(name, _label(group, score, of.positive), s.gap)
        for name, of in found.items()
        for group in of.groups
        if not (s := group.scores[score]).gap_too_small
    ]
    if not rows:
        return None
    title = f"{_title(found, score)}, group less all others"
    return interval_dots(rows, title, _of(colours, found), reference=0)


def _label(group: Subgroup, score: str, positive: str) -> str:
    """Return two lines: the name of a group, and how many images and lesions it has."""
    size = f"{group.n:,} / {group.lesions:,}"
    if score in OF_CLASS:
        size += f" / {group.positives:,} {positive}"
    return f"{group.name}\n{size}"


def _dot(name: str, label: str, shown: Interval, too_small: str = "") -> dict[str, Any]:
    ends = {"value": shown.value, "low": shown.low, "high": shown.high}
    return {
        "label": label,
        "series": name,
        **ends,
        "note": too_small or None,
        "faint": bool(too_small),
    }


def _title(found: Mapping[str, Subgroups], score: str) -> str:
    return score_title(score, next(iter(found.values())).positive)


def _of(colours: Mapping[str, str], found: Mapping[str, Any]) -> dict[str, str]:
    return {name: colours[name] for name in found}
