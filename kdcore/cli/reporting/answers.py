"""The report's section on answers: confusion matrices, agreement, who is right where."""

from __future__ import annotations

from kdcore.charts.confusion import confusion_chart, quadrant_chart
from kdcore.cli.reporting.figures import figure
from kdcore.cli.reporting.models import ReportModels, Subject
from kdcore.report.document import Block, Section, Table, Text
from kdcore.report.models import confusion_rows
from kdcore.report.notes import counted, note
from kdcore.report.pair import pair_summary_rows, quadrant_summary_rows
from kdcore.report.pair_words import (
    headline_sentence,
    mcnemar_sentence,
    mistakes_sentence,
    taught_sentence,
)


def answers_section(models: ReportModels) -> Section:
    """Return each model's confusion matrix, and the first one's answers against each other's."""
    blocks: list[Block] = [Text("Rows are the true class; the colour is the share of the row.")]
    for subject in models.subjects:
        found = models.evaluations[subject.title]
        blocks.append(
            figure(
                f"confusion-{subject.stem}",
                f"Confusion matrix of {subject.title}",
                confusion_chart(
                    found.confusion,
                    subject.test.classes,
                    "True class",
                    f"Class decided for by {subject.title}",
                ).properties(width=400),
                counted(found),
                subject.source(models.part),
            )
        )
    tables = [_confusion_table(models, subject) for subject in models.subjects]
    return Section("answers", "Answers", (*blocks, *tables, *_pairs(models)))


def _confusion_table(models: ReportModels, subject: Subject) -> Table:
    found = models.evaluations[subject.title]
    return Table(
        f"confusion-{subject.stem}",
        f"Confusion matrix of {subject.title}: true class by row, decision by column",
        confusion_rows(found),
        counted(found),
        subject.source(models.part),
        narrow=True,
    )


def _pairs(models: ReportModels) -> tuple[Block, ...]:
    if not models.pairs:
        return ()
    first = next(iter(models.pairs.values()))
    sentences = [
        Text(_told(models, subject)) for subject in models.told if subject in models.others
    ]
    tables = (
        Table(
            "pairs",
            f"Each model against {models.teacher.title}",
            pair_summary_rows(models.pairs),
            f"{note(first)} Δ: the model less {models.teacher.title}. McNemar's exact test takes "
            f"images for independent, which those of one lesion are not; Holm's adjustment is "
            f"over these {len(models.pairs)} models.",
            models.source,
        ),
        Table(
            "quadrants",
            f"Who is right where, against {models.teacher.title} (images)",
            quadrant_summary_rows(models.pairs),
            counted(first),
            models.source,
        ),
    )
    charts = (
        figure(
            f"quadrants-{s.stem}",
            f"Who is right where: {models.teacher.title} and {s.title}",
            quadrant_chart(models.pairs[s.title], models.colours),
            counted(first),
            f"{models.teacher.source(models.part)}, {s.source(models.part)}",
        )
        for s in models.others
    )
    return (*sentences, *tables, *charts)


def _told(models: ReportModels, subject: Subject) -> str:
    """Return a model against the first one in sentences."""
    pair = models.pairs[subject.title]
    sentences = (
        taught_sentence(pair, models.teacher.model.card, subject.model.card),
        headline_sentence(pair),
        mcnemar_sentence(pair),
        mistakes_sentence(pair),
    )
    return " ".join(filter(None, sentences))
