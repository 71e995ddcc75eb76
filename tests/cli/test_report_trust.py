"""The report's reliability diagrams name the ECE of its tables."""

from __future__ import annotations

import altair as alt
import pytest

from kdcore.cli.reporting import figures, trust
from kdcore.cli.reporting.models import open_models
from kdcore.report.calibration import MEASURES
from kdcore.report.document import Table
from tests.conftest import REPO
from tests.report import pdf

NAMES = ("mobilenet_v2-128-kd-at", "mobilenet_v2-128-baseline")


def test_diagrams_say_the_ece_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []

    def draw(_: alt.TopLevelMixin, kind: str, note: str) -> bytes:
        notes.append(note)
        return pdf.FIGURE[kind]

    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(REPO / "checkpoints"))
    monkeypatch.setattr(figures, "figure_bytes", draw)
    models, _ = open_models(NAMES, "", "test", 0)
    found = trust.calibration_section(models)
    table = next(b for b in found.blocks if isinstance(b, Table) and b.name == "calibration")
    head, *body = table.rows
    column = head.index(MEASURES["ece"])
    eces = [f"ECE {str(row[column]).split()[0]} " for row in body]
    diagrams = list(dict.fromkeys(note for note in notes if "bins of equal width" in note))
    assert len(diagrams) == len(models.subjects) and len(eces) == 2 * len(diagrams)
    for place, note in enumerate(diagrams):
        assert "in 15 bins of equal width" in note and "the tallest" in note
        assert all(ece in note for ece in eces[2 * place : 2 * place + 2])
