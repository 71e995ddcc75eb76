"""`train` from outside: what it refuses, how it resumes; a checkpoint is whole or not there."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from kdcore.base import SettingError, hold
from kdcore.cli import release as releasing
from kdcore.cli import train as train_command
from kdcore.cli.main import main
from kdcore.data import CIFAR10
from kdcore.distill import trainer
from kdcore.models import list_checkpoints, load_checkpoint, read_card
from tests.conftest import TINY_RECIPE as RECIPE
from tests.data.cifar_makers import make_cifar


class _Work:
    """A recipe, a run folder and a folder of checkpoints, with `train` bound to them."""

    def __init__(self, folder, data):
        self.recipe, self.run = folder / "tiny.toml", folder / "run"
        self.root = folder / "checkpoints"
        self.target = self.root / "tiny"
        self.data = data
        self.recipe.write_text(RECIPE)

    def train(self, *extra):
        command = ["train", str(self.recipe), "--run", str(self.run), "--data", str(self.data)]
        return main([*command, *extra])

    def change(self, old, new):
        self.recipe.write_text(self.recipe.read_text().replace(old, new))


@pytest.fixture
def work(tmp_path, ham_folder, monkeypatch):
    made = _Work(tmp_path, ham_folder)
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(made.root))
    return made


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (["--device", "cuda:99"], "no such GPU"),
        (["--device", "tpu9"], "no device 'tpu9'"),
        (["--out", "."], "is no checkpoint"),
        (["--out", "{run}"], "where its checkpoint goes"),
        (["--out", "{run}/.."], "where its checkpoint goes"),
        (["--out", "{recipe}/below"], "can't be written: not a directory"),
        (["--run", "{recipe}/below"], "can't be written: not a directory"),
        (["--json", "{recipe}/below"], "can't be written: not a directory"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_written(work, capsys, extra, expected):
    assert work.train(*(e.format(run=work.run, recipe=work.recipe) for e in extra)) == 1
    assert expected in capsys.readouterr().err
    assert not work.run.exists()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sizes = [[0]]", "'sizes'"),
        ("sizes = [[0, 2000]]", "'sizes'"),
        ("seed = -1", "'seed'"),
        ("batch_size = 64", "fewer than one batch"),
        ('name = "a\\u0000b"', "'name'"),
    ],
)
def test_recipes_that_cannot_work(work, capsys, line, expected):
    kept = [row for row in RECIPE.splitlines() if row.split(" ")[0] != line.split(" ")[0]]
    work.recipe.write_text("\n".join([*kept, line]))
    assert work.train() == 1
    assert expected in capsys.readouterr().err


def test_resuming_needs_the_same_recipe(work, capsys):
    assert work.train() == 0
    status = (work.run / "status.json").read_text()
    for old, new, field in (
        ("batch_size = 16", "batch_size = 8", "batch_size"),
        ("batch_size = 8", "batch_size = 16\nlearning_rate = 1e-4", "learning_rate"),
        ("learning_rate = 1e-4", "split_seed = 5", "split_seed"),
        ("split_seed = 5", "", ""),
    ):
        work.change(old, new)
        assert work.train("--resume") == bool(field)
        assert (f"started with {field} = " in capsys.readouterr().err) == bool(field)
        if field:
            assert (work.run / "status.json").read_text() == status
    work.change('role = "baseline"', 'role = "baseline"\ntitle = "Another title"')
    assert work.train("--resume") == 0
    assert read_card(work.target).title == "Another title"


def test_a_cancelled_run_can_be_resumed(work):
    work.change("epochs = 1", "epochs = 3")
    (work.run).mkdir()
    said = []

    def cancel(row):
        said.append(row)
        (work.run / "cancel").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_command, "_say", cancel)
        assert work.train() == 130
    assert len(said) == 1
    assert json.loads((work.run / "status.json").read_text())["state"] == "cancelled"
    assert work.train("--resume") == 0
    assert not (work.run / "cancel").exists()
    assert json.loads((work.run / "status.json").read_text())["state"] == "done"


def test_a_checkpoint_is_replaced_whole_or_stays(work, monkeypatch):
    assert work.train() == 0
    before = {p.name: p.read_bytes() for p in work.target.iterdir()}
    assert {"card.json", "history.csv", "model.safetensors", "ood.npz"} <= set(before)
    listed = []

    def fail(*_arguments):
        listed.extend(card.name for card in list_checkpoints(work.root))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(releasing, "fit_ood", fail)
        assert work.train("--resume") == 130
    assert listed == ["tiny"]  # the old one, and no half of the new one
    assert {p.name: p.read_bytes() for p in work.target.iterdir()} == before
    assert [p.name for p in work.root.iterdir()] == ["tiny"]


def test_what_a_killed_release_left_is_cleaned(work):
    assert work.train() == 0
    staging = work.root / ".releasing" / "tiny"
    (staging / "new").mkdir(parents=True)
    (staging / "new" / "card.json").write_text("{")  # half a card
    work.target.rename(staging / "old")  # killed between the two renames
    assert list_checkpoints(work.root) == []
    assert work.train("--resume") == 0
    assert load_checkpoint(work.target).card.name == "tiny"
    assert [p.name for p in work.root.iterdir()] == ["tiny"]


def test_another_checkpoint_is_replaced_only_when_asked(work, tiny_checkpoints, capsys):
    shutil.copytree(tiny_checkpoints / "teacher-resnet18", work.target)
    before = read_card(work.target)
    assert work.train() == 1
    assert "would be replaced" in capsys.readouterr().err
    assert not work.run.exists() and read_card(work.target) == before
    assert work.train("--replace") == 0
    assert read_card(work.target).name == "tiny"
    shutil.rmtree(work.run)  # the same recipe, but not the run that wrote it
    assert work.train() == 1
    assert work.train("--replace") == 0
    assert work.train("--resume") == 0  # released again over its own result
    work.change("epochs = 1", "epochs = 1\nseed = 4")
    other = ["--run", str(work.run.parent / "second")]
    assert work.train(*other) == work.train(*other, "--resume") == 1


def test_a_second_release_into_one_folder_is_told(work, capsys):
    with hold(work.root / ".releasing" / "tiny" / ".lock", SettingError("")):
        assert work.train() == 1
    assert "Another release is writing to" in capsys.readouterr().err
    assert not work.target.exists()
    assert work.train("--resume") == 0
    assert [p.name for p in work.root.iterdir()] == ["tiny"]


def test_another_checkpoint_that_came_while_it_trained_stays(work, tiny_checkpoints, capsys):
    def come(row):
        shutil.copytree(tiny_checkpoints / "teacher-resnet18", work.target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_command, "_say", come)
        assert work.train() == 1
    assert "would be replaced" in capsys.readouterr().err
    assert read_card(work.target).architecture == "resnet18"
    assert [p.name for p in work.root.iterdir()] == ["tiny"]


@pytest.mark.parametrize("file", ["last.pt", "best.pt"])
def test_a_run_that_cannot_be_read_is_told(work, capsys, file):
    assert work.train() == 0
    path = work.run / file
    whole = path.read_bytes()
    torch.save({"something": ["else"]}, work.run / "other.pt")
    for content in (
        b"",
        whole[: len(whole) // 2],
        b"junk" * 50,
        (work.run / "other.pt").read_bytes(),
    ):
        path.write_bytes(content)
        assert work.train("--resume") == 1
        assert f"{file} of the run 'run' can't be read" in capsys.readouterr().err
    if file == "best.pt":
        path.unlink()
        assert work.train("--resume") == 1
        assert "best.pt of the run 'run' can't be read" in capsys.readouterr().err


def test_what_a_killed_save_left_is_removed(work):
    work.run.mkdir()
    for name in (".best.pt.x1y2.pt", ".last.pt.x1y2.pt", ".status.json.x1y2.json"):
        (work.run / name).write_bytes(b"half")
    (work.run / ".mine.pt").touch()
    assert work.train() == 0
    assert {p.name for p in work.run.glob(".*")} == {".lock", ".mine.pt"}


def test_a_full_disk_is_called_one_in_the_status(work, monkeypatch, capsys):
    def full(*_arguments):
        raise OSError(27, "File too large")

    monkeypatch.setattr(trainer, "save_state", full)
    assert work.train() == 1
    assert "The disk is full" in capsys.readouterr().err
    status = json.loads((work.run / "status.json").read_text())
    assert (status["state"], "The disk is full" in status["error"]) == ("failed", True)


def test_a_result_that_cannot_be_told_leaves_the_run_done(work, monkeypatch):
    def fail(*_arguments):
        raise OSError(13, "Permission denied", "x.json")

    monkeypatch.setattr(train_command, "write_json", fail)
    assert work.train() == 1
    assert json.loads((work.run / "status.json").read_text())["state"] == "done"


def test_a_folder_of_something_else_is_not_replaced(work, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    assert work.train("--out", str(tmp_path / "photos")) == 1
    assert "is no checkpoint" in capsys.readouterr().err
    assert (tmp_path / "photos" / "cat.jpg").exists()


@pytest.mark.parametrize("layout", ["zips", "binary"])
def test_cifar_is_trained_predicted_and_measured(work, tmp_path, layout, capsys):
    (tmp_path / "cifar").mkdir()
    work.data = make_cifar(tmp_path / "cifar", layout)
    extra = 'dataset = "cifar10"\nsplit = "official"\naugmentation = "cifar"\n'
    work.recipe.write_text(RECIPE + extra)
    assert work.train() == 0
    card = read_card(work.target)
    assert card.classes == CIFAR10.classes
    assert "not for commercial use" not in card.licence
    assert card.recipe["split"] == "official"
    capsys.readouterr()
    assert main(["evaluate", "--checkpoint", str(work.target), "--data", str(work.data)]) == 0
    assert "airplane" in capsys.readouterr().out
