"""The report's sections on trust: calibration before and after, and operating points."""

from __future__ import annotations

from collections.abc import Iterable

import altair as alt

from kdcore.base.words import listed
from kdcore.charts.operating import alarm_chart, weights_chart
from kdcore.charts.reliability import measure_chart, reliability_chart
from kdcore.cli.reporting.figures import figure
from kdcore.cli.reporting.models import SEED, ReportModels, Subject
from kdcore.data.info import MELANOMA
from kdcore.evaluate import (
    CALIBRATORS,
    CalibrationRow,
    Calibrator,
    calibration_deltas,
    calibration_table,
    calibrators_for,
    choose_alarm,
    choose_class_weights,
    choose_rejection,
    reliability_diagram,
)
from kdcore.evaluate.bootstrap import SHIFTED
from kdcore.evaluate.calibration import BINS
from kdcore.predict.shelf import baseline_of
from kdcore.report.calibration import (
    AGAINST,
    MEASURES,
    answer_text,
    delta_rows,
    ece_intervals_text,
    measure_rows,
    what_it_is,
)
from kdcore.report.cells import joined
from kdcore.report.document import Block, Figure, Section, Table, Text
from kdcore.report.operating import alarm_rows, paired_rows, rejection_text
from kdcore.report.operating_text import alarm_text, missed_target_text, parts_note, weights_text

_SHOWN = ("as trained", "temperature")
_SIDE = 330  # px, of a diagram beside another
_Rows = tuple[CalibrationRow, ...]


def calibration_section(models: ReportModels) -> Section:
    """Return what each calibrator does, distillation against scaling alone, and diagrams."""
    tables = {
        s.title: (s.model.role, calibration_table(s.val, s.test, models.resamples, SEED))
        for s in models.subjects
    }
    short = {title: (role, _shown(rows)) for title, (role, rows) in tables.items()}
    told = f"{_note(models)} That of the ECE is {SHIFTED}. Calibrators are fitted on validation."
    more = " The CSV has vector scaling and isotonic regression, too."
    blocks: list[Block] = [
        Text(
            "Lower is better, but for accuracy and macro-F1. Temperature scaling divides the "
            "logits by one number, fitted on validation, and moves no answer."
        ),
        Text(ece_intervals_text()),
        Table(
            "calibration", "Calibration before and after", measure_rows(short, shown=True),
            told + more, models.both_sources, measure_rows(tables),
        ),
        _ece_figure(models, {title: rows for title, (_, rows) in short.items()}, told),
    ]  # fmt: skip
    for student in models.subjects:
        blocks += _against_scaling(models, student)
    blocks += [_diagrams(models, subject) for subject in models.subjects]
    return Section("calibration", "Calibration", tuple(blocks))


def _shown(rows: Iterable[CalibrationRow]) -> _Rows:
    return tuple(row for row in rows if row.name in _SHOWN)


def _ece_figure(models: ReportModels, tables: dict[str, _Rows], told: str) -> Figure:
    base = next((s for s in models.subjects if s.model.role == "baseline" and s.val), None)
    scaled = {row.name: row for row in tables[base.title]}.get("temperature") if base else None
    if base and scaled:
        told = f"Dashed: {what_it_is('baseline', 'temperature')} ({base.title}). {told}"
    return figure(
        "calibration-ece",
        "ECE before and after temperature scaling",
        measure_chart(
            tables, "ece", MEASURES["ece"], models.colours, scaled.ece.value if scaled else None
        ),
        told,
        models.both_sources,
    )


def _against_scaling(models: ReportModels, student: Subject) -> tuple[Block, ...]:
    """Return a distilled student against temperature scaling of its baseline alone."""
    ready = {s.model.name: s for s in models.subjects if s.val}
    if student.model.role != "student" or student.model.name not in ready:
        return ()
    found = baseline_of(student.model, [s.model for s in ready.values()])
    if found is None:
        return ()
    baseline = ready[found.name]
    deltas = {
        title: calibration_deltas(
            (baseline.test, _calibrators(baseline)[other]),
            (student.test, _calibrators(student)[own]),
            models.resamples,
            SEED,
        )
        for title, own, other in AGAINST
    }
    n = len(student.test)
    sources = (s.source("val", models.part) for s in (student, baseline))
    return (
        Text(f"**{student.title}** against {baseline.title}:"),
        *(Text(answer_text(name, delta, n)) for name, delta in deltas.items()),
        Table(
            f"kd-against-scaling-{student.stem}",
            f"{student.title} against {baseline.title}, and with temperature scaling",
            delta_rows(deltas, n, shown=True),
            f"Difference: KD less no KD, below 0 is better. {_note(models)} The same lesions are "
            f"drawn for both; that of an ECE difference is {SHIFTED}.",
            ", ".join(sources),
            delta_rows(deltas, n),
        ),
    )


