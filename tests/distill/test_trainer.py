"""Training learns, resumes to the same result, and leaves the teacher alone."""

from __future__ import annotations

import dataclasses
import shutil
import threading
import time

import pytest
import torch

from kdcore.base import Cancelled, CheckpointError, DataError, RecipeError, SettingError
from kdcore.data import HAM10000, IMAGEFOLDER, Ham10000, open_dataset
from kdcore.data.info import BY_IMAGE
from kdcore.distill import Recipe, RunFolder, check_device, prepare
from kdcore.distill.prepare import _check_processes, parts_of
from kdcore.distill.run import kept_state, save_state
from kdcore.distill.sources import limit_samples
from kdcore.models import load_checkpoint, save_checkpoint, write_card
from tests.data.folder_makers import make_classes

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
    with pytest.raises(RecipeError, match="Raise limit, lower batch_size"):
        _train(dataclasses.replace(RECIPE, limit=1), ham_folder, tmp_path)
    (tmp_path / "data").mkdir()
    few = _keep(make_ham(tmp_path / "data"), lambda row: row[0] in ("HAM_4000", "HAM_4001"))
    with pytest.raises(DataError, match=r"too small to choose and measure .* lesions"):
        _train(dataclasses.replace(RECIPE, batch_size=2), few, tmp_path / "run")
    pictures = open_dataset(make_classes(tmp_path / "pictures", count=3))
    recipe = dataclasses.replace(RECIPE, dataset=IMAGEFOLDER, split=BY_IMAGE, batch_size=2)
    with pytest.raises(DataError, match="too small") as raised:
        parts_of(recipe, pictures)
    assert "lesion" not in str(raised.value) and "images for validation" in raised.value.hint


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


def test_no_room_for_a_run_does_not_make_it_a_broken_one(tmp_path):
    save_state(tmp_path / "last.pt", {"a": torch.zeros(3)})
    with pytest.raises(MemoryError), kept_state(tmp_path / "last.pt"):
        raise MemoryError
    with pytest.raises(CheckpointError, match="can't be read"), kept_state(tmp_path / "last.pt"):
        raise KeyError("origin")


BUILDS_ON = {
    "teacher": {"teachers": ("leaky",), "alpha": 0.3, "role": "student"},
    "checkpoint": {"init": "checkpoint:leaky", "architecture": "resnet18"},
    "file": {"init": "leaky/model.safetensors", "architecture": "resnet18"},
}


@pytest.mark.parametrize(("field", "of"), [("groups", "lesion_id"), ("images", "image_id")])
@pytest.mark.parametrize("built_on", BUILDS_ON.values(), ids=BUILDS_ON)
def test_what_saw_the_held_out_lesions_is_not_built_on(
    ham_folder, tmp_path, tiny_checkpoints, monkeypatch, field, of, built_on
):
    data = Ham10000.open(ham_folder)
    first = load_checkpoint(tiny_checkpoints / "teacher-resnet18")
    from kdcore.distill import hash_groups
    from kdcore.models import save_checkpoint

    known = hash_groups([getattr(s, of) for s in data.samples])
    leaky = dataclasses.replace(first.card, **{f"train_{field}": known})
    save_checkpoint(tmp_path / "leaky", first.model, leaky)
    write_card(tmp_path / "leaky", dataclasses.replace(leaky, weights_sha256=""))
    monkeypatch.chdir(tmp_path)  # where the file is
    recipe = dataclasses.replace(RECIPE, **built_on)
    with pytest.raises(CheckpointError, match="was trained on lesions .* holds out"):
        _train(recipe, ham_folder, tmp_path / "run", tmp_path)


def test_baseline_and_student_of_a_seed_start_from_the_same_weights(
    ham_folder, tmp_path, tiny_checkpoints
):
    def start(name, **change):
        recipe = dataclasses.replace(RECIPE, mixup=0.0, **change)
        run = RunFolder(tmp_path / name)
        student = prepare(recipe, Ham10000.open(ham_folder), tiny_checkpoints, run).trainer.student
        return [p.detach().clone() for p in student.net.parameters()]

    taught = {"teachers": ("teacher-resnet18",), "alpha": 0.3, "role": "student"}
    baseline, distilled = start("a"), start("b", hint=1.0, hint_stage=1, **taught)
    assert all(torch.equal(a, b) for a, b in zip(baseline, distilled))
    assert not all(torch.equal(a, b) for a, b in zip(baseline, start("c", seed=1)))


