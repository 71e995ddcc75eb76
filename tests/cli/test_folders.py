"""From pictures in class folders, or a MedMNIST file, to a trained, measured, explained network."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kdcore.cli.main import main
from kdcore.data import DATASETS, IMAGENET_MEAN, open_dataset
from kdcore.data.info import BY_IMAGE
from kdcore.models import read_card
from kdcore.predict import Predictions
from tests.data.folder_makers import make_classes, make_lc25000, make_medmnist, noise

RECIPE = """
name = "tiny"
architecture = "cnn2"
role = "{role}"
dataset = "{dataset}"
split = "{split}"
augmentation = "cifar"
input_size = 32
epochs = 1
batch_size = 8
learning_rate = 3e-3
ema = 0.0
"""


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Run a command and return what it printed; `status` is what it should exit with."""
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("DISTILSCOPE_STATE", str(tmp_path / "state"))

    def run(*arguments, status=0):
        assert main([str(a) for a in arguments]) == status
        said = capsys.readouterr()
        return said.err if status else said.out

    return run


def _train(command, folder: Path, data: Path, dataset: str, split: str) -> Path:
    recipe = folder / "tiny.toml"
    recipe.write_text(RECIPE.format(role="teacher", dataset=dataset, split=split))
    command("train", recipe, "--run", folder / "run", "--data", data)
    return folder / "checkpoints/tiny"


def _everything(command, checkpoint: Path, data: Path, tmp_path: Path) -> dict[str, object]:
    """Predict, evaluate and corrupt with the data at hand; explain and evaluate without it."""
    saved, shown = tmp_path / "p.npz", tmp_path / "e.json"
    command("predict", "--checkpoint", checkpoint, "--data", data, "--out", saved)
    live = command("evaluate", "--checkpoint", checkpoint, "--data", data, "--resamples", 20)
    command("robustness", checkpoint, "--data", data, "--only", "gaussian_noise", "--images", 4,
            "--resamples", 10)  # fmt: skip
    classes = open_dataset(data, classes=read_card(checkpoint).classes).info.classes
    picture = tmp_path / "one.png"
    noise(0, 77).save(picture)
    shutil.rmtree(data) if data.is_dir() else data.unlink()
    kept = command("evaluate", "--checkpoint", checkpoint, "--predictions", saved,
                   "--resamples", 20)  # fmt: skip
    assert kept == live
    assert all(f"{name} " in kept for name in classes)
    command("explain", picture, "--teacher", checkpoint, "--student", checkpoint, "--out",
            tmp_path / "maps", "--target", classes[1], "--method", "grad-cam", "--json",
            shown)  # fmt: skip
    told = json.loads(shown.read_text())
    assert list(told["probabilities"]["student"]) == list(classes)
    assert sum(told["probabilities"]["student"].values()) == pytest.approx(1, abs=1e-5)
    found = Predictions.load(saved)
    assert found.classes == classes and (found.group_ids == found.sample_ids).all()
    return json.loads((checkpoint / "card.json").read_text())


def test_class_folders(command, tmp_path):
    data = make_classes(tmp_path / "pets", ("cat", "dog", "ox"), 30)
    checkpoint = _train(command, tmp_path, data, "imagefolder", BY_IMAGE)
    card = _everything(command, checkpoint, data, tmp_path)
    assert card["classes"] == ["cat", "dog", "ox"] and card["mean"] == list(IMAGENET_MEAN)
    assert "Trained on pets" in card["provenance"] and "scores are too good" in card["provenance"]


def test_a_medmnist_file(command, tmp_path):
    info = DATASETS["breastmnist"]
    path = make_medmnist(tmp_path / "breastmnist_28.npz", info, grey=True, count=24)
    checkpoint = _train(command, tmp_path, path, "breastmnist", "official")
    card = _everything(command, checkpoint, path, tmp_path)
    assert card["classes"] == ["malignant", "benign"] and card["std"] == [0.5, 0.5, 0.5]
    assert np.isfinite(card["temperature"]) and card["recipe"]["dataset"] == "breastmnist"


def test_data_tells_the_caution_and_a_recipe_takes_the_lung(command, tmp_path):
    root = make_lc25000(tmp_path / "lc", 30)
    said = command("data", "--data", root, "--json", tmp_path / "d.json")
    assert said.startswith("LC25000: 150 images") and "Caution: LC25000 holds 1,250" in said
    assert "1,250" in json.loads((tmp_path / "d.json").read_text())["caution"]
    card = read_card(_train(command, tmp_path, root, "lc25000-lung", "image-level (leaky)"))
    assert card.classes == DATASETS["lc25000-lung"].classes


@pytest.mark.parametrize("broken", ["cat/007.png", "dog/019.png"])
def test_a_broken_picture_ends_training_by_name(command, tmp_path, broken):
    data = make_classes(tmp_path / "pets", count=30)
    (data / broken).write_bytes((data / broken).read_bytes()[:200])
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE.format(role="baseline", dataset="imagefolder", split=BY_IMAGE))
    said = command("train", recipe, "--run", tmp_path / "run", "--data", data, status=1)
    assert f"Image {broken} is incomplete or damaged" in said
    assert not (tmp_path / "checkpoints/tiny").exists()


def test_a_recipe_for_another_data_set(command, tmp_path):
    data = make_classes(tmp_path / "pets")
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE.format(role="teacher", dataset="covid-qu-ex", split="official"))
    said = command("train", recipe, "--run", tmp_path / "run", "--data", data, status=1)
    assert "'pets' holds pets (cat, dog), not COVID-QU-Ex" in said
