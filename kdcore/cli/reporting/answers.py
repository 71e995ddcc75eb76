"""The report's section on answers: confusion matrices, agreement, who is right where."""

from __future__ import annotations

from kdcore.charts.confusion import confusion_chart, quadrant_chart
from kdcore.cli.reporting.figures import figure
from kdcore.cli.reporting.study import Study, Subject
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


def answers_section(study: Study) -> Section:
    """Return each model's confusion matrix, and the first one's answers against each other's."""
    blocks: list[Block] = [Text("Rows are the true class; the colour is the share of the row.")]
    for subject in study.subjects:
        found = study.evaluations[subject.title]
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
                subject.source(study.part),
            )
        )
    tables = [_confusion_table(study, subject) for subject in study.subjects]
    return Section("answers", "Answers", (*blocks, *tables, *_pairs(study)))


def _confusion_table(study: Study, subject: Subject) -> Table:
    found = study.evaluations[subject.title]
    return Table(
        f"confusion-{subject.stem}",
        f"Confusion matrix of {subject.title}: true class by row, decision by column",
        confusion_rows(found),
        counted(found),
        subject.source(study.part),
        narrow=True,
    )


def _pairs(study: Study) -> tuple[Block, ...]:
    if not study.pairs:
        return ()
    first = next(iter(study.pairs.values()))
    sentences = [Text(_told(study, subject)) for subject in study.told if subject in study.others]
    tables = (
        Table(
            "pairs",
            f"Each model against {study.teacher.title}",
            pair_summary_rows(study.pairs),
            f"{note(first)} Δ: the model less {study.teacher.title}. McNemar's exact test takes "
            f"images for independent, which those of one lesion are not; Holm's adjustment is "
            f"over these {len(study.pairs)} models.",
            study.source,
        ),
        Table(
            "quadrants",
            f"Who is right where, against {study.teacher.title} (images)",
            quadrant_summary_rows(study.pairs),
            counted(first),
            study.source,
        ),
    )
    charts = (
        figure(
            f"quadrants-{s.stem}",
            f"Who is right where: {study.teacher.title} and {s.title}",
            quadrant_chart(study.pairs[s.title], study.colours),
            counted(first),
            f"{study.teacher.source(study.part)}, {s.source(study.part)}",
        )
        for s in study.others
    )
    return (*sentences, *tables, *charts)


def _told(study: Study, subject: Subject) -> str:
    """Return a model against the first one in sentences."""
    pair = study.pairs[subject.title]
    sentences = (
        taught_sentence(pair, study.teacher.model.card, subject.model.card),
        headline_sentence(pair),
        mcnemar_sentence(pair),
        mistakes_sentence(pair),
    )
    return " ".join(filter(None, sentences))
