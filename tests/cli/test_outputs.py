"""No command writes over what it reads, or over a file of another kind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from kdcore.base import SettingError
from kdcore.cli import outputs
from kdcore.cli.common import refuse_foreign
from kdcore.cli.main import main
from kdcore.models import load_checkpoint
from kdcore.predict import Predictions, to_csv
from tests.conftest import TINY_RECIPE
from tests.evaluate.makers import make_predictions

Error = pytest.CaptureFixture[str]


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "c.csv"
    path.write_text(to_csv(make_predictions(20)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("c.csv", "is what this command reads"),
        ("like.npz", "is what this command reads"),
        ("keep.txt", "is no file of predictions"),
        ("arrays.npz", "is no file of predictions"),
        ("keep.txt/a.npz", "can't be written: not a directory"),
    ],
)
def test_import_replaces_nothing_but_predictions(
    csv: Path, capsys: Error, name: str, said: str
) -> None:
    make_predictions(20).save(csv.parent / "like.npz")
    (csv.parent / "keep.txt").write_text("precious")
    np.savez(csv.parent / "arrays.npz", train_images=np.zeros(3))
    before = {path: path.read_bytes() for path in csv.parent.iterdir()}
    like = ["--like", str(csv.parent / "like.npz")]
    assert main(["import", str(csv), *like, "--out", str(csv.parent / name)]) == 1
    assert said in capsys.readouterr().err
    assert {path: path.read_bytes() for path in csv.parent.iterdir()} == before


def test_predictions_are_replaced_by_new_ones_broken_or_not(csv: Path) -> None:
    out = csv.parent / "p.npz"
    for before in (b"", b"broken", None):
        if before is not None:
            out.write_bytes(before)
        assert main(["import", str(csv), "--out", str(out)]) == 0
        assert len(Predictions.load(out)) == 20


def test_a_folder_s_table_is_not_the_file_beside(csv: Path, capsys: Error) -> None:
    make_predictions(20).save(csv.parent / "c.npz")
    like = ["--like", str(csv.parent / "c.npz")]
    assert main(["import", str(csv.parent), *like, "--out", str(csv.parent)]) == 1
    assert "c.npz' is what this command reads" in capsys.readouterr().err


def test_predict_leaves_the_weights(
    tiny_checkpoints: Path, ham_folder: Path, tmp_path: Path, capsys: Error
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    for path in (tiny_checkpoints / "teacher-resnet18").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    command = ["predict", "--checkpoint", str(folder), "--data", str(ham_folder), "--out"]
    assert main([*command, str(folder / "model.safetensors")]) == 1
    assert "is no file of predictions" in capsys.readouterr().err
    assert load_checkpoint(folder)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("HAM10000_metadata.csv", "is no command's result"),
        ("card.json", "is no command's result"),
        (".", "is no command's result"),
        ("/", "is no command's result"),
        ("HAM10000_metadata.csv/x.json", "can't be written"),
        ("x" * 300, "can't be written: file name too long"),
    ],
)
def test_json_replaces_nothing_but_json(
    ham_folder: Path, tmp_path: Path, capsys: Error, name: str, said: str
) -> None:
    table = tmp_path / "HAM10000_metadata.csv"
    table.write_bytes((ham_folder / table.name).read_bytes())
    (tmp_path / "card.json").write_text("{}")
    assert main(["data", "--data", str(ham_folder), "--json", str(tmp_path / name)]) == 1
    assert said in capsys.readouterr().err
    assert table.read_bytes() == (ham_folder / table.name).read_bytes()


def test_json_of_an_earlier_call_is_replaced(ham_folder: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert main(["data", "--data", str(ham_folder), "--json", str(tmp_path / "x.json")]) == 0


def test_json_is_not_the_recipe(tmp_path: Path, ham_folder: Path, capsys: Error) -> None:
    recipe = tmp_path / "g.toml"
    recipe.write_text(TINY_RECIPE)
    given = ["--data", str(ham_folder), "--run", str(tmp_path / "run")]
    assert main(["train", str(recipe), *given, "--json", str(recipe)]) == 1
    assert "is what this command reads" in capsys.readouterr().err
    assert recipe.read_text() == TINY_RECIPE


def test_a_closed_folder_is_told_first_and_an_open_one_in_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (closed := tmp_path / "closed").mkdir()
    (inside := closed / "open").mkdir()
    monkeypatch.setattr(outputs.os, "access", lambda path, mode: Path(path) != closed)
    with pytest.raises(SettingError, match=r"--out: .*closed/x.json.* is closed to writing"):
        outputs.check_place(closed / "x.json", "--out")
    outputs.check_place(inside / "x.json", "--out")


def test_json_goes_to_a_pipe_and_replaces_any_json(ham_folder: Path, tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert main(["data", "--data", str(ham_folder), "--json", str(pipe)]) == 0
    assert json.loads(os.read(reader, 1_000_000))["dataset"] == "ham10000"
    os.close(reader)
    (empty := tmp_path / "x.json").write_text("{}")
    assert main(["data", "--data", str(ham_folder), "--json", str(empty)]) == 0


def test_json_nested_too_deep_is_no_result(tmp_path: Path, capsys: Error) -> None:
    (deep := tmp_path / "deep.json").write_text("[" * 100_000)
    assert main(["data", "--data", str(tmp_path), "--json", str(deep)]) == 1
    assert "is no command's result" in capsys.readouterr().err


def test_tables_are_written_over_with_their_record_only(tmp_path: Path) -> None:
    (tmp_path / "study.csv").write_text("half written")
    with pytest.raises(SettingError, match="holds study.csv .*Delete it"):
        refuse_foreign(tmp_path, "study", lambda folder: None)
    refuse_foreign(tmp_path, "study", lambda folder: "a record")
    refuse_foreign(tmp_path, "other", lambda folder: None)
