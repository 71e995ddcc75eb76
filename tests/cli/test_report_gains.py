"""The report's section on what distillation brings has both kinds of intervals, and says so."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from kdcore.base import results_folder
from kdcore.cli.reporting.gains import gains_section
from kdcore.cli.reporting.models import open_models
from kdcore.evaluate import Interval
from kdcore.report.document import Table, Text
from tests.conftest import REPO

NAMES = ("mobilenet_v2-128-kd-at", "mobilenet_v2-128-baseline", "mobilenet_v2-teacher-144")


@pytest.fixture(autouse=True)
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(REPO / "checkpoints"))


def test_over_lesions_and_over_seeds() -> None:
    chosen, _ = open_models(NAMES, "", "test", 20)
    section = gains_section(chosen, results_folder())
    assert section is not None
    gains, seeds = (b for b in section.blocks if isinstance(b, Table))
    head, row = gains.rows
    student, baseline = (s for s in chosen.others)
    assert row[:2] == [student.title, baseline.title]
    values = [chosen.evaluations[s.title].metrics["macro_f1"].value for s in (student, baseline)]
    delta = row[head.index("Δ macro-F1")]
    assert isinstance(delta, Interval) and delta.value == pytest.approx(values[0] - values[1])
    assert "lesions" in gains.note and "other seeds, not of other images" in seeds.note
    with (results_folder() / "ham10000-students.csv").open(encoding="utf-8") as file:
        written = {
            row["metric"]: float(row["difference"])
            for row in csv.DictReader(file)
            if (row["split"], row["method"], row["reference"]) == ("test", "kd-at", "baseline")
        }
    shown = {r[0]: r[5].value for r in seeds.rows[1:] if isinstance(r[5], Interval)}
    assert shown["macro-F1"] == pytest.approx(written["macro_f1"])
    assert shown["balanced accuracy"] == pytest.approx(written["balanced_accuracy"])
    said = " ".join(b.text for b in section.blocks if isinstance(b, Text))
    assert "Not measured" not in said
    assert f"**{student.title}** less **{baseline.title}**: macro-F1" in said
    assert "Neither speaks of both" in said and "Over seeds, **MobileNetV2 at 128" in said


def test_without_a_baseline_or_sweeps(tmp_path: Path) -> None:
    chosen, _ = open_models(NAMES[::2], "", "test", 0)
    assert gains_section(chosen, results_folder()) is None
    chosen, _ = open_models(NAMES[:2], NAMES[1], "val", 0)
    section = gains_section(chosen, tmp_path)
    assert section is not None
    assert [b.name for b in section.blocks if isinstance(b, Table)] == ["gains"]
    (student,) = (s.title for s in chosen.subjects if s.model.role == "student")
    assert section.blocks[1] == Text(f"Not measured over seeds: {student}.")
    on_val = gains_section(chosen, results_folder())
    assert on_val is not None and "Validation part" in str(on_val.blocks[-1])
