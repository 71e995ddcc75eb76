"""Images of lesions that a checkpoint was trained on are left out before anything is predicted."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kdcore.base import group_hash
from kdcore.cli.main import main
from kdcore.data import HAM10000, Ham10000, draw_lesion
from kdcore.models import read_card, write_card
from kdcore.predict import Predictions, predict_dataset
from tests.pages.conftest import page_checkpoints

__all__ = ["page_checkpoints"]  # a fixture, found by name


@pytest.fixture
def checkpoint(page_checkpoints: Path, tmp_path: Path) -> Callable[..., Path]:
    """`checkpoint(lesions, **fields)`: a network whose card says that it was trained on them."""

    def make(lesions: set[str], **fields: object) -> Path:
        folder = tmp_path / "trained"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(page_checkpoints / "tiny-student", folder)
        groups = tuple(sorted(map(group_hash, lesions)))
        card = dataclasses.replace(read_card(folder), train_groups=groups, **fields)
        write_card(folder, card)
        return folder

    return make


def parts(folder: Path, *how: object) -> dict[str, list]:
    data = Ham10000.open(folder)
    found: dict[str, list] = {"train": [], "val": [], "test": []}
    for sample, part in zip(data.samples, data.parts(*how)):
        found[part].append(sample)
    return found


def lesions(samples: list) -> set[str]:
    return {s.lesion_id for s in samples}


def test_the_test_part_of_a_smaller_folder_loses_what_was_trained_on(
    checkpoint, make_ham, tmp_path, capsys
):
    """With rows missing the split is another; its test part has lesions of the old training."""
    folder = tmp_path / "data"
    folder.mkdir()
    trained = lesions(parts(make_ham(folder))["train"])
    table = folder / "HAM10000_metadata.csv"
    rows = table.read_text().splitlines()
    table.write_text("\n".join(rows[:1] + rows[3:]) + "\n")
    now = parts(folder)["test"]
    leaked = [s for s in now if s.lesion_id in trained]
    assert leaked
    assert len(leaked) < len(now)
    common = ["--checkpoint", str(checkpoint(trained)), "--data", str(folder)]

    assert main(["evaluate", *common, "--json", str(tmp_path / "e.json")]) == 0
    result = json.loads((tmp_path / "e.json").read_text())
    assert result["excluded_training_images"] == len(leaked)
    assert result["n"] == len(now) - len(leaked)
    said = capsys.readouterr().err
    assert f"{len(leaked)} of {len(now)} images, of {len(lesions(leaked))} lesions" in said

    out = tmp_path / "p.npz"
    predict = ["predict", *common, "--out", str(out), "--json", str(tmp_path / "p.json")]
    assert main(predict) == 0
    assert not trained & set(Predictions.load(out).group_ids.tolist())
    assert json.loads((tmp_path / "p.json").read_text())["excluded_training_images"] == len(leaked)
    assert main([*predict, "--allow-training-images"]) == 0
    assert len(Predictions.load(out)) == len(now)


def test_all_measures_the_rest_unless_training_images_are_allowed(
    checkpoint, ham_folder, tmp_path, capsys
):
    found = parts(ham_folder)
    common = ["--checkpoint", str(checkpoint(lesions(found["train"]))), "--data", str(ham_folder)]
    target = tmp_path / "e.json"
    command = ["evaluate", *common, "--split", "all", "--json", str(target)]
    assert main(command) == 0
    result = json.loads(target.read_text())
    assert result["n"] == len(found["val"]) + len(found["test"])
    assert result["excluded_training_images"] == len(found["train"])
    capsys.readouterr()
    assert main([*command, "--allow-training-images"]) == 0
    result = json.loads(target.read_text())
    assert (result["n"], result["excluded_training_images"]) == (84, 0)
    assert "Left out" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_nothing_is_predicted_where_everything_was_trained_on(
    checkpoint, ham_folder, tmp_path, monkeypatch, capsys, command
):
    train = parts(ham_folder)["train"]
    trained = lesions(train)
    monkeypatch.setattr(f"kdcore.cli.{command}.predict_dataset", None)
    common = ["--checkpoint", str(checkpoint(trained)), "--data", str(ham_folder)]
    extra = ["--out", str(tmp_path / "p.npz")] if command == "predict" else []
    assert main([command, *common, *extra, "--split", "train"]) == 1
    assert f"None of these {len(train)} images is new to tiny-student." in (
        said := capsys.readouterr().err
    )
    assert "--allow-training-images" in said


def test_copies_in_class_folders_are_known_by_name(checkpoint, tmp_path, capsys):
    names = [f"ISIC_{number:07}" for number in range(28)]
    for index, name in enumerate(names):
        dx = HAM10000.classes[index % 7]
        (tmp_path / "copies" / dx).mkdir(parents=True, exist_ok=True)
        draw_lesion(dx, index, (48, 36)).save(tmp_path / "copies" / dx / f"{name}.png")
    folder = checkpoint(set(), train_images=tuple(map(group_hash, names[:20])))
    common = ["--checkpoint", str(folder), "--data", str(tmp_path / "copies"), "--split", "all"]
    assert main(["evaluate", *common, "--json", str(tmp_path / "e.json")]) == 0
    result = json.loads((tmp_path / "e.json").read_text())
    assert (result["n"], result["excluded_training_images"]) == (8, 20)
    assert "20 of 28 images" in capsys.readouterr().err


def test_saved_predictions_on_trained_lesions_are_refused(checkpoint, ham_folder, tmp_path, capsys):
    folder, out = checkpoint(set()), tmp_path / "p.npz"
    data = ["--data", str(ham_folder), "--split", "all"]
    assert main(["predict", "--checkpoint", str(folder), *data, "--out", str(out)]) == 0
    checkpoint(lesions(parts(ham_folder)["train"]))
    saved = ["evaluate", "--checkpoint", str(folder), "--predictions", str(out)]
    assert main(saved) == 1
    assert "was trained on" in capsys.readouterr().err
    assert main([*saved, "--allow-training-images"]) == 0


def test_saved_predictions_of_other_weights_are_refused(
    checkpoint, page_checkpoints, ham_folder, tmp_path, capsys
):
    folder, out = checkpoint(set()), tmp_path / "p.npz"
    assert (
        main(["predict", "--checkpoint", str(folder), "--data", str(ham_folder), "--out", str(out)])
        == 0
    )
    other = page_checkpoints / "tiny-teacher"
    assert main(["evaluate", "--checkpoint", str(other), "--predictions", str(out)]) == 1
    assert "predictions of other weights (tiny-student)" in capsys.readouterr().err
    assert main(["evaluate", "--predictions", str(out)]) == 0


def test_the_split_is_the_checkpoints_unless_named(checkpoint, ham_folder, tmp_path, monkeypatch):
    seen = []

    def spy(checkpoint, data, samples, split, progress):
        seen.append({s.image_id for s in samples})
        return predict_dataset(checkpoint, data, samples, split, progress)

    monkeypatch.setattr("kdcore.cli.predict.predict_dataset", spy)
    folder = checkpoint(set(), recipe={"split": "image-level (leaky)", "split_seed": 5})
    command = ["predict", "--checkpoint", str(folder), "--data", str(ham_folder)]
    command += ["--out", str(tmp_path / "p.npz")]
    for extra in ([], ["--split-seed", "0"], ["--split-by", "lesion-grouped"]):
        assert main([*command, *extra]) == 0
    ways = (("image-level (leaky)", 5), ("image-level (leaky)", 0), ("lesion-grouped", 5))
    assert seen == [{s.image_id for s in parts(ham_folder, *way)["test"]} for way in ways]


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_an_empty_part_is_told(checkpoint, make_ham, tmp_path, capsys, command):
    folder = tmp_path / "data"
    folder.mkdir()
    table = make_ham(folder) / "HAM10000_metadata.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:3]) + "\n")
    common = ["--checkpoint", str(checkpoint(set())), "--data", str(folder)]
    extra = ["--out", str(tmp_path / "p.npz")] if command == "predict" else []
    assert main([command, *common, *extra]) == 1
    said = capsys.readouterr().err
    assert "The test part of these 2 images is empty." in said
    assert "--split all" in said


def test_a_file_without_predictions_is_told(tmp_path, capsys):
    none = np.array([], dtype=np.str_)
    logits, labels = np.zeros((0, 2), np.float32), np.zeros(0, np.int64)
    Predictions(logits, labels, none, none, ("a", "b"), "test", "").save(tmp_path / "p.npz")
    assert main(["evaluate", "--predictions", str(tmp_path / "p.npz")]) == 1
    assert "p.npz holds no predictions" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    [
        ("--temperature", "-1"),
        ("--temperature", "nan"),
        ("--temperature", "0"),
        ("--temperature", "inf"),
        ("--temperature", "warm"),
        ("--resamples", "-1"),
        ("--resamples", "1.5"),
        ("--seed", "-1"),
        ("--split-seed", "-1"),
    ],
    ids=" ".join,
)
def test_options_out_of_range_are_usage_errors(capsys, option):
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "--predictions", "p.npz", *option])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert f"argument {option[0]}: expected a " in said
    assert repr(option[1]) in said


def test_a_temperature_that_is_named_is_used(checkpoint, ham_folder, tmp_path):
    folder, target = checkpoint(set(), temperature=2.5), tmp_path / "e.json"
    command = ["evaluate", "--checkpoint", str(folder), "--data", str(ham_folder)]
    command += ["--resamples", "0", "--json", str(target)]
    for extra, expected in (([], 2.5), (["--temperature", "0.5"], 0.5)):
        assert main([*command, *extra]) == 0
        assert json.loads(target.read_text())["temperature"] == expected
