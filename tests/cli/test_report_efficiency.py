"""The report on efficiency: its intervals are the report's, other weights are left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kdcore.base import DataError, seed_everything
from kdcore.cli.main import main
from kdcore.cli.reporting import figures
from kdcore.cli.reporting.efficiency import efficiency_section
from kdcore.cli.reporting.models import open_models
from kdcore.deploy.efficiency import RULE
from kdcore.evaluate import Interval, evaluate_predictions
from kdcore.models import build_model, read_card, save_checkpoint
from kdcore.predict import Predictions
from kdcore.report.document import Figure, Table, Text
from kdcore.report.efficiency_files import predictions_file, write_efficiency
from tests.cli.test_report import write_model
from tests.deploy.makers import efficiency, model
from tests.report import pdf


@pytest.fixture
def models(tmp_path, monkeypatch) -> Path:
    root = tmp_path / "checkpoints"
    for name in ("big", "small"):
        write_model(root, name)
    _new_weights(root / "small")
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(root))
    monkeypatch.setattr(figures, "figure_bytes", lambda _, kind, __: pdf.FIGURE[kind])
    return root


def _new_weights(folder: Path, seed: int = 99) -> None:
    """Give a checkpoint and its predictions other weights than the other one has."""
    seed_everything(seed)
    card = save_checkpoint(folder, build_model("cnn2", 7), read_card(folder))
    for path in folder.glob("predictions-*.npz"):
        replace(Predictions.load(path), checkpoint_hash=card.weights_sha256).save(path)


def record(models: Path, folder: Path, **weights: str) -> None:
    """Write a record of both models; INT8 answers as the other model's network."""
    costs, kept = [], {}
    for name, other in (("big", "small"), ("small", "big")):
        own = weights.get(name) or read_card(models / name).weights_sha256
        costs.append(model(name, own))
        for part in ("val", "test"):
            answers = Predictions.load(models / other / f"predictions-{part}.npz")
            kept[predictions_file(name, "int8", part)] = replace(
                answers, checkpoint_hash=own, meta={"artefact": "int8"}
            )
    write_efficiency(folder, efficiency(tuple(costs)), kept)


def tables(section) -> dict[str, list[list[object]]]:
    return {b.name: [list(r) for r in b.rows] for b in section.blocks if isinstance(b, Table)}


def test_the_tables_have_the_intervals_of_the_study(models, tmp_path):
    record(models, tmp_path)
    chosen, _ = open_models([], "", "test", 20)
    found = tables(efficiency_section(chosen, tmp_path))
    head, *rows = found["efficiency"]
    for subject, row in zip(chosen.subjects, rows, strict=True):
        metrics = chosen.evaluations[subject.title].metrics
        assert row[0] == subject.title
        assert row[1:4] == [metrics[name] for name in ("accuracy", "macro_f1", "ece")]
        assert isinstance(row[4], Interval) and row[8] == 1.048576 and row[9] == 0.005
    assert head[4] == "CPU ms p50, eager"
    forms = found["efficiency-artefacts"][1:]
    assert [row[1] for row in forms[:3]] == ["PyTorch eager", "ONNX Runtime", "ONNX Runtime INT8"]
    answers = Predictions.load(tmp_path / predictions_file("big", "int8", "test"))
    assert forms[2][7] == evaluate_predictions(answers, 1.3, 20).metrics["macro_f1"]
    assert forms[1][7] == forms[0][7] == rows[0][2], "a float export answers as its network"


def test_what_is_told(models, tmp_path):
    record(models, tmp_path)
    chosen, _ = open_models([], "", "test", 20)
    blocks = efficiency_section(chosen, tmp_path).blocks
    texts = [b.text for b in blocks if isinstance(b, Text)]
    assert texts[0] == RULE
    assert texts[1].startswith("**Big**: ONNX Runtime INT8, 8.00 ms, 5.0 times as fast as eager")
    assert [b.name for b in blocks if isinstance(b, Figure)] == ["efficiency-tradeoff"]
    note = next(b.note for b in blocks if isinstance(b, Table))
    assert "n = 120 images" in note and "Testing 9000" in note


def test_what_the_record_lacks_or_has_of_other_weights_is_named_first(models, tmp_path):
    record(models, tmp_path, small="0" * 64)
    chosen, _ = open_models([], "", "test", 20)
    section = efficiency_section(chosen, tmp_path)
    assert [row[0] for row in tables(section)["efficiency"][1:]] == ["Big"]
    (small,) = (s.title for s in chosen.others)
    assert section.blocks[0] == Text(f"Not measured: {small} (the study has other weights of it).")
    record(models, tmp_path, small="0" * 64, big="1" * 64)
    section = efficiency_section(chosen, tmp_path)
    assert len(section.blocks) == 1 and tables(section) == {}
    record(models, tmp_path)
    write_model(models, "alone")
    _new_weights(models / "alone", seed=98)
    chosen, _ = open_models([], "", "test", 0)
    section = efficiency_section(chosen, tmp_path)
    assert section.blocks[0] == Text("Not measured: Alone.")


def test_no_section_without_a_record_or_on_validation(models, tmp_path):
    chosen, _ = open_models([], "", "test", 0)
    assert efficiency_section(chosen, tmp_path) is None
    record(models, tmp_path)
    val, _ = open_models([], "", "val", 0)
    assert efficiency_section(val, tmp_path) is None


def test_a_broken_record(models, tmp_path, capsys):
    (tmp_path / "efficiency.json").write_text("[]")
    chosen, _ = open_models([], "", "test", 0)
    with pytest.raises(DataError, match="not an efficiency record"):
        efficiency_section(chosen, tmp_path)
    command = ["report", "--out", str(tmp_path / "out"), "--resamples", "0"]
    assert main([*command, "--efficiency", str(tmp_path)]) == 1
    assert "not an efficiency record" in capsys.readouterr().err


def test_in_the_document(models, tmp_path):
    record(models, tmp_path)
    command = ["report", "--out", str(tmp_path / "out"), "--resamples", "20"]
    assert main([*command, "--efficiency", str(tmp_path)]) == 0
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Efficiency</h2>" in text and "--efficiency DIR" in text
    assert (tmp_path / "out" / "tables" / "efficiency-artefacts.tex").is_file()