@pytest.mark.slow
def test_everything_at_once_from_two_teachers(ham_folder, tmp_path, tiny_checkpoints):
    recipe = dataclasses.replace(
        RECIPE, epochs=2, mixup=0.0, role="student", alpha=0.3, kd="dkd", beta=100.0, lam=1.0,
        teachers=("teacher-resnet18", "student-mobilenetv2"), teacher_weights=(2.0, 1.0),
        at_masked=True, align="contrastive", hint=0.5, hint_stage=1, focal_gamma=1.5,
        class_weights="effective-number", sampling="balanced", optimizer="sgd",
        lr_schedule="one-cycle", schedules=(("lam", "warm-up", 1.0), ("alpha", "linear", 0.9)),
        architecture="resnet18",
    )  # fmt: skip
    prepared, history = _train(recipe, ham_folder, tmp_path, tiny_checkpoints)
    for part in ("ce", "kd", "at", "align", "hint"):
        assert history[0][f"train_{part}"] > 0, part
    assert [row["alpha"] for row in history] == pytest.approx([0.6, 0.9])
    assert -1 <= history[0]["val_attention"] <= 1
    assert 0 <= history[0]["val_agreement"] <= 1
    assert set(prepared.card.teachers) == {"teacher-resnet18", "student-mobilenetv2"}
    kept = torch.load(prepared.trainer.folder.best, weights_only=True)
    assert not [name for name in kept if "projection" in name]


def test_patience_stops_and_the_best_epoch_is_kept(ham_folder, tmp_path):
    recipe = dataclasses.replace(RECIPE, epochs=30, patience=2, monitor="nll", learning_rate=0.3)
    prepared, history = _train(recipe, ham_folder, tmp_path)
    assert len(history) < 30
    losses = [row["val_nll"] for row in history]
    best = min(range(len(losses)), key=lambda i: (losses[i], -i))
    assert len(losses) - 1 - best == 2
    inputs = prepared.trainer.val_data.images.float() / 255
    with torch.inference_mode():
        logits = prepared.trainer.best_model()(prepared.trainer.preprocess.normalise(inputs)).logits
    nll = torch.nn.functional.cross_entropy(logits, prepared.trainer.val_data.labels)
    assert float(nll) == pytest.approx(losses[best], rel=1e-5)


def test_balanced_sampling_shows_classes_equally_often(ham_folder, tmp_path):
    recipe = dataclasses.replace(RECIPE, sampling="balanced", limit=40)
    prepared = prepare(recipe, Ham10000.open(ham_folder), tmp_path, RunFolder(tmp_path / "run"))
    batches = prepared.trainer.batches
    counts = torch.zeros(7)
    for epoch in range(60):
        for batch in batches.epoch(epoch):
            counts += torch.bincount(batch.labels, minlength=7)
    assert (counts / counts.sum() - 1 / 7).abs().max() < 0.03


def test_a_limit_leaves_each_class_its_share(ham_folder):
    data = Ham10000.open(ham_folder)
    few = limit_samples(data.samples, 21)
    assert {sum(s.label == c for s in few) for c in range(7)} == {3}
    assert few == limit_samples(data.samples, 21)
    assert limit_samples(data.samples, 0) == list(data.samples)


def test_a_recipe_for_other_data_is_told(ham_folder, tmp_path):
    for change, word in (
        (("dataset", "cifar10"), "holds HAM10000"),
        (("split", "official"), "no spl"),
    ):
        recipe = dataclasses.replace(RECIPE, **dict([change]))
        with pytest.raises(RecipeError, match=word):
            _train(recipe, ham_folder, tmp_path)


def test_a_run_says_what_it_is_doing_and_can_be_paused(ham_folder, tmp_path):
    run = RunFolder(tmp_path)
    assert run.status().state == ""
    trainer = prepare(RECIPE, Ham10000.open(ham_folder), tmp_path, run).trainer
    run.pause_file.touch()
    states = []

    def work():
        with run.lock():
            trainer.run()

    thread = threading.Thread(target=work)
    thread.start()
    end = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < end:
        states.append(run.status().state)
        if states[-1] == "paused":
            run.pause_file.unlink(missing_ok=True)
        time.sleep(0.02)
    thread.join()
    assert "paused" in states
    assert run.status().state == "interrupted"  # nobody holds the lock, and nobody said "done"
    assert len(run.read_history()) == RECIPE.epochs


