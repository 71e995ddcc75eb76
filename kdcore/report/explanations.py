"""Tables of a study of heatmaps: means, floors, differences from the baseline, corruptions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from kdcore.data.corruptions import CLEAN
from kdcore.evaluate import QUADRANTS
from kdcore.evaluate.explanations import Explanations
from kdcore.evaluate.map_means import ALL, SAME_ANSWERS, PartMean
from kdcore.evaluate.robustness import corruption_of
from kdcore.explain.judge import MOST_ALIKE_OTHER, MOST_ALIKE_SHUFFLED, MOST_CHANGE
from kdcore.predict.map_scores import AGREEMENT, FLOORS
from kdcore.report.cells import Rows
from kdcore.report.notes import note
from kdcore.report.robustness import corruption_title

METRICS = {
    "pearson": "correlation (Pearson's r)",
    "spearman": "rank correlation (Spearman's ρ)",
    "cosine": "cosine",
    "ssim": "structural similarity (SSIM)",
    "iou": "overlap of the top 20 %",
    "lesion_pointing": "strongest point on the lesion",
    "lesion_energy": "share of the map on the lesion",
    "lesion_rank": "share of the top points on the lesion",
    "lesion_iou": "overlap with the lesion",
    "insertion": "insertion",
    "deletion": "deletion",
    "road": "ROAD",
    "drop": "drop behind the map",
    "gain": "gain behind the map",
    "sensitivity": "change under noise",
    "shuffled": "likeness to the shuffled network's map",
    "shuffled_empty": "share of empty maps, shuffled network",
    "other_class": "likeness to other classes' maps",
    "other_class_empty": "share of images with nothing but empty maps for other classes",
}
CHECKS = ("sensitivity", "shuffled", "shuffled_empty", "other_class", "other_class_empty")
BOUNDS = {  # what the check of a single map asks for
    "sensitivity": MOST_CHANGE,
    "shuffled": MOST_ALIKE_SHUFFLED,
    "other_class": MOST_ALIKE_OTHER,
}
MAP_LOWER_IS_BETTER = frozenset({"deletion", "drop", "road", *BOUNDS})
LOCALISATION = tuple(name for name in METRICS if name.startswith("lesion"))
FAITHFULNESS = ("insertion", "deletion", "road", "drop", "gain")


def metrics_of(found: Explanations, among: Iterable[str] = tuple(METRICS)) -> list[str]:
    """Return which of some metrics any model has, in their order."""
    has = {row.metric for rows in found.means.values() for row in rows}
    return [metric for metric in among if metric in has]


def metric_note(found: Explanations, metric: str, corrupted: bool = False) -> str:
    """Return `note` of the images that have a metric, which may be fewer than the study's.

    Parameters
    ----------
    found : of the study
    metric : one of `metrics_of`; models differ where a map is constant, and the most are told
    corrupted : of the images that are compared under corruptions
    """
    rows = [
        row
        for of in (found.corrupted if corrupted else found.means).values()
        for row in of
        if row.metric == metric and row.scope in (ALL, "corruption")
    ]
    most = max(rows, key=lambda row: row.n)
    return note(replace(found, n=most.n, n_groups=most.lesions))


def mean_table(found: Explanations, metrics: Iterable[str], scope: str = ALL) -> Rows:
    """Return one row for each model, and part of a scope, with the means of some metrics.

    Faithfulness and the checks, asked of fewer images, have a column of images of their own where
    they stand beside others.

    Parameters
    ----------
    found : of the study
    metrics : keys of `METRICS`; those that no model has are left out
    scope : "all", "class" or "quadrant"
    """
    chosen = metrics_of(found, metrics)
    tested = [metric for metric in chosen if metric in (*FAITHFULNESS, *CHECKS)]
    groups = [g for g in ([m for m in chosen if m not in tested], tested) if g]
    head: list[object] = ["model", *([] if scope == ALL else [scope])]
    for images, group in zip(("images", "images tested"), groups):
        head += [images, *_titles(group)]
    body: Rows = []
    for model, rows in found.means.items():
        places = {(r.name, r.metric): r for r in rows if r.scope == scope}
        for name in dict.fromkeys(name for name, _ in places):
            cells = [[places.get((name, metric)) for metric in group] for group in groups]
            if any(map(any, cells)):
                own = [value for group in cells for value in _counted(group)]
                body.append([found.titles[model], *_part(scope, name), *own])
    return [head, *body]


def transfer_rows(found: Explanations) -> Rows:
    """Return one row for each distilled student: the answer and what it rests on."""
    head: list[object] = ["student", "baseline", "agreement", "baseline's", "difference", "p"]
    head += ["same answers: difference", "p there", "images there"]
    head += ["particular to the image", "its p", "explanations transferred"]
    body: Rows = []
    for t in found.transfers:
        beyond = t.same_answers
        there: list[object] = [beyond.mean, beyond.p, beyond.n] if beyond else [None, None, 0]
        names: list[object] = [found.titles[t.student], found.titles[t.baseline]]
        means: list[object] = [t.student_mean.mean, t.baseline_mean.mean, t.gain.mean, t.gain.p]
        own = t.particular
        about: list[object] = [own.mean, own.p] if own else [None, None]
        body.append([*names, *means, *there, *about, t.verdict])
    return [head, *body]


def floor_rows(found: Explanations, metrics: Collection[str] = tuple(METRICS)) -> Rows:
    """Return one row for each model, metric and floor: the mean, the floor's, the difference.

    `metrics` are keys of `METRICS`.
    """
    head: list[object] = ["model", "metric", "images", "floor"]
    head += ["mean", "floor's mean", "difference", "p"]
    body: Rows = []
    for model, by_floor in found.lifts.items():
        means = {r.metric: r.mean for r in found.means[model] if r.scope == ALL}
        for floor, rows in by_floor.items():
            for r in (row for row in rows if row.metric in metrics):
                told: list[object] = [found.titles[model], METRICS[r.metric], r.n, FLOORS[floor]]
                values: list[object] = [means[r.metric], means[f"{r.metric}_{floor}"], r.mean, r.p]
                body.append([*told, *values])
    return [head, *body]


def difference_rows(found: Explanations) -> Rows:
    """Return one row for each student, metric and part: the student's less its baseline's."""
    body: Rows = []
    for model, rows in found.differences.items():
        title = found.titles[model]
        body += [[title, METRICS[r.metric], *_place(r), r.n, r.mean, r.p] for r in rows]
    return [["student", "metric", "part", "which", "images", "student − baseline", "p"], *body]


def corrupted_rows(found: Explanations) -> Rows:
    """Return one row for each student, measure of agreement and corruption."""
    body: Rows = []
    for model, rows in found.corrupted.items():
        body += [
            [found.titles[model], METRICS[r.metric], corruption_title(r.name), r.n, r.mean]
            for r in rows
        ]
    return [["student", "measure", "corruption", "images", "agreement"], *body]


def map_corruptions(found: Explanations) -> dict[str, str]:
    """Return the titles of the corruptions that maps are compared under, by name."""
    stacks = dict.fromkeys(row.name for rows in found.corrupted.values() for row in rows)
    names = dict.fromkeys(corruption_of(stack) for stack in stacks if stack != CLEAN)
    return {name: corruption_title(name) for name in names}


def lowest_rows(found: Explanations) -> Rows:
    """Return one row for each of the images that a student and the teacher agree on least."""
    body: Rows = [
        [found.titles[model], place, sample]
        for model, ids in found.lowest.items()
        for place, sample in enumerate(ids, start=1)
    ]
    return [["student", "place", "image"], *body]


def agreement_table(found: Explanations) -> Rows:
    """Return `mean_table` of the measures of agreement."""
    return mean_table(found, AGREEMENT)


def _counted(cells: Sequence[PartMean | None]) -> list[object]:
    """Return how many images cells are of, the most where they differ, then their means."""
    images = max((cell.n for cell in cells if cell), default=0)
    return [images, *(cell.mean if cell else None for cell in cells)]


def _titles(metrics: Iterable[str]) -> list[str]:
    arrows = {True: " ↓", False: ""}
    return [METRICS[metric] + arrows[metric in MAP_LOWER_IS_BETTER] for metric in metrics]


def _part(scope: str, name: str) -> list[object]:
    if scope == ALL:
        return []
    return [QUADRANTS.get(name, name)]


def _place(row: PartMean) -> list[object]:
    if row.scope == "corruption":
        return [row.scope, corruption_title(row.name)]
    told = {ALL: "all images", SAME_ANSWERS: "both students give the teacher's answer"}
    return [told.get(row.scope, row.scope), row.name]
