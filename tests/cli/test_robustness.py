"""`kdcore robustness`: tables from pictures, resumed, and what it refuses."""

from __future__ import annotations

import csv
import json

import pytest

from kdcore.base import group_hash, state_folder
from kdcore.cli.main import main
from kdcore.data import Ham10000
from kdcore.report.robustness_files import read_robustness
from tests.conftest import write_tiny_checkpoint


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    root = tmp_path / "checkpoints"
    for name, role in (("big", "teacher"), ("small", "student")):
        write_tiny_checkpoint(root / name, role, "cnn2")
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(root))
    return root


@pytest.mark.parametrize(
    ("file", "told"),
    [("robustness.json", "Delete it"), ("robustness.md", "holds robustness.md")],
)
def test_a_folder_of_something_else_is_not_written_to(checkpoints, tmp_path, capsys, file, told):
    mine = "[" * 5000  # no table, and nested too deep for JSON
    (tmp_path / file).write_text(mine)
    for out, what in ((tmp_path, told), (tmp_path / file, "a file")):
        assert main(["robustness", "big", "--out", str(out), "--data", "unread"]) == 1
        assert what in capsys.readouterr().err
        assert (tmp_path / file).read_text() == mine


def test_tables(checkpoints, ham_folder, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["robustness", "big", str(checkpoints / "small"), "--data", str(ham_folder)]
    command += ["--only", "jpeg", "edge_contrast", "--images", "6", "--maps", "2"]
    command += ["--resamples", "20", "--out", str(out), "--json", str(tmp_path / "r.json")]
    assert main(command) == 0
    table = read_robustness(out)
    assert table.models == ("big", "small") and table.teacher == "big" and table.n == 6
    rows = list(csv.DictReader((out / "robustness.csv").open()))
    assert len(rows) == 2 * (1 + 5 + 2) and rows[1]["severity"] == "1"
    maps = list(csv.DictReader((out / "robustness-maps.csv").open()))
    assert {row["corruption"] for row in maps} >= {"jpeg", "jpeg-5", "edge_contrast-1"}
    means = {c.corruption: c for c in table.means if c.model == "small"}
    assert means["all"].nll.value == pytest.approx(means["jpeg"].nll.value)  # no edge study in it
    text = (out / "robustness.md").read_text()
    assert "n = 6 images" in text and "JPEG" in text and text in capsys.readouterr().out
    kept = {p: p.stat().st_mtime_ns for p in (state_folder() / "robustness").rglob("*.npz")}
    assert len(kept) == 8 and main(command) == 0  # both have the same weights, so the same cells
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    assert json.loads((tmp_path / "r.json").read_text())["n"] == 6


@pytest.mark.parametrize("field", ["train_groups", "train_images"])
def test_what_one_was_trained_on_is_left_out(checkpoints, ham_folder, tmp_path, capsys, field):
    data = Ham10000.open(ham_folder)
    test = [s for s, part in zip(data.samples, data.parts(), strict=True) if part == "test"]
    lesion = [s.image_id for s in test if s.lesion_id == test[0].lesion_id]
    known = lesion if field == "train_images" else [test[0].lesion_id]
    write_tiny_checkpoint(
        checkpoints / "seen", "student", "cnn2", **{field: tuple(map(group_hash, known))}
    )
    command = ["robustness", "big", "seen", "--only", "edge_contrast", "--resamples", "0"]
    command += ["--data", str(ham_folder), "--json", str(tmp_path / "r.json")]
    for more, n in (([], len(test) - len(lesion)), (["--allow-training-images"], len(test))):
        assert main([*command, *more]) == 0
        assert json.loads((tmp_path / "r.json").read_text())["n"] == n
        said = capsys.readouterr().err
        assert (f"Left out: {len(lesion)} of {len(test)} images" in said) is (not more)


def test_the_teacher_is_the_one_named_of_several_runs(checkpoints, ham_folder, tmp_path):
    paths = [tmp_path / run / "checkpoint" for run in ("one", "two")]
    for path in paths:
        write_tiny_checkpoint(path, "student", "cnn2", name=path.parent.name)
    command = ["robustness", *map(str, paths), "--teacher", str(paths[1]), "--resamples", "0"]
    command += ["--only", "edge_contrast", "--images", "2", "--data", str(ham_folder)]
    assert main([*command, "--json", str(tmp_path / "r.json")]) == 0
    assert json.loads((tmp_path / "r.json").read_text())["teacher"] == "two"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["big", "--teacher", "nobody"], "none of the checkpoints"),
        (["big", "big"], "one name"),
        (["nothing"], "not a checkpoint"),
        (["big", "--only", "snow"], "no corruption 'snow'"),
    ],
)
def test_what_is_refused(checkpoints, ham_folder, arguments, words, capsys):
    assert main(["robustness", *arguments, "--data", str(ham_folder)]) == 1
    assert words in capsys.readouterr().err
