"""Charts of a study of heatmaps: means beside their floors, parts, severities; causal masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from kdcore.base.words import capitalised
from kdcore.charts.dots import interval_dots
from kdcore.charts.lines import labelled_lines
from kdcore.charts.style import NEUTRAL, STUDENT, TEACHER
from kdcore.data.corruptions import CLEAN
from kdcore.evaluate import QUADRANTS, Interval
from kdcore.evaluate.explanations import Explanations
from kdcore.evaluate.interventions import InterventionStudy
from kdcore.evaluate.map_means import ALL, SAME_ANSWERS, PartMean
from kdcore.evaluate.robustness import corruption_of
from kdcore.predict.map_scores import AGREEMENT, FLOORS
from kdcore.report.explanations import BOUNDS, MAP_LOWER_IS_BETTER, METRICS
from kdcore.report.interventions_text import stage_label

_FLOORS = {
    "mismatched": "teacher's map of another\nimage, same answer",
    "mismatched_any": "teacher's map of\nany other image",
    "centre": "blob in the middle",
    "edges": "edges of the picture",
    "random": "random blobs",
    "uniform": "same everywhere",
    "chance": "pixels in\nrandom order",
}
_MAP = "the model's map"
_OWN = {"shuffled": "map of the\nshuffled network", "other_class": "maps for\nother classes"}
_WHOLE = {ALL: "all images", SAME_ANSWERS: "both students give the\nteacher's answer"}
OWN_MASK, TEACHER_MASK, REGIONS = "its own mask", "the teacher's mask", "random regions"


def floor_dots(found: Explanations, metric: str, colours: Mapping[str, str]) -> alt.LayerChart:
    """Return the mean of a metric and of each of its floors over all images, a dot for each model.

    A line marks what the check of a single map asks for, where there is such a check.

    Parameters
    ----------
    found : of the models to draw
    metric : a key of `METRICS`
    colours : by the model's title
    """
    own = "teacher's map of\nthe same image" if metric in AGREEMENT else _OWN.get(metric, _MAP)
    labels = {metric: own} | {f"{metric}_{floor}": _FLOORS[floor] for floor in FLOORS}
    rows = [
        _dot(label, found.titles[model], row)
        for column, label in labels.items()
        for model, means in found.means.items()
        for row in means
        if row.metric == column and row.scope == ALL
    ]
    return interval_dots(rows, _axis(metric), _of(colours, rows), reference=BOUNDS.get(metric))


def part_dots(
    found: Explanations, metric: str, scope: str, colours: Mapping[str, str]
) -> alt.LayerChart:
    """Return the mean of a metric over each part of a scope, a dot for each model.

    Every model has quadrants of its own, so their sizes are in the tooltips and the table.

    Parameters
    ----------
    found, metric, colours : those of `floor_dots`
    scope : "class" or "quadrant"
    """
    rows = []
    for model, means in found.means.items():
        for row in (r for r in means if r.metric == metric and r.scope == scope):
            label = QUADRANTS.get(row.name, f"{row.name} (n = {row.n:,})")
            rows.append(_dot(label.replace(", ", ",\n"), found.titles[model], row))
    order = [title.replace(", ", ",\n") for title in QUADRANTS.values()]
    if scope == "quadrant":
        rows.sort(key=lambda row: order.index(row["label"]))
    return interval_dots(rows, _axis(metric), _of(colours, rows))


def gain_dots(
    found: Explanations, metric: str, scope: str, colours: Mapping[str, str]
) -> alt.LayerChart | None:
    """Return a metric of each student less its baseline's, image by image, and a line at 0.

    None where no student has a baseline.

    Parameters
    ----------
    found, metric, colours : those of `floor_dots`
    scope : "all", which has the images with the same answers beside them, or "class"
    """
    scopes = tuple(_WHOLE) if scope == ALL else (scope,)
    rows = []
    for model, differences in found.differences.items():
        for row in (r for r in differences if r.metric == metric and r.scope in scopes):
            label = _WHOLE.get(row.scope, f"{row.name} (n = {row.n:,})")
            rows.append(_dot(label, found.titles[model], row))
    if not rows:
        return None
    title = f"Student − baseline\n{METRICS[metric]}"
    return interval_dots(rows, title, _of(colours, rows), reference=0)


def severity_lines(
    found: Explanations, measure: str, corruption: str, colours: Mapping[str, str]
) -> alt.LayerChart:
    """Return the agreement of each student over the severities of a corruption; 0 is clean.

    Parameters
    ----------
    found, colours : those of `floor_dots`
    measure : one of `AGREEMENT`
    corruption : a name without its severity
    """
    rows = []
    for model, means in found.corrupted.items():
        for row in (r for r in means if r.metric == measure):
            if row.name == CLEAN or corruption_of(row.name) == corruption:
                severity = row.name.removeprefix(corruption).lstrip("-")
                place = 0 if row.name == CLEAN else int(severity)
                rows.append({"x": place, "series": found.titles[model]} | _ends(row.mean))
    return labelled_lines(
        rows,
        _axis(measure).split("\n")[0],
        list(drawn := _of(colours, rows)),
        x_title="Severity",
        colours=drawn,
    )


def mask_dots(study: InterventionStudy, colour: str) -> alt.LayerChart:
    """Return what removing a network's masks costs beside random regions, by stage and area.

    `colour` is the network's.
    """
    rows = [
        {"label": stage_label(found), "series": series} | _ends(value)
        for found in study.effects
        for series, value in ((OWN_MASK, found.own.drop), (REGIONS, found.own.random))
    ]
    title = "Fall of the probability when it is removed"
    return interval_dots(rows, title, {OWN_MASK: colour, REGIONS: NEUTRAL}, reference=0)


def mask_transfer_dots(study: InterventionStudy) -> alt.LayerChart:
    """Return what the student's own masks and the teacher's cost it beyond random regions."""
    rows = [
        {"label": stage_label(found), "series": series} | _ends(mask.effect)
        for found in study.effects
        for series, mask in ((OWN_MASK, found.own), (TEACHER_MASK, found.transferred))
    ]
    title = "Fall of the student's probability\nbeyond that of random regions"
    return interval_dots(rows, title, {OWN_MASK: STUDENT, TEACHER_MASK: TEACHER}, reference=0)


def _dot(label: str, series: str, row: PartMean) -> dict[str, Any]:
    return {"label": label, "series": series, "note": f"n = {row.n:,} images"} | _ends(row.mean)


def _ends(interval: Interval) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _of(colours: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the colours of the series that are drawn."""
    drawn = {row["series"] for row in rows}
    return {title: colour for title, colour in colours.items() if title in drawn}


def _axis(metric: str) -> str:
    title = METRICS[metric]
    better = "lower is better" if metric in MAP_LOWER_IS_BETTER else "higher is better"
    return f"{capitalised(title)}\n({'1 = alike' if metric in AGREEMENT else better})"
