"""The report's section on efficiency, from a record that `kdcore efficiency` wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kdcore.charts.tradeoff import tradeoff_chart
from kdcore.cli.reporting.figures import figure
from kdcore.cli.reporting.models import SEED, ReportModels, Subject
from kdcore.deploy.efficiency import RULE, Efficiency, ModelCost
from kdcore.evaluate import Evaluation, evaluate_predictions
from kdcore.predict import Predictions
from kdcore.report.document import Block, Section, Table, Text
from kdcore.report.efficiency import (
    artefact_rows,
    model_rows,
    recommendation,
    restricted,
    table_note,
)
from kdcore.report.efficiency_files import NAME, form_path, load_form, read_efficiency
from kdcore.report.latency import PERCENTILES, timed, timing_rows
from kdcore.report.notes import not_measured, note
from kdcore.report.tradeoff import Scored, make_points, scored, single_pictures, tradeoff_note

_QUALITY = "macro_f1"


def efficiency_section(models: ReportModels, folder: Path) -> Section | None:
    """Return the section; None where `folder` has no record of a model of the report.

    What the record lacks, or has in other weights, is named. The record's scores are of the test
    part, so a report on validation has no such section.

    Raises
    ------
    DataError
        If the record, or predictions of it, are broken.
    """
    found = read_efficiency(folder) if models.part == "test" else None
    if found is None:
        return None
    known = {model.weights for model in found.models}
    subjects = [s for s in models.subjects if s.test.checkpoint_hash in known]
    names = {model.name for model in found.models}
    others = [s for s in models.subjects if s not in subjects]
    stale = [s.title for s in others if s.model.name in names]
    if not subjects and not stale:
        return None
    missing = not_measured([s.title for s in others if s.title not in stale], stale)
    blocks: list[Block] = [Text(missing)] if missing else []
    if subjects:
        own = restricted(found, {s.test.checkpoint_hash: s.title for s in subjects})
        blocks += _measured(models, own, subjects, folder)
    return Section("efficiency", "Efficiency", tuple(blocks))


def _measured(
    models: ReportModels, found: Efficiency, subjects: Sequence[Subject], folder: Path
) -> list[Block]:
    source = f"{folder.resolve().name}/{NAME}.json"
    forms = {
        (model.name, variant.engine): predictions
        for model in found.models
        for variant in model.variants
        if (predictions := _predictions(subjects, folder, model, variant.engine)) is not None
    }
    evaluations = _evaluations(models, found, forms)
    first = next(iter(evaluations.values()))
    told, again = (
        f"{note(first)} {table_note(found)}",
        f"{note(first)} Times as in the table before.",
    )
    scores, artefacts = model_rows(found, evaluations), artefact_rows(found, evaluations)
    return [
        Text(RULE),
        *(Text(recommendation(found, model)) for model in found.models),
        Table("efficiency", "Scores, time and size of each model", scores, told, source),
        Table("efficiency-artefacts", "Each form of each model", artefacts, again, source),
        Table(
            "efficiency-latency",
            "Latency of each form of each model",
            timing_rows(found.benchmark),
            f"{timed(found.benchmark)} {PERCENTILES}",
            source,
        ),
        _tradeoff(models, found, forms, source),
    ]


def _predictions(
    subjects: Sequence[Subject], folder: Path, model: ModelCost, engine: str
) -> Predictions | None:
    """Return a form's predictions on test; those of the network are the report's own."""
    own = next(s for s in subjects if s.test.checkpoint_hash == model.weights)
    network = own.model.files["test"]
    path = form_path(folder, model, engine, "test", network)
    if path is None:
        return None
    return own.test if path == network else load_form(path, model.weights)


def _evaluations(
    models: ReportModels, found: Efficiency, forms: dict[tuple[str, str], Predictions]
) -> dict[tuple[str, str], Evaluation]:
    """Return the evaluation of each form; forms that share predictions share it."""
    titles = {model.name: model.title for model in found.models}
    temperatures = {model.name: model.temperature for model in found.models}
    measured = {}
    for (name, engine), predictions in forms.items():
        own = models.evaluations[titles[name]]
        if predictions.meta.get("artefact"):
            own = evaluate_predictions(predictions, temperatures[name], models.resamples, SEED)
        measured[name, engine] = own
    return measured


def _tradeoff(
    models: ReportModels, found: Efficiency, forms: dict[tuple[str, str], Predictions], source: str
) -> Block:
    """Return the chart of macro-F1 against time, of the teacher and its students."""
    told = {s.title for s in models.told}

    def scores(model: ModelCost, engine: str, part: str) -> Scored | None:
        own = forms.get((model.name, engine)) if part == "test" else None
        return scored(own, model.temperature, models.resamples) if own else None

    setting, timings = next(iter(single_pictures(found.benchmark).items()))
    by_weights = {model.weights: model for model in found.models}
    chosen = [t for t in timings if t.contender.title in told]
    points = make_points(chosen or timings, by_weights, _QUALITY, scores)
    chart = tradeoff_chart(points, _QUALITY, "latency", "size", colours=models.colours)
    note_of = tradeoff_note(points, found.benchmark, setting, _QUALITY)
    text = "Macro-F1 against time of a picture; bubbles are the file's size, grey what none beats"
    return figure("efficiency-tradeoff", text, chart, note_of, source)
