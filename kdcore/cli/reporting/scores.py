"""The report's sections on scores: what each model is and reached, and class by class."""

from __future__ import annotations

from collections.abc import Mapping

from kdcore.base.words import capitalised
from kdcore.charts.compare import class_dots, difference_dots, model_dots
from kdcore.cli.reporting.figures import figure
from kdcore.cli.reporting.models import ReportModels, Subject, joined_paths
from kdcore.evaluate import Evaluation, PairComparison
from kdcore.models.checkpoint import WEIGHTS
from kdcore.report.cells import Rows
from kdcore.report.document import Block, Section, Table, Text
from kdcore.report.models import CLASS_SCORES, SCORES, class_gloss, model_class_rows
from kdcore.report.notes import note
from kdcore.report.pair import class_gap_rows
from kdcore.report.summary import size_rows, summary_rows

_DRAWN = ("macro_f1", "accuracy", "ece")
_CALIBRATED = "Probabilities are calibrated by each model's own temperature."


def summary_section(models: ReportModels) -> Section:
    """Return the models with their sizes, and their scores with intervals."""
    found = models.evaluations
    told = f"{note(found[models.teacher.title])} {_CALIBRATED}"
    sizes = {s.title: (s.model.role, s.model.card, s.folder) for s in models.subjects}
    cards = [s for s in models.subjects if s.model.card]
    blocks: list[Block] = [
        Text(
            f"The others are held against **{models.teacher.title}**; the table says who taught "
            "whom. Macro scores lead, because a common class alone can give a high accuracy; NLL, "
            "Brier score and ECE are better when lower."
        ),
        Table(
            "models",
            "Models and their sizes",
            size_rows(sizes),
            "A weights file may store half-precision numbers (F16). The temperature was fitted on "
            "validation and divides the logits.",
            joined_paths(s.folder / name for s in cards for name in ("card.json", WEIGHTS))
            or models.source,
        ),
        Table("summary", "Scores with 95 % intervals", summary_rows(found), told, models.source),
        *(
            figure(
                f"summary-{score.replace('_', '-')}",
                f"{capitalised(SCORES[score])} of each model",
                model_dots(found, score, models.colours),
                told,
                models.source,
            )
            for score in _DRAWN
        ),
    ]
    return Section("summary", "Models and scores", tuple(blocks))


def classes_section(models: ReportModels) -> Section:
    """Return precision, recall and F1 by class, and each model's gaps to the first one."""
    found, teacher = models.evaluations, models.teacher
    told = note(found[teacher.title])
    gloss = class_gloss(teacher.test.classes)
    blocks: list[Block] = [
        Text(
            f"Δ is the model's score less that of {teacher.title}; the relative Δ is Δ divided by "
            "the latter. An interval of Δ that includes 0 does not show a difference. "
            f"{gloss}".strip()
        ),
        figure(
            "classes-f1",
            "F1 by class",
            class_dots(found, "f1", models.colours),
            told,
            models.source,
        ),
        Table(
            "classes",
            "F1 by class of each model",
            model_class_rows(found, "f1"),
            f"{told} The CSV has precision and recall, too.",
            models.source,
            _long_rows(found),
        ),
    ]
    for subject in models.others:
        blocks += _gaps(models, subject, models.pairs[subject.title])
    return Section("classes", "Class by class", tuple(blocks))


def _gaps(models: ReportModels, subject: Subject, pair: PairComparison) -> tuple[Block, ...]:
    source = f"{models.teacher.source(models.part)}, {subject.source(models.part)}"
    return (
        Table(
            f"classes-{subject.stem}",
            f"{subject.title} against {models.teacher.title}, by class",
            class_gap_rows(pair),
            note(pair),
            source,
        ),
        *(
            figure(
                f"classes-{subject.stem}-delta-{score}",
                f"Δ {CLASS_SCORES[score]} by class: {subject.title} less {models.teacher.title}",
                difference_dots(pair, score, models.colours[subject.title]),
                note(pair),
                source,
            )
            for score in ("f1", "recall")
        ),
    )


def _long_rows(found: Mapping[str, Evaluation]) -> Rows:
    names = ("precision", "recall", "f1")
    body: Rows = [
        [title, row.name, row.support, *(getattr(row, name) for name in names)]
        for title, e in found.items()
        for row in e.per_class
    ]
    return [["model", "class", "images", *(CLASS_SCORES[name] for name in names)], *body]
