"""`kdcore export`: files with records, scores where there is data, and what it refuses."""

from __future__ import annotations

import json

import pytest

from kdcore.base import group_hash
from kdcore.cli.main import main
from kdcore.data import Ham10000
from kdcore.deploy.artefact import read_artefact
from tests.conftest import write_tiny_checkpoint


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.delenv("DISTILSCOPE_DATA", raising=False)
    write_tiny_checkpoint(tmp_path / "checkpoints" / "tiny", "student", "cnn2")
    return "tiny"


@pytest.mark.slow
def test_everything_with_data(tiny, ham_folder, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["export", tiny, "--format", "all", "--precision", "float", "int8", "--zip"]
    command += ["--data", str(ham_folder), "--calibration-images", "5", "--images", "9"]
    command += ["--fold-preprocessing", "--out", str(out), "--json", str(tmp_path / "r.json")]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "max |Δ|" in text and "Not for diagnosis" in text and "its example was run" in text
    rows = json.loads((tmp_path / "r.json").read_text())["artefacts"]
    assert [(r["format"], r["precision"]) for r in rows] == [
        ("onnx", "float32"),
        ("onnx", "int8"),
        ("torchscript", "float32"),
        ("export", "float32"),
    ]
    for row in rows:
        assert row["quality"]["n"] == 9 and row["quality"]["split"] == "test" and row["folded"]
        assert read_artefact(out / row["file"]).quality == row["quality"]
    assert rows[0]["quality"]["macro_f1"] == rows[0]["quality"]["network"]["macro_f1"]
    assert rows[0]["quality"]["agreement"] == 1 and rows[1]["notes"]["calibration_images"] == 5
    assert {row["notes"]["checked_on"] for row in rows} == {"training images"}
    assert len(list(out.glob("*.zip"))) == 4


def test_lesions_that_it_was_trained_on_are_left_out(tiny, ham_folder, tmp_path, capsys):
    data = Ham10000.open(ham_folder)
    test = [s for s, part in zip(data.samples, data.parts(), strict=True) if part == "test"]
    root = tmp_path / "checkpoints" / "seen"
    known = test[0].lesion_id
    write_tiny_checkpoint(root, "student", "cnn2", train_groups=(group_hash(known),))
    command = ["export", str(root), "--format", "torchscript", "--out", str(tmp_path / "out")]
    command += ["--data", str(ham_folder), "--json", str(tmp_path / "r.json")]
    left = [s for s in test if s.lesion_id != known]
    for more, n in (([], len(left)), (["--allow-training-images"], len(test))):
        assert main([*command, *more]) == 0
        (row,) = json.loads((tmp_path / "r.json").read_text())["artefacts"]
        assert row["quality"]["n"] == n
        assert ("Left out" in capsys.readouterr().err) is (not more)


def test_without_data(tiny, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["export", tiny, "--format", "torchscript", "--out", str(out)]) == 0
    assert "on drawn samples" in capsys.readouterr().out
    assert read_artefact(out / "tiny-float32.pt").quality == {}
    assert main(["export", tiny, "--precision", "int8", "--out", str(out)]) == 1
    assert "INT8 takes its ranges from pictures" in capsys.readouterr().err


def test_live_lines_and_no_data(tiny, ham_folder, tmp_path, capsys):
    command = ["export", tiny, "--format", "torchscript", "--out", str(tmp_path / "out"), "--live"]
    assert main([*command, "--data", str(ham_folder), "--no-data"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["doing"] for line in lines] == [
        "Reading the checkpoint",
        "Exporting TorchScript, float32",
    ]
    fractions = [line["fraction"] for line in lines]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    record = read_artefact(tmp_path / "out" / "tiny-float32.pt")
    assert record.quality == {} and record.notes["checked_on"] == "drawn samples"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "not a checkpoint"),
        (["tiny", "--format", "torchscript", "--precision", "int8"], "no int8 of torchscript"),
        (["tiny", "--data", "/nowhere"], "does not exist"),
    ],
)
def test_what_is_refused(tiny, tmp_path, arguments, words, capsys):
    assert main(["export", *arguments, "--out", str(tmp_path / "out")]) == 1
    assert words in capsys.readouterr().err
