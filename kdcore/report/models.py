"""Tables of several models side by side: overall scores, classes, one class found among all.

Each is a list of rows, the first of them its head. Cells are `Interval`s, which a page's table and
`latex_table` write as texts and `cells.spread` as three columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kdcore.base.words import percent
from kdcore.data import DATASETS
from kdcore.evaluate import BY_CLASS, Detection, Evaluation
from kdcore.report.cells import Rows
from kdcore.report.tables import SHORT_TITLES, TITLES

# Macro scores lead: two thirds of HAM10000 are one class, which alone gives 0.67 accuracy.
SCORES: Mapping[str, str] = {
    name: SHORT_TITLES[name]
    for name in (
        *("macro_f1", "balanced_accuracy", "accuracy", "weighted_f1", "mcc"),
        *("macro_auc", "macro_ap", "nll", "brier", "ece"),
    )
}
CLASS_SCORES: Mapping[str, str] = {
    name: TITLES[name] for name in ("f1", "recall", "precision", "auc", "ap")
}


def model_rows(found: Mapping[str, Evaluation]) -> Rows:
    """Return one row for each model, by its title, with the scores of `SCORES`."""
    body: Rows = [[title, *(e.metrics[name] for name in SCORES)] for title, e in found.items()]
    return [["model", *SCORES.values()], *body]


def model_class_rows(found: Mapping[str, Evaluation], score: str = "f1") -> Rows:
    """Return one row for each class, with one score of `CLASS_SCORES` of each model.

    `found` has evaluations on the same images by the model's title.

    Raises
    ------
    ValueError
        If there is no such score.
    """
    if score not in BY_CLASS:
        raise ValueError(f"score: expected one of {', '.join(BY_CLASS)}, got {score!r}")
    first, *_ = found.values()
    body: Rows = [
        [row.name, row.support, *(getattr(e.per_class[c], score) for e in found.values())]
        for c, row in enumerate(first.per_class)
    ]
    return [["class", "images", *found], *body]


def confusion_rows(found: Evaluation) -> Rows:
    """Return how often each true class (row) was decided to be each class (column)."""
    names = [row.name for row in found.per_class]
    body: Rows = [
        [name, *counts] for name, counts in zip(names, found.confusion.tolist(), strict=True)
    ]
    return [["true / decided", *names], *body]


def detection_rows(found: Mapping[str, Detection]) -> Rows:
    """Return one row for each model, by its title: AUC, and each rate where the other is kept."""
    first, *_ = found.values()
    head: list[object] = ["model", "AUC"]
    head += [f"sensitivity at {percent(t)} specificity" for t in first.sensitivity_at]
    head += [f"specificity at {percent(t)} sensitivity" for t in first.specificity_at]
    body: Rows = [
        [title, d.auc, *d.sensitivity_at.values(), *d.specificity_at.values()]
        for title, d in found.items()
    ]
    return [head, *body]


def class_gloss(classes: Sequence[str]) -> str:
    """Return what short class names of a known data set stand for, "" where they speak for all."""
    for info in DATASETS.values():
        if info.classes == tuple(classes) and info.long_names != info.classes:
            pairs = zip(info.classes, info.long_names)
            return "; ".join(f"{short}: {long}" for short, long in pairs) + "."
    return ""
