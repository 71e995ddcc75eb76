"""Weights from elsewhere become a checkpoint, whole or not at all; copies too."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from kdcore.base import CheckpointError
from kdcore.data import HAM10000
from kdcore.models import (
    Card,
    build_model,
    copy_checkpoint,
    delete_checkpoint,
    find_copy,
    import_checkpoint,
    importing,
    list_checkpoints,
    load_checkpoint,
    read_card,
    save_checkpoint,
)
from tests.conftest import REPO

CARD = Card("mine", "student", "resnet18", HAM10000.classes, 64, HAM10000.mean, HAM10000.std)


@pytest.fixture(scope="module")
def weights():
    torch.manual_seed(0)
    return torchvision.models.resnet18(num_classes=7).state_dict()


def _save(state, path):
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


@pytest.mark.parametrize("name", ["a.safetensors", "a.pt", "a.pth"])
@pytest.mark.parametrize("prefix", ["", "net."])
def test_torchvisions_weights_and_our_own(weights, tmp_path, name, prefix):
    state = {prefix + key: value for key, value in weights.items()}
    root = tmp_path / "checkpoints"
    root.mkdir()
    card = import_checkpoint(_save(state, tmp_path / name), CARD, root)
    assert "Imported from" in card.provenance
    model = load_checkpoint(root / "mine").model
    assert torch.equal(model.net.fc.weight, weights["fc.weight"])
    assert [p.name for p in root.iterdir()] == ["mine"]


class _Payload:
    def __reduce__(self):
        return print, ("executed",)


def test_what_is_refused_leaves_nothing(weights, tmp_path):
    root = tmp_path / "checkpoints"
    root.mkdir()
    few = {k: v for k, v in weights.items() if not k.startswith("layer4")}
    other = dict(weights) | {"fc.weight": torch.zeros(5, 512), "fc.bias": torch.zeros(5)}
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(_Payload()))
    (tmp_path / "cut.safetensors").write_bytes(b"123")
    for path, message in (
        (_save(few, tmp_path / "few.pt"), "missing or of another shape"),
        (_save(other, tmp_path / "five.pt"), "does not fit resnet18 with 7 classes"),
        (tmp_path / "evil.pt", "may carry code"),
        (tmp_path / "cut.safetensors", "not a readable weights file"),
        (tmp_path / "none.pt", "no weights file"),
    ):
        with pytest.raises(CheckpointError, match=message):
            import_checkpoint(path, CARD, root)
    bad = Card("../x", "student", "resnet18", HAM10000.classes, 64, HAM10000.mean, HAM10000.std)
    with pytest.raises(CheckpointError, match="'name'"):
        import_checkpoint(_save(weights, tmp_path / "good.pt"), bad, root)
    assert list(root.iterdir()) == []


def test_a_name_that_is_taken_is_kept(weights, tmp_path):
    root = tmp_path / "checkpoints"
    root.mkdir()
    path = _save(weights, tmp_path / "a.pt")
    import_checkpoint(path, CARD, root)
    with pytest.raises(CheckpointError, match="already"):
        import_checkpoint(path, CARD, root)
    with pytest.raises(CheckpointError, match="already"):
        copy_checkpoint(root / "mine", root, "mine")
    copied = copy_checkpoint(root / "mine", root, "again")
    assert load_checkpoint(copied).hash == load_checkpoint(root / "mine").hash
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        copy_checkpoint(tmp_path, root, "third")
    assert len(list_checkpoints(root)) == 2


def test_only_what_a_person_added_can_be_deleted(weights, tmp_path):
    root, shelf = tmp_path / "shipped", tmp_path / "shelf"
    shipped = save_checkpoint(
        root / "a", build_model("cnn2", 7), replace(CARD, architecture="cnn2")
    )
    assert shipped.added == ""
    assert find_copy(root / "a", shelf) == ""
    with pytest.raises(CheckpointError, match="is shipped"):
        delete_checkpoint(root / "a")
    copy_checkpoint(root / "a", shelf, "b")
    (shelf / "bad").mkdir()
    (shelf / "bad/card.json").write_text("{")
    assert find_copy(root / "a", shelf) == "b"
    import_checkpoint(_save(weights, tmp_path / "a.pt"), CARD, shelf)
    assert find_copy(shelf / "mine", root) == ""
    assert {c.name: c.added for c in map(read_card, (shelf / "b", shelf / "mine"))} == {
        "b": "promoted",
        "mine": "imported",
    }
    for name in ("b", "mine"):
        delete_checkpoint(shelf / name)
    assert [p.name for p in shelf.iterdir()] == ["bad"]
    assert (root / "a/card.json").is_file()


def test_what_the_repository_ships_was_added_by_nobody():
    assert {card.added for card in list_checkpoints(REPO / "checkpoints")} == {""}


def test_an_input_size_that_the_network_refuses(weights, tmp_path):
    card = replace(CARD, architecture="visformer_small", input_size=64)
    with pytest.raises(CheckpointError, match="takes inputs of 224 pixels only"):
        import_checkpoint(_save(weights, tmp_path / "a.pt"), card, tmp_path)


def test_weights_that_are_not_finite_are_told(weights, tmp_path):
    for name, value in (("nan", float("nan")), ("inf", float("-inf"))):
        spoilt = weights | {"fc.bias": torch.full((7,), value)}
        path = _save(spoilt, tmp_path / f"{name}.safetensors")
        with pytest.raises(CheckpointError, match=f"{name}.* weights are not finite .*fc.bias"):
            import_checkpoint(path, CARD, tmp_path / "root")
        model = build_model("resnet18", 7)
        model.net.fc.bias.data.fill_(value)
        save_checkpoint(tmp_path / name, model, CARD)
        with pytest.raises(CheckpointError, match="mine .* weights are not finite"):
            load_checkpoint(tmp_path / name)
    assert not (tmp_path / "root").exists()


def test_who_comes_second_is_told(weights, tmp_path, monkeypatch):
    path, root = _save(weights, tmp_path / "a.pt"), tmp_path / "root"

    def beaten(real, name):
        """Let another session finish while this one is at work."""

        def work(*arguments):
            (root / name).mkdir(parents=True)
            (root / name / "card.json").touch()
            return real(*arguments)

        return work

    with monkeypatch.context() as patch:
        patch.setattr(importing, "build_model", beaten(build_model, "mine"))
        with pytest.raises(CheckpointError, match="There is a checkpoint 'mine' already"):
            import_checkpoint(path, CARD, root)
    import_checkpoint(path, CARD, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(importing, "read_card", beaten(read_card, "copy"))
        with pytest.raises(CheckpointError, match="another checkpoint named 'copy' already"):
            copy_checkpoint(tmp_path / "mine", root, "copy")
    assert {p.name for p in root.iterdir()} == {"mine", "copy"}
    monkeypatch.setattr(shutil, "rmtree", _gone)
    with pytest.raises(CheckpointError, match="Another session has deleted"):
        delete_checkpoint(tmp_path / "mine")


def _gone(path):
    raise FileNotFoundError(2, "No such file or directory", str(path))
