"""Runs as processes of their own, told by their folders; estimates; event files."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time

import pytest

from kdcore.base import Cancelled, SettingError, runs_folder
from kdcore.data import Ham10000
from kdcore.distill import (
    EventFiles,
    Recipe,
    RunFolder,
    cancel_run,
    delete_run,
    estimate_run,
    list_runs,
    log_tail,
    pause_run,
    read_run,
    recipe_difference,
    resume_run,
    start_run,
)

RECIPE = Recipe("job", "cnn2", role="baseline", input_size=32, epochs=2, batch_size=16, ema=0.5)


def _wait_for(path, states, seconds=120):
    end = time.monotonic() + seconds
    while (state := read_run(path).status.state) not in states:
        assert time.monotonic() < end, f"still {state}"
        time.sleep(0.05)
    return state


@pytest.mark.slow
def test_a_job_starts_finishes_and_is_listed(ham_folder):
    assert list_runs() == []
    folder = start_run(RECIPE, ham_folder)
    assert folder.path == runs_folder() / "job"
    assert read_run(folder.path).status.live  # at once, before the process has said a word
    with pytest.raises(SettingError, match="already"):
        start_run(RECIPE, ham_folder)
    with pytest.raises(SettingError, match="at work"):
        delete_run(folder)
    assert _wait_for(folder.path, ("done", "failed")) == "done", log_tail(folder)
    (run,) = list_runs()
    assert run.name == "job"
    assert run.recipe == RECIPE
    assert len(run.history) == 2
    assert run.has_checkpoint
    assert "epoch" in log_tail(folder)
    assert list((folder.path / "events").iterdir())
    with pytest.raises(SettingError, match="nothing to resume"):
        resume_run(folder, ham_folder)
    delete_run(folder)
    assert list_runs() == []


@pytest.mark.slow
def test_a_job_is_paused_cancelled_and_resumed(ham_folder):
    folder = start_run(dataclasses.replace(RECIPE, epochs=2000), ham_folder)
    _wait_for(folder.path, ("running",))
    pause_run(folder, True)
    _wait_for(folder.path, ("paused",))
    pause_run(folder, False)
    _wait_for(folder.path, ("running",))
    cancel_run(folder)
    _wait_for(folder.path, ("cancelled",))
    epochs = len(read_run(folder.path).history)
    resume_run(folder, ham_folder)
    _wait_for(folder.path, ("running",))
    cancel_run(folder)
    _wait_for(folder.path, ("cancelled",))
    assert len(read_run(folder.path).history) >= epochs


@pytest.mark.slow
def test_a_job_can_be_cancelled_before_it_has_begun(ham_folder):
    folder = start_run(dataclasses.replace(RECIPE, epochs=2000), ham_folder)
    cancel_run(folder)
    assert _wait_for(folder.path, ("cancelled", "done", "failed")) == "cancelled"
    assert read_run(folder.path).history == []


@pytest.mark.slow
def test_a_job_that_can_not_work_says_why(ham_folder):
    taught = dataclasses.replace(RECIPE, role="student", teachers=("nobody",), alpha=0.5)
    folder = start_run(taught, ham_folder)
    assert _wait_for(folder.path, ("failed", "done")) == "failed"
    assert "nobody" in read_run(folder.path).status.facts["error"]
    end = time.monotonic() + 30  # the process says why last
    while "nobody" not in log_tail(folder):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_who_starts_or_deletes_second_is_told(ham_folder, monkeypatch):
    folder = RunFolder(runs_folder() / RECIPE.name)
    folder.path.mkdir(parents=True)
    with pytest.raises(SettingError, match="There is a run named 'job' already"):
        start_run(RECIPE, ham_folder)
    assert list(folder.path.iterdir()) == []

    def gone(path):
        raise FileNotFoundError(2, "No such file or directory", str(path))

    monkeypatch.setattr(shutil, "rmtree", gone)
    with pytest.raises(SettingError, match="Another session has deleted the run 'job'"):
        delete_run(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"state": 3}'])
def test_a_half_written_folder_is_a_run_of_which_little_is_known(tmp_path, text):
    path = tmp_path / "odd"
    path.mkdir()
    (path / "recipe.json").write_text(text)
    (path / "status.json").write_text(text)
    (path / "history.csv").write_text("epoch,val\n1,x")
    (run,) = list_runs(tmp_path)
    assert run.recipe is None
    assert not run.status.live
    assert run.history == []
    assert log_tail(run.folder) == ""


def test_a_status_without_a_process_is_an_interruption(tmp_path):
    run = RunFolder(tmp_path)
    run.write_status("running", epoch=3)
    assert run.status().state == "interrupted"
    assert run.status().facts["epoch"] == 3
    with run.lock():
        assert RunFolder(tmp_path).status().state == "running"
    run.write_status("starting")
    assert run.status().live
    status = json.loads(run.status_file.read_text()) | {"heartbeat": 0}
    run.status_file.write_text(json.dumps(status))
    assert run.status().state == "interrupted"  # it never came to its lock


def test_what_two_recipes_differ_in():
    other = dataclasses.replace(RECIPE, epochs=5, seed=1)
    assert recipe_difference(RECIPE, RECIPE) == []
    assert recipe_difference(RECIPE, other) == [("seed", 0, 1), ("epochs", 2, 5)]


def test_an_estimate_grows_with_the_work(ham_folder, tiny_checkpoints):
    data = Ham10000.open(ham_folder)
    seen = []
    plain = estimate_run(RECIPE, data, tiny_checkpoints, progress=lambda d, t: seen.append((d, t)))
    assert seen[-1][0] == seen[-1][1]
    assert plain.cache_s == 0
    assert plain.total_s == pytest.approx(2 * plain.epoch_s)
    taught = dataclasses.replace(RECIPE, role="student", teachers=("teacher-resnet18",), alpha=0.3)
    cached = dataclasses.replace(taught, teacher_views=3)
    slow, fast = (estimate_run(r, data, tiny_checkpoints) for r in (taught, cached))
    assert slow.epoch_s > plain.epoch_s
    assert fast.epoch_s < slow.epoch_s
    assert fast.total_s == pytest.approx(fast.cache_s + 2 * fast.epoch_s)

    def stop(done, total):
        raise Cancelled("The test")

    with pytest.raises(Cancelled):
        estimate_run(RECIPE, data, tiny_checkpoints, progress=stop)


def test_event_files_hold_the_history(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    rows = [{"epoch": e, "lr": 0.1, "train_loss": 2.0 - e, "val_nll": 1.0} for e in (1, 2, 3)]
    first = EventFiles(tmp_path)
    for row in rows:
        first.write(row)
    first.close()
    again = EventFiles(tmp_path, finished=2)  # killed after the second epoch, and resumed
    again.write({"epoch": 3, "lr": 0.1, "train_loss": -5.0, "val_nll": 1.0})
    again.close()
    events = EventAccumulator(str(tmp_path / "events")).Reload()
    assert set(events.Tags()["scalars"]) == {"run/lr", "train/loss", "val/nll"}
    assert [e.value for e in events.Scalars("train/loss")] == pytest.approx([1.0, 0.0, -5.0])
