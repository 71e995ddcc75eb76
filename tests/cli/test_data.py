"""`python -m kdcore data` on each data set, and what of CIFAR the other commands take."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kdcore.cli.main import main
from kdcore.data import CIFAR10, open_dataset
from kdcore.models import Card, build_model, save_checkpoint
from kdcore.predict import Predictions
from tests.data.cifar_makers import TEST, TRAIN, make_cifar

Error = Callable[[list[str]], str]


@pytest.fixture(scope="module")
def cifar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cifar(tmp_path_factory.mktemp("cifar"), "binary")


@pytest.fixture
def error_of(capsys: pytest.CaptureFixture[str]) -> Error:
    def run(command: list[str]) -> str:
        assert main(command) == 1
        return capsys.readouterr().err

    return run


def test_cifar(cifar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "--data", str(cifar), "--json", str(tmp_path / "d.json")]) == 0
    result = json.loads((tmp_path / "d.json").read_text())
    assert (result["dataset"], result["split"], result["seed"]) == ("cifar10", "official", 0)
    assert "lesions" not in result
    each = {"train": TRAIN * 9 // 10, "val": TRAIN // 10, "test": TEST}
    assert result["counts"] == dict.fromkeys(CIFAR10.classes, each)
    said = capsys.readouterr().out
    assert f"CIFAR-10: {10 * (TRAIN + TEST)} images\n" in said
    assert "automobile        18       2       5" in said


def test_a_split_of_another_data_set(cifar: Path, ham_folder: Path, error_of: Error) -> None:
    command = ["data", "--data", str(cifar), "--split-by", "lesion-grouped"]
    assert "CIFAR-10 has no split 'lesion-grouped'" in error_of(command)
    command = ["data", "--data", str(ham_folder), "--split-by", "official"]
    assert "HAM10000 has no split 'official'" in error_of(command)


def test_leaks(ham_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "d.json"
    command = ["data", "--data", str(ham_folder), "--leaks", "--json", str(target)]
    assert main(command) == 0
    clean = json.loads(target.read_text())["leaks"]
    assert clean == {"shared_groups": 0, "pairs": [], "complete": True}
    assert main([*command, "--split-by", "image-level (leaky)"]) == 0
    assert json.loads(target.read_text())["leaks"]["shared_groups"] > 0
    assert "In more than one part:" in capsys.readouterr().out


def test_a_network_for_cifar_is_measured_on_cifar(
    cifar: Path, ham_folder: Path, tmp_path: Path, error_of: Error
) -> None:
    net = tmp_path / "net"
    card = Card("net", "student", "cnn2", CIFAR10.classes, 32, CIFAR10.mean, CIFAR10.std)
    save_checkpoint(net, build_model("cnn2", 10), card)
    saved, target = tmp_path / "p.npz", tmp_path / "e.json"
    common = ["--checkpoint", str(net), "--data", str(cifar)]
    assert main(["predict", *common, "--out", str(saved)]) == 0
    predictions = Predictions.load(saved)
    data = open_dataset(cifar)
    test = [s for s, p in zip(data.samples, data.parts()) if p == "test"]
    assert predictions.sample_ids.tolist() == [s.image_id for s in test]
    np.testing.assert_array_equal(predictions.labels, [s.label for s in test])
    assert main(["evaluate", *common, "--resamples", "20", "--json", str(target)]) == 0
    assert json.loads(target.read_text())["n"] == 10 * TEST
    saved_only = ["evaluate", "--checkpoint", str(net), "--predictions", str(saved)]
    assert main([*saved_only, "--resamples", "0"]) == 0
    other = ["predict", "--checkpoint", str(net), "--data", str(ham_folder), "--out", str(saved)]
    assert "holds HAM10000, not CIFAR-10" in error_of(other)