def _diagrams(models: ReportModels, subject: Subject) -> Figure:
    """Return a model's reliability diagrams as trained and, where there is one, scaled."""
    drawn, said, tallest = [], [], []
    for name, calibrator in _calibrators(subject).items():
        if name not in _SHOWN:
            continue
        found = reliability_diagram(
            subject.test, calibrator.apply(subject.test.logits), n_boot=models.resamples, seed=SEED
        )
        chart = reliability_chart(found, models.colours[subject.title])
        drawn.append(chart.properties(width=_SIDE, height=_SIDE, title=CALIBRATORS[name]))
        said.append(f"ECE {found.bins.ece:.3f} {CALIBRATORS[name]}")
        tallest.append(f"{max(found.bins.count):,}")
    return figure(
        f"reliability-{subject.stem}",
        f"Reliability of {subject.title}",
        alt.hconcat(*drawn),
        f"{'; '.join(said)}, in {BINS} bins of equal width. {_note(models)} Bars count images, "
        f"the tallest {listed(tallest)}.",
        subject.source(*(["val"] if subject.val else []), models.part),
    )


def _calibrators(subject: Subject) -> dict[str, Calibrator]:
    return {c.name: c for c in calibrators_for(subject.val, subject.test)}


def operating_section(models: ReportModels) -> Section | None:
    """Return thresholds and weights chosen on validation; None where no model has validation."""
    ready = [s for s in models.subjects if s.val]
    if not ready:
        return None
    blocks: list[Block] = [
        Text(
            "What is chosen on validation is measured on the test part. Probabilities are "
            "calibrated by each model's own temperature."
        ),
        *_rejection(models, ready),
        *_weights(models, ready),
        *_alarm(models, [s for s in ready if s.val and MELANOMA in s.val.classes]),
    ]
    return Section("operating", "Operating points", tuple(blocks))


def _rejection(models: ReportModels, ready: list[Subject]) -> list[Block]:
    found = {
        s.title: choose_rejection(s.val, s.test, s.model.temperature, models.resamples, SEED)
        for s in ready
        if s.val
    }
    rows = joined(
        {title: paired_rows(r.scores, "with rejection") for title, r in found.items()}, "model"
    )
    thresholds = {title: [r.tau, r.tau_as_class] for title, r in found.items()}
    head, *body = rows
    return [
        *_said(models, {title: rejection_text(r) for title, r in found.items()}),
        Table(
            "operating-rejection",
            "A confidence τ below which no decision is made",
            [
                [*head, "τ", "τ, rejected as a class"],
                *([*row, *thresholds[str(row[0])]] for row in body),
            ],
            f"{_note(models)} Rejected images count as misses of their class.",
            models.both_sources,
        ),
    ]


def _weights(models: ReportModels, ready: list[Subject]) -> list[Block]:
    found = {
        s.title: choose_class_weights(s.val, s.test, n_boot=models.resamples, seed=SEED)
        for s in ready
        if s.val
    }
    scores = {title: paired_rows(w.scores, "with weights") for title, w in found.items()}
    return [
        *_said(models, {title: weights_text(w) for title, w in found.items()}),
        Table(
            "operating-weights",
            "Weights by class, one power of the class counts, chosen for the macro-F1",
            [
                ["model", *models.teacher.test.classes],
                *([title, *map(float, w.weights)] for title, w in found.items()),
            ],
            "What each probability is multiplied by before the highest is taken.",
            models.both_sources,
        ),
        Table(
            "operating-weights-scores", "What the weights do",
            joined(scores, "model"), _note(models), models.both_sources,
        ),
        figure(
            "operating-weights", "What the weights do to each score",
            weights_chart({title: w.scores for title, w in found.items()}, models.colours),
            _note(models), models.both_sources,
        ),
    ]  # fmt: skip


def _alarm(models: ReportModels, ready: list[Subject]) -> list[Block]:
    found = {
        s.title: choose_alarm(
            s.val, s.test, MELANOMA, temperature=s.model.temperature,
            n_boot=models.resamples, seed=SEED,
        )
        for s in ready
        if s.val and (s.val.labels == s.val.classes.index(MELANOMA)).any()
    }  # fmt: skip
    if not found:
        return []
    told = f"{_note(models)} They take the threshold as given."
    return [
        *_said(models, {t: f"{alarm_text(a)} {missed_target_text(a)}" for t, a in found.items()}),
        Table(
            "operating-alarm",
            "An alarm for melanoma, its threshold chosen for 90 % sensitivity on validation",
            joined({title: alarm_rows([a]) for title, a in found.items()}, "model"),
            told,
            models.both_sources,
        ),
        figure(
            "operating-alarm", "An alarm for melanoma", alarm_chart(found, models.colours),
            f"The dashed line is the sensitivity asked for. {told}", models.both_sources,
        ),
    ]  # fmt: skip


def _note(models: ReportModels) -> str:
    return parts_note({models.teacher.title: models.teacher.test}, models.resamples, SEED)


def _said(models: ReportModels, texts: dict[str, str]) -> list[Text]:
    """Return a paragraph for the teacher and each student; the others are in the tables."""
    told = [s.title for s in models.told if s.title in texts]
    return [Text(f"**{title}**: {texts[title].strip()}") for title in told]
