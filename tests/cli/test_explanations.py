"""`kdcore explanations`: records and tables from pictures, resumed, and what it refuses."""

from __future__ import annotations

import json

import pytest

from kdcore.base import group_hash, state_folder
from kdcore.cli.main import main
from kdcore.data import Ham10000
from kdcore.report.explanations_files import read_studies
from tests.conftest import write_tiny_checkpoint


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    root = tmp_path / "checkpoints"
    for name, role in (("big", "teacher"), ("small", "student"), ("plain", "baseline")):
        write_tiny_checkpoint(root / name, role, "cnn2")
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(root))
    return root


def test_records_and_tables(checkpoints, ham_dataverse, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["explanations", "small", str(checkpoints / "plain"), "--teacher", "big"]
    command += ["--data", str(ham_dataverse), "--images", "4", "--faithful", "1"]
    command += ["--corruptions", "edge_contrast", "--corrupted", "2", "--resamples", "20"]
    command += ["--out", str(out), "--json", str(tmp_path / "r.json")]
    assert main(command) == 0
    [(study, records)] = read_studies(out).items()
    assert study == ("grad-cam", "test", "big")
    assert [(r.checkpoint, len(r)) for r in records] == [("big", 4), ("small", 8), ("plain", 8)]
    assert {"lesion_energy", "deletion"} <= set(records[0].columns)
    text = (out / "explanations-grad-cam-test.md").read_text()
    assert "n = 4 images" in text and text in capsys.readouterr().out
    kept = {p: p.stat().st_mtime_ns for p in (state_folder() / "explanations").rglob("*.npz")}
    assert main(command) == 0
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    assert json.loads((tmp_path / "r.json").read_text())["transfers"][0]["student"] == "small"


def test_lesions_that_one_was_trained_on_are_left_out(checkpoints, ham_folder, tmp_path, capsys):
    data = Ham10000.open(ham_folder)
    test = [s for s, part in zip(data.samples, data.parts(), strict=True) if part == "test"]
    known = test[0].lesion_id
    write_tiny_checkpoint(
        checkpoints / "seen", "student", "cnn2", train_groups=(group_hash(known),)
    )
    command = ["explanations", "seen", "--teacher", "big", "--resamples", "0"]
    command += ["--data", str(ham_folder), "--json", str(tmp_path / "r.json")]
    left = [s for s in test if s.lesion_id != known]
    for more, n in (([], len(left)), (["--allow-training-images"], len(test))):
        assert main([*command, *more]) == 0
        assert json.loads((tmp_path / "r.json").read_text())["n"] == n
        assert ("Left out" in capsys.readouterr().err) is (not more)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["small", "--teacher", "small"], "one name"),
        (["small", "--teacher", "nobody"], "not a checkpoint"),
        (["small", "--teacher", "big", "--method", "tea-leaves"], "no explanation method"),
        (["small", "--teacher", "big", "--corruptions", "snow"], "no corruption 'snow'"),
    ],
)
def test_what_is_refused(checkpoints, ham_folder, arguments, words, capsys):
    assert main(["explanations", *arguments, "--data", str(ham_folder)]) == 1
    assert words in capsys.readouterr().err
