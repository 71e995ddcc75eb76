"""`kdcore interventions`: tables and records from pictures, resumed, and what it refuses."""

from __future__ import annotations

import csv
import json

import pytest

from kdcore.base import group_hash, state_folder
from kdcore.cli.main import main
from kdcore.data import Ham10000
from kdcore.predict.intervention_scores import InterventionScores
from tests.conftest import write_tiny_checkpoint


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    root = tmp_path / "checkpoints"
    for name, role in (("big", "teacher"), ("small", "student")):
        write_tiny_checkpoint(root / name, role, "cnn2", input_size=32)
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(root))
    return root


def test_tables_and_records_are_written_and_kept(checkpoints, ham_folder, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["interventions", "small", "--teacher", str(checkpoints / "big"), "--q", "0.2"]
    command += ["--data", str(ham_folder), "--images", "4", "--regions", "3", "--resamples", "20"]
    command += ["--out", str(out), "--json", str(tmp_path / "r.json")]
    assert main(command) == 0
    rows = list(csv.DictReader((out / "interventions-test.csv").open()))
    assert [row["model"] for row in rows] == ["big"] * 2 + ["small"] * 2
    text = (out / "interventions-test.md").read_text()
    assert "n = 4 images" in text and text in capsys.readouterr().out
    scores = InterventionScores.load(out / "interventions" / "test-small.npz")
    assert (len(scores), scores.regions, scores.teacher) == (4, 3, "big")
    studies = json.loads((tmp_path / "r.json").read_text())["studies"]
    assert studies[1]["effects"][0]["own"]["effect"]["value"] == float(rows[2]["own effect"])
    kept = {p: p.stat().st_mtime_ns for p in (state_folder() / "interventions").rglob("*.npz")}
    assert len(kept) == 2 and main(command) == 0
    assert {p: p.stat().st_mtime_ns for p in kept} == kept


def test_lesions_that_one_was_trained_on_are_left_out(checkpoints, ham_folder, tmp_path, capsys):
    data = Ham10000.open(ham_folder)
    test = [s for s, part in zip(data.samples, data.parts(), strict=True) if part == "test"]
    known = test[0].lesion_id
    write_tiny_checkpoint(
        checkpoints / "seen", "student", "cnn2", input_size=32, train_groups=(group_hash(known),)
    )
    command = ["interventions", "seen", "--teacher", "big", "--q", "0.2", "--regions", "1"]
    command += ["--data", str(ham_folder), "--resamples", "0", "--json", str(tmp_path / "r.json")]
    left = [s for s in test if s.lesion_id != known]
    for more, images in (([], len(left)), (["--allow-training-images"], len(test))):
        assert main([*command, *more]) == 0
        assert json.loads((tmp_path / "r.json").read_text())["studies"][0]["n"] == images
    assert capsys.readouterr().err.count("Left out") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["small", "--teacher", "nobody"], "not a checkpoint"),
        (["big", "--teacher", "big"], "one name"),
        (["small", "--teacher", "big", "--q", "0"], "above 0"),
        (["small", "--teacher", "big", "--regions", "0"], "at least one"),
    ],
)
def test_what_is_refused(checkpoints, ham_folder, arguments, words, capsys):
    assert main(["interventions", *arguments, "--data", str(ham_folder)]) == 1
    assert words in capsys.readouterr().err
