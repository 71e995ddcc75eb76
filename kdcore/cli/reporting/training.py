"""The report's section on training: the curves that a checkpoint's history holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kdcore.base import RecipeError
from kdcore.charts.training import history_panels, loss_chart, score_chart
from kdcore.cli.reporting.figures import figure
from kdcore.cli.reporting.models import ReportModels, Subject, joined_paths, short_path
from kdcore.distill import Recipe, RunFolder
from kdcore.distill.presets import weighted_parts
from kdcore.distill.validation import VAL_SCORE
from kdcore.models import strength
from kdcore.report.document import Block, Section, Table, Text
from kdcore.report.runs import COLUMN_TITLES

_NOTE = "One training run; without intervals."
_PANELS = "Grey: the other models, where there are any. Dot: the best epoch."
_TWO_SCORES = (
    "An epoch is scored in training, by the float32 weights on the whole validation part. The "
    "card's score, which the app shows, is of the released weights on the same images: they are "
    "rounded to half precision, which can move answers."
)
History = Sequence[Mapping[str, float]]


def training_section(models: ReportModels) -> Section | None:
    """Return the training curves of the models; None where no model has a history."""
    histories = {s: h for s in models.subjects if (h := _history(s))}
    if not histories:
        return None
    rows = [
        {"x": row["epoch"], "series": s.title, "value": row[VAL_SCORE]}
        for s, history in histories.items()
        for row in history
        if not math.isnan(row.get(VAL_SCORE, math.nan))
    ]
    source = joined_paths(RunFolder(s.folder).history_file for s in histories)
    missing = _without([s for s in models.subjects if s not in histories])
    blocks: list[Block] = [
        *([Text(missing)] if missing else []),
        Text("Epochs are counted from 1; the weights kept are those best on validation."),
    ]
    if rows:
        title = COLUMN_TITLES[VAL_SCORE]
        chart = history_panels(rows, title, models.colours)
        told = f"{_NOTE} {_PANELS} {missing}".strip()
        blocks.append(figure("training-macro-f1", f"{title} over epochs", chart, told, source))
    for subject, history in histories.items():
        blocks += _curves(subject, history)
    cards = joined_paths(s.folder / "card.json" for s in histories if s.model.card)
    blocks.append(_table(histories, ", ".join(filter(None, [source, cards]))))
    return Section("training", "Training", tuple(blocks))


def _curves(subject: Subject, history: History) -> list[Block]:
    charts = {
        "loss": loss_chart(history, weighted_parts(_recipe(subject), history)),
        "scores": score_chart(history),
    }
    titles = {"loss": "Training loss and its parts", "scores": "Scores on validation"}
    return [
        figure(
            f"training-{subject.stem}-{kind}",
            f"{titles[kind]}: {subject.title}",
            chart,
            _NOTE,
            _source(subject),
        )
        for kind, chart in charts.items()
    ]


def _without(subjects: Sequence[Subject]) -> str:
    """Return which models have no history, in a sentence; "" of none."""
    names = [
        f"{s.title} (its networks were trained one by one)"
        if s.model.card and s.model.card.members
        else s.title
        for s in subjects
    ]
    return f"No training history: {'; '.join(names)}." if names else ""


def _table(histories: Mapping[Subject, History], source: str) -> Table:
    """Return the best epoch of each model; in the CSV every epoch with every column."""
    columns = list(dict.fromkeys(k for h in histories.values() for row in h for k in row))
    every: list[list[object]] = [
        [s.title, *(row.get(key, math.nan) for key in columns)]
        for s, history in histories.items()
        for row in history
    ]
    head: list[object] = ["model", "epochs", "best epoch", COLUMN_TITLES[VAL_SCORE]]
    body: list[list[object]] = []
    for s, history in histories.items():
        best: Any = max(history, key=lambda row: -1 if _unknown(row) else row[VAL_SCORE])
        found = [int(best["epoch"]), best.get(VAL_SCORE, math.nan)]
        card = strength(s.model.card) if s.model.card else -1
        accuracy = best.get("val_accuracy", math.nan)
        body.append([s.title, len(history), *found, card if card >= 0 else None, accuracy])
    return Table(
        "training", "Epochs, and the best of them by macro-F1 on validation",
        [[*head, f"{COLUMN_TITLES[VAL_SCORE]}, card", COLUMN_TITLES["val_accuracy"]], *body],
        f"{_NOTE} {_TWO_SCORES} The CSV has every epoch.", source, [["model", *columns], *every],
    )  # fmt: skip


def _unknown(row: Mapping[str, float]) -> bool:
    return math.isnan(row.get(VAL_SCORE, math.nan))


def _history(subject: Subject) -> list[dict[str, float]]:
    return [row for row in RunFolder(subject.folder).read_history() if "epoch" in row]


def _source(subject: Subject) -> str:
    return short_path(RunFolder(subject.folder).history_file)


def _recipe(subject: Subject) -> Recipe | None:
    """Return the recipe of the card; None where it has none that can be read."""
    try:
        return Recipe.from_dict(subject.model.card.recipe) if subject.model.card else None
    except RecipeError:
        return None