@pytest.mark.slow
def test_a_run_is_resumed_with_the_teachers_it_was_begun_with(
    ham_folder, tmp_path, tiny_checkpoints, make_ham
):
    shutil.copytree(tiny_checkpoints, tmp_path / "checkpoints")
    recipe = dataclasses.replace(
        RECIPE, mixup=0.0, teachers=("teacher-resnet18",), alpha=0.3, role="student", epochs=1
    )
    _train(recipe, ham_folder, tmp_path / "run", tmp_path / "checkpoints")
    longer = dataclasses.replace(recipe, epochs=2)
    other = load_checkpoint(tiny_checkpoints / "teacher-resnet18")
    next(iter(other.model.parameters())).data.add_(1)
    save_checkpoint(tmp_path / "checkpoints" / "teacher-resnet18", other.model, other.card)
    with pytest.raises(CheckpointError, match="another teacher teacher-resnet18"):
        _train(longer, ham_folder, tmp_path / "run", tmp_path / "checkpoints", resume=True)
    with pytest.raises(CheckpointError, match="another training set"):
        _train(
            dataclasses.replace(longer, limit=50),
            ham_folder, tmp_path / "run", tiny_checkpoints, resume=True,
        )  # fmt: skip
    _, history = _train(longer, ham_folder, tmp_path / "run", tiny_checkpoints, resume=True)
    assert len(history) == 2


def test_a_history_that_was_not_written_is_written_again(ham_folder, tmp_path):
    _train(RECIPE, ham_folder, tmp_path)
    run = RunFolder(tmp_path)
    run.write_history(run.read_history()[:1])  # killed between its last two files
    _train(RECIPE, ham_folder, tmp_path, resume=True)
    assert len(run.read_history()) == RECIPE.epochs


def test_a_run_that_diverges_says_what_to_do(ham_folder, tmp_path):
    recipe = dataclasses.replace(
        RECIPE, learning_rate=1e9, optimizer="sgd", warmup_epochs=0.0, clip=1e9, mixup=0.0
    )
    with pytest.raises(RecipeError, match="diverged.*Lower learning_rate"):
        _train(recipe, ham_folder, tmp_path)


def test_initial_weights_of_a_checkpoint_bring_their_normalisation(
    ham_folder, tmp_path, tiny_checkpoints
):
    shutil.copytree(tiny_checkpoints, tmp_path / "checkpoints")
    source = load_checkpoint(tmp_path / "checkpoints" / "teacher-resnet18")
    write_card(source.path, dataclasses.replace(source.card, mean=(0.5, 0.4, 0.3)))
    recipe = dataclasses.replace(
        RECIPE, architecture="resnet18", init="checkpoint:teacher-resnet18", mixup=0.0
    )
    run = RunFolder(tmp_path / "run")
    data = Ham10000.open(ham_folder)
    prepared = prepare(recipe, data, tmp_path / "checkpoints", run)
    assert prepared.card.mean == (0.5, 0.4, 0.3)
    first = prepared.trainer.student.net.net.conv1.weight.detach()
    assert torch.equal(first, source.model.net.conv1.weight)
    assert set(source.card.trained) <= set(prepared.card.trained)
    write_card(source.path, dataclasses.replace(source.card, train_groups=("f" * 64,)))
    assert "f" * 64 in prepare(recipe, data, tmp_path / "checkpoints", run).card.train_groups
    own = dataclasses.replace(recipe, init_mean=(0.1, 0.1, 0.1), init_std=(1.0, 1.0, 1.0))
    assert prepare(own, data, tmp_path / "checkpoints", run).card.mean == (0.1, 0.1, 0.1)


@pytest.mark.parametrize(
    ("change", "processes", "match"),
    [({"batch_size": 15}, 2, "can't be shared"), ({"mixup": 0.5}, 2, "mixup mixes")],
)
def test_what_several_processes_would_train_otherwise_is_told(change, processes, match):
    with pytest.raises(RecipeError, match=match):
        _check_processes(dataclasses.replace(RECIPE, **({"mixup": 0.0} | change)), processes)
    _check_processes(dataclasses.replace(RECIPE, **change), 1)


def test_a_stage_that_is_not_there_can_not_be_aligned(ham_folder, tmp_path, tiny_checkpoints):
    recipe = dataclasses.replace(
        RECIPE, mixup=0.0, role="student", teachers=("teacher-resnet18",), lam=1.0, align_stage=3
    )
    with pytest.raises(RecipeError, match="no stage 3"):
        _train(recipe, ham_folder, tmp_path, tiny_checkpoints)
