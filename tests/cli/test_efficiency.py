"""`kdcore efficiency`: scores, what is kept for a rerun, wrong exports, no pictures, refusals."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, f1_score

from kdcore.base import state_folder
from kdcore.cli.main import main
from kdcore.data import Ham10000
from kdcore.deploy import efficiency_make, make
from kdcore.deploy.make import Target
from kdcore.deploy.profile import PeakMemory
from kdcore.models import load_checkpoint
from kdcore.predict import predict_dataset
from kdcore.report.efficiency_files import form_path, load_form, read_efficiency
from tests.conftest import write_tiny_checkpoint


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    root = tmp_path / "checkpoints"
    for name, role in (("big", "teacher"), ("small", "student")):
        write_tiny_checkpoint(root / name, role, "cnn2", title="Same title")
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(root))
    monkeypatch.delenv("DISTILSCOPE_DATA", raising=False)
    return root


@pytest.fixture
def quick(monkeypatch):
    """TorchScript alone, which takes a moment, and no process to measure memory in."""
    monkeypatch.setattr(efficiency_make, "TARGETS", {"torchscript": Target("torchscript")})
    monkeypatch.setattr(efficiency_make, "peak_memory", lambda *_: PeakMemory(30.0, 10.0))


def command(out: Path, *more: str) -> list[str]:
    return ["efficiency", "big", "small", "--out", str(out), "--seconds", "0.2", *more]


@pytest.mark.slow
def test_scores_are_those_of_another_library(checkpoints, quick, ham_folder, tmp_path, capsys):
    out = tmp_path / "out"
    more = ["--data", str(ham_folder), "--json", str(tmp_path / "r.json")]
    assert main(command(out, *more)) == 0
    found = read_efficiency(out)
    assert found is not None and found.data == "HAM10000" and found.left_out == ()
    assert [m.title for m in found.models] == ["Same title (big)", "Same title (small)"]
    data = Ham10000.open(ham_folder)
    for part in ("val", "test"):
        samples = [s for s, p in zip(data.samples, data.parts(), strict=True) if p == part]
        own = predict_dataset(load_checkpoint(checkpoints / "small"), data, samples, part)
        for variant in found.models[1].variants:
            scores, answers = variant.quality[part], own.logits.argmax(1)
            macro = f1_score(own.labels, answers, labels=range(7), average="macro", zero_division=0)
            assert scores.macro_f1 == pytest.approx(macro)
            balanced = balanced_accuracy_score(own.labels, answers)
            assert scores.balanced_accuracy == pytest.approx(balanced)
            assert scores.agreement == 1 and not scores.kept and scores.n == len(samples)
    assert found.models[0].variants[0].memory.own == 20
    rows = json.loads((tmp_path / "r.json").read_text())["rows"]
    assert [(r["model"], r["artefact"]) for r in rows] == [
        (m, e) for m in ("big", "small") for e in ("eager", "torchscript")
    ]
    assert all(r["p50_ms"] > 0 and r["size_mb"] > 0 for r in rows)
    assert sum(r["recommended"] for r in rows) == 2
    table = list(csv.DictReader((out / "efficiency.csv").open()))
    assert float(table[1]["macro-F1"]) == found.models[1].variants[0].quality["test"].macro_f1
    said = capsys.readouterr().out
    assert "The test part has no say" in said and "Same title (big)" in said
    assert {p.name for p in out.iterdir()} == {
        f"efficiency{end}"
        for end in (".json", ".csv", ".tex", ".md", "-artefacts.csv", "-artefacts.tex")
    }


@pytest.mark.slow
def test_a_rerun_only_times(checkpoints, quick, ham_folder, tmp_path, monkeypatch):
    assert main(command(tmp_path / "one", "--data", str(ham_folder))) == 0

    def never(*_, **__):
        raise AssertionError("kept")

    for name in ("make_artefacts", "predict_artefacts", "predict_dataset", "peak_memory"):
        monkeypatch.setattr(efficiency_make, name, never)
    assert main(command(tmp_path / "two", "--data", str(ham_folder))) == 0
    one, two = (read_efficiency(tmp_path / name) for name in ("one", "two"))
    plain = [[replace(v, recommended=False) for v in m.variants] for m in (*one.models,)]
    assert plain == [[replace(v, recommended=False) for v in m.variants] for m in two.models]


@pytest.mark.slow
def test_a_kept_file_that_was_changed_is_made_again(checkpoints, quick, tmp_path):
    assert main(command(tmp_path / "one")) == 0
    files = list((state_folder() / "efficiency").glob("*/*.pt"))
    assert len(files) == 2
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[:-10])
    assert main(command(tmp_path / "two")) == 0
    assert len(files[0].read_bytes()) == len(whole)


def test_a_wrong_export_is_caught_and_not_timed(checkpoints, quick, tmp_path, monkeypatch, capsys):
    right = make.export_bytes

    def wrong(checkpoint, *rest):
        with torch.no_grad():
            changed = replace(checkpoint, model=load_checkpoint(checkpoint.path).model)
            for parameter in changed.model.parameters():
                parameter.add_(torch.full_like(parameter, 0.3))
        return right(changed, *rest)

    monkeypatch.setattr(make, "export_bytes", wrong)
    assert main(command(tmp_path / "out")) == 0
    found = read_efficiency(tmp_path / "out")
    assert [[v.engine for v in m.variants] for m in found.models] == [["eager"], ["eager"]]
    assert "does not answer as the network does" in capsys.readouterr().out
    assert len(found.left_out) == 4  # the quality, too


def test_without_pictures(checkpoints, quick, tmp_path, capsys):
    assert main(command(tmp_path / "out")) == 0
    found = read_efficiency(tmp_path / "out")
    assert found.data == "" and all(v.quality == {} for m in found.models for v in m.variants)
    said = capsys.readouterr().out
    assert said.count("quality and INT8 are left out") == 2
    assert "macro_f1" not in said


def test_a_system_that_does_not_tell_memory(checkpoints, quick, tmp_path, monkeypatch):
    def refuse(*_):
        raise efficiency_make.ExportError("No.", "")

    monkeypatch.setattr(efficiency_make, "peak_memory", refuse)
    assert main(command(tmp_path / "out")) == 0
    found = read_efficiency(tmp_path / "out")
    assert all(v.memory is None for m in found.models for v in m.variants)


@pytest.mark.slow
def test_int8_is_measured_with_its_own_predictions(checkpoints, ham_folder, tmp_path):
    out = tmp_path / "out"
    assert main(["efficiency", "small", "--out", str(out), "--seconds", "1", "--data",
                 str(ham_folder)]) == 0  # fmt: skip
    found = read_efficiency(out)
    (model,) = found.models
    assert [v.engine for v in model.variants] == ["eager", "torchscript", "onnxruntime", "int8"]
    int8 = model.variant("int8")
    assert int8.size < model.variant("onnxruntime").size and int8.quality["val"].kept
    path = form_path(out, model, "int8", "test", None)
    kept = load_form(path, model.weights)
    assert kept.meta["artefact_sha256"] == int8.sha256
    right = (kept.logits.argmax(1) == kept.labels).mean()
    assert int8.quality["test"].accuracy == pytest.approx(right)
    assert found.calibration > 0 and np.isfinite(int8.memory.own)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent"], "absent"),
        (["big", "small/../big"], "one name"),
        (["big", "--data", "/nowhere"], "does not exist"),
    ],
)
def test_refusals(checkpoints, quick, tmp_path, capsys, arguments, words):
    named = [str(checkpoints / a) if "/.." in a else a for a in arguments]
    assert main(["efficiency", *named, "--out", str(tmp_path / "out")]) == 1
    assert words in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_more_threads_than_cores(checkpoints, tmp_path):
    with pytest.raises(SystemExit):
        main(command(tmp_path / "out", "--threads", "999"))
