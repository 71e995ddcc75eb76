"""The report's section on what distillation brings: over lesions, and over training seeds."""

from __future__ import annotations

from pathlib import Path

from kdcore.cli.reporting.models import ReportModels, Subject
from kdcore.report.cells import joined
from kdcore.report.document import Block, Section, Table, Text
from kdcore.report.gains import gain_rows, sweeps_of, with_baselines
from kdcore.report.notes import not_measured, note
from kdcore.report.pair_words import headline_sentence
from kdcore.report.sweep_methods import student_name
from kdcore.report.sweep_scores import (
    SweepScores,
    ablation_note,
    ablation_rows,
    ablation_sentences,
    read_sweeps,
    sweep_columns,
)


def gains_section(models: ReportModels, folder: Path) -> Section | None:
    """Return the section; None where no student of the report has its baseline there.

    `folder` holds the sweeps' scores; those that can't be read are left out.
    """
    subjects = {s.title: s for s in models.subjects}
    named = with_baselines({title: s.model.card for title, s in subjects.items()})
    if not named:
        return None
    pairs = [models.compared(subjects[baseline], subjects[student]) for student, baseline in named]
    own = _sweeps([subjects[student] for student, _ in named], folder)
    sweeps = {(s.name, student): (s, student) for found in own.values() for s, student in found}
    missing = not_measured([title for title, found in own.items() if not found], how="over seeds")
    blocks: list[Block] = [
        Text(
            "Each student against the same network trained without a teacher, Δ = student less "
            "baseline. An interval over lesions speaks of other patients and these very networks, "
            "one training run of each. An interval over seeds speaks of other training runs on the "
            "same images. Neither speaks of both."
        ),
        *([Text(missing)] if missing else []),
        *(Text(headline_sentence(pair)) for pair in pairs),
        Table(
            "gains",
            "What distillation brings: released students less their baselines",
            gain_rows(pairs),
            f"{note(pairs[0])} One training run of each; nothing is adjusted for several scores.",
            models.source,
        ),
    ]
    for sweep, student in sweeps.values():
        blocks += _over_seeds(models, sweep, student)
    return Section("gains", "What distillation brings", tuple(blocks))


def _sweeps(students: list[Subject], folder: Path) -> dict[str, list[tuple[SweepScores, str]]]:
    """Return the sweeps of each student's network, by the student's title."""
    known, _ = read_sweeps([folder])
    return {s.title: sweeps_of(known, s.model.card) for s in students if s.model.card}


def _over_seeds(models: ReportModels, sweep: SweepScores, student: str) -> tuple[Block, ...]:
    """Return a sweep's methods against its reference, in sentences and as a table."""
    columns = sweep_columns(models.part)
    found = {title: sweep.ablation(column, student) for title, column in columns.items()}
    said = ablation_sentences(found)
    title = f"{sweep.title}, {student_name(sweep, student)}" if student else sweep.title
    first = next(iter(found))
    return (
        Text(f"Over seeds, **{title}**: {' '.join(said)}"),
        Table(
            "-".join(filter(None, ["gains-seeds", sweep.name, student.replace("_", "-")])),
            f"Over seeds: {title}",
            joined({title: ablation_rows(result) for title, result in found.items()}, "score"),
            ablation_note(sweep, found[first], columns[first]),
            "/".join(sweep.source.parts[-2:]),
        ),
    )
