"""The report on training: every model's own panel, both scores, and who has no history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pytest

from kdcore.charts.training import history_panels
from kdcore.cli.reporting import figures, training
from kdcore.cli.reporting.models import ReportModels, open_models
from kdcore.distill import RunFolder
from kdcore.distill.validation import VAL_SCORE
from kdcore.models import strength
from kdcore.report.document import Section, Table, Text
from tests.conftest import REPO
from tests.report import pdf


class Drawn:
    """What the section gives to be drawn."""

    rows: Sequence[Mapping[str, Any]]
    colours: Mapping[str, str]
    notes: list[str]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    kept = Drawn()
    kept.notes = []

    def panels(rows: Any, title: str, colours: Any) -> alt.ConcatChart:
        kept.rows, kept.colours = rows, colours
        return history_panels(rows, title, colours)

    def draw(_: alt.TopLevelMixin, kind: str, note: str) -> bytes:
        kept.notes.append(note)
        return pdf.FIGURE[kind]

    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(REPO / "checkpoints"))
    monkeypatch.setattr(training, "history_panels", panels)
    monkeypatch.setattr(figures, "figure_bytes", draw)
    return kept


def section(*names: str) -> tuple[ReportModels, Section | None]:
    models, _ = open_models(names, "", "test", 0)
    return models, training.training_section(models)


def test_the_figure_calls_and_colours_models_as_all_others_do(drawn: Drawn) -> None:
    models, found = section()
    assert found is not None
    without = [s.title for s in models.subjects if s.model.card and s.model.card.members]
    assert without and drawn.colours == models.colours
    assert {row["series"] for row in drawn.rows} == {*models.colours} - {*without}
    missing = f"No training history: {without[0]} (its networks were trained one by one)."
    assert found.blocks[0] == Text(missing)
    assert missing in drawn.notes[0]


def test_the_best_epoch_stands_beside_the_score_of_the_card(drawn: Drawn) -> None:
    models, found = section("mobilenet_v2-teacher-144", "mobilenet_v2-128-kd-at")
    assert found is not None and "No training history" not in str(found.blocks[0])
    (table,) = (b for b in found.blocks if isinstance(b, Table))
    head, *body = table.rows
    for subject, row in zip(models.subjects, body, strict=True):
        assert subject.model.card is not None
        cells = dict(zip(map(str, head), row, strict=True))
        history = RunFolder(subject.folder).read_history()
        assert cells["Validation macro-F1"] == max(r[VAL_SCORE] for r in history)
        assert cells["Validation macro-F1, card"] == strength(subject.model.card)
    assert "rounded to half precision" in table.note and "float32" in table.note
    assert "history.csv" in table.source and "card.json" in table.source


def test_no_section_without_a_history(drawn: Drawn) -> None:
    assert section("efficientnet_b0-ensemble")[1] is None
