"""Training learns, resumes to the same result, and leaves the teacher alone."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from kdcore.base import Cancelled, CheckpointError, DataError, RecipeError, SettingError
from kdcore.data import HAM10000, Ham10000
from kdcore.distill import Recipe, RunFolder, check_device, prepare
from kdcore.models import load_checkpoint, write_card

RECIPE = Recipe(
    "tiny", "cnn2", role="baseline", input_size=32, epochs=3, batch_size=16, mixup=0.5, ema=0.5
)


def _train(recipe, folder, tmp_path, checkpoints=None, resume=False):
    run = RunFolder(tmp_path)
    prepared = prepare(recipe, Ham10000.open(folder), checkpoints or tmp_path, run)
    return prepared, prepared.trainer.run(resume)


def _same(history):
    timing = ("seconds", "images_per_second")
    return [{k: v for k, v in row.items() if k not in timing} for row in history]


def test_a_class_told_by_brightness_is_learnt(ham_folder, tmp_path):
    recipe = dataclasses.replace(RECIPE, epochs=12, mixup=0.0, learning_rate=3e-3)
    _, history = _train(recipe, ham_folder, tmp_path)
    assert history[-1]["train_loss"] < 0.8 * history[0]["train_loss"]
    assert max(row["val_macro_f1"] for row in history) > 0.3


def test_killed_and_resumed_equals_uninterrupted(ham_folder, tmp_path):
    whole, history = _train(RECIPE, ham_folder, tmp_path / "whole")
    run = RunFolder(tmp_path / "cut")
    first = prepare(RECIPE, Ham10000.open(ham_folder), tmp_path, run).trainer

    def stop(row):
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first.run(log=stop)
    second, resumed = _train(RECIPE, ham_folder, tmp_path / "cut", resume=True)
    assert _same(resumed) == _same(history)
    ours, theirs = second.trainer.best_model(), whole.trainer.best_model()
    for a, b in zip(ours.state_dict().values(), theirs.state_dict().values()):
        assert torch.equal(a, b)


def _keep(folder, wanted):
    """Keep the rows of a metadata table whose columns `wanted` accepts."""
    path = folder / "HAM10000_metadata.csv"
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *(r for r in rows if wanted(r.split(",")))]) + "\n")
    return folder


def test_a_class_without_pictures_is_still_a_class(make_ham, tmp_path):
    (tmp_path / "data").mkdir()
    folder = _keep(make_ham(tmp_path / "data"), lambda row: row[2] != "bkl")
    prepared, history = _train(dataclasses.replace(RECIPE, epochs=1), folder, tmp_path / "run")
    assert prepared.trainer.classes == len(HAM10000.classes)
    assert history[0]["train_loss"] > 0


def test_too_few_pictures_are_told_before_training(ham_folder, make_ham, tmp_path):
    with pytest.raises(RecipeError, match="fewer than one batch of 64") as raised:
        _train(dataclasses.replace(RECIPE, batch_size=64), ham_folder, tmp_path)
    assert "Lower batch_size" in str(raised.value)
    (tmp_path / "data").mkdir()
    few = _keep(make_ham(tmp_path / "data"), lambda row: row[0] in ("HAM_4000", "HAM_4001"))
    with pytest.raises(DataError, match="too small to choose and measure"):
        _train(dataclasses.replace(RECIPE, batch_size=2), few, tmp_path / "run")


@pytest.mark.parametrize("device", ["gpu", "", "meta", "cuda:999"])
def test_a_device_that_is_not_there_is_told(ham_folder, tmp_path, device):
    with pytest.raises(SettingError, match="device"):
        prepare(RECIPE, Ham10000.open(ham_folder), tmp_path, RunFolder(tmp_path), device)


def test_cuda_without_a_gpu_is_told(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SettingError, match="'cuda' was asked for"):
        check_device("cuda")
    check_device("cpu")


def test_a_run_is_resumed_with_its_own_recipe_only(tmp_path):
    run = RunFolder(tmp_path)
    run.write_recipe(dataclasses.replace(RECIPE, sizes=((0, 32),)))
    run.check_recipe(dataclasses.replace(RECIPE, sizes=((0, 32),), title="A better one"))
    with pytest.raises(RecipeError, match="started with split_seed = 0, and the recipe says 1"):
        run.check_recipe(dataclasses.replace(RECIPE, sizes=((0, 32),), split_seed=1))
    (tmp_path / "recipe.json").write_text("{")
    with pytest.raises(RecipeError, match=r"recipe\.json"):
        run.check_recipe(RECIPE)


def test_cancel_file_stops_the_run(ham_folder, tmp_path):
    (tmp_path / "cancel").touch()
    with pytest.raises(Cancelled):
        _train(RECIPE, ham_folder, tmp_path)


def test_teacher_stays_as_it_was(ham_folder, tmp_path, tiny_checkpoints):
    recipe = dataclasses.replace(
        RECIPE, teachers=("teacher-resnet18",), alpha=0.3, beta=1000.0, epochs=1, role="student"
    )
    before = load_checkpoint(tiny_checkpoints / "teacher-resnet18").model.state_dict()
    prepared, history = _train(recipe, ham_folder, tmp_path, tiny_checkpoints)
    assert history[0]["train_kd"] > 0
    assert history[0]["train_at"] > 0
    taught = load_checkpoint(tiny_checkpoints / "teacher-resnet18")
    assert prepared.card.teachers == {"teacher-resnet18": taught.hash}
    teacher = prepared.trainer.teachers.teachers[0].model
    assert not teacher.training
    assert all(p.grad is None for p in teacher.parameters())
    for name, value in teacher.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_teacher_that_saw_the_held_out_lesions_is_refused(ham_folder, tmp_path, tiny_checkpoints):
    data = Ham10000.open(ham_folder)
    first = load_checkpoint(tiny_checkpoints / "teacher-resnet18")
    from kdcore.distill import hash_groups
    from kdcore.models import save_checkpoint

    leaky = dataclasses.replace(
        first.card, train_groups=hash_groups([s.lesion_id for s in data.samples])
    )
    save_checkpoint(tmp_path / "leaky", first.model, leaky)
    write_card(tmp_path / "leaky", dataclasses.replace(leaky, weights_sha256=""))
    recipe = dataclasses.replace(RECIPE, teachers=("leaky",), alpha=0.3, role="student")
    with pytest.raises(CheckpointError, match="holds out"):
        _train(recipe, ham_folder, tmp_path / "run", tmp_path)
