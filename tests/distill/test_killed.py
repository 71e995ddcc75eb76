"""Processes that die, disks that are full, several processes at once: `train` from outside."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from kdcore.distill import Recipe, RunFolder
from kdcore.distill.run import save_state
from tests.conftest import REPO

RECIPE = """
name = "dies"
architecture = "resnet18"
role = "baseline"
input_size = 64
epochs = 3
batch_size = 4
ema = 0.9
"""
# Dropout, a cache with maps, moving weights, drawing with replacement: all of it has to be redone.
TAUGHT = """
name = "dies"
architecture = "mobilenet_v2"
input_size = 64
epochs = 3
batch_size = 4
ema = 0.9
teachers = ["teacher-resnet18"]
teacher_views = 2
alpha = 0.3
beta = 100.0
at_masked = true
lam = 10.0
schedules = [["alpha", "linear", 0.9], ["beta", "warm-up", 1.0]]
sampling = "balanced"
"""
# Writing stops at this many bytes, as on a full disk; the limit needs no rights to set.
LIMITED = """
import resource, signal, sys
from kdcore.cli.main import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
sys.exit(main(sys.argv[1:]))
"""


class _Runs:
    def __init__(self, folder, data, checkpoints):
        self.folder, self.data, self.checkpoints = folder, data, checkpoints
        self.recipe = folder / "dies.toml"
        self.recipe.write_text(RECIPE)

    def command(self, name, *extra):
        out = ["--run", str(self.folder / name), "--out", str(self.folder / f"{name}-out")]
        return ["train", str(self.recipe), "--data", str(self.data), *out, *extra]

    def start(self, name, *extra, head=("-m", "kdcore")):
        return subprocess.Popen(
            [sys.executable, *head, *self.command(name, *extra)],
            cwd=REPO,
            env=os.environ
            | {
                "DISTILSCOPE_STATE": str(self.folder / "state"),
                "DISTILSCOPE_CHECKPOINTS": str(self.checkpoints),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, name):
        return RunFolder(self.folder / name)


@pytest.fixture
def runs(tmp_path, ham_folder, tiny_checkpoints):
    return _Runs(tmp_path, ham_folder, tiny_checkpoints)


def _wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def _weights(run):
    return torch.load(run.last, weights_only=True)


@pytest.mark.slow
def test_killed_within_an_epoch_and_resumed_is_bit_for_bit_the_same(runs):
    runs.recipe.write_text(TAUGHT)
    whole, cut = runs.start("whole"), runs.start("cut")
    _wait_for(lambda: len(runs.run("cut").read_history()) == 1)
    time.sleep(0.2)  # into the second epoch
    cut.send_signal(signal.SIGKILL)
    cut.wait()
    assert whole.wait(300) == 0
    killed = runs.run("cut")
    assert len(killed.read_history()) < 3
    assert killed.status().state == "interrupted"
    resumed = runs.start("cut", "--resume")
    assert resumed.wait(300) == 0
    assert killed.status().state == "done"
    ours, theirs = _weights(killed), _weights(runs.run("whole"))
    for part in ("student", "ema"):
        for name, value in theirs[part].items():
            assert torch.equal(ours[part][name], value), name
    with (
        open(runs.folder / "cut-out" / "history.csv") as a,
        open(runs.folder / "whole-out" / "history.csv") as b,
    ):
        for one, other in zip(csv.DictReader(a), csv.DictReader(b), strict=True):
            assert one["train_loss"] == other["train_loss"]


@pytest.mark.slow
def test_two_processes_do_not_share_a_run_folder(runs):
    runs.recipe.write_text(RECIPE.replace("epochs = 3", "epochs = 1000"))
    first = runs.start("same")
    _wait_for(lambda: runs.run("same").status().live)
    second = runs.start("same", "--resume")
    assert second.wait(120) == 1
    assert "Another process is at work" in second.communicate()[1]
    runs.run("same").cancel_file.touch()
    assert first.wait(120) == 130


@pytest.mark.slow
def test_a_full_disk_leaves_what_was_saved_and_says_so(runs):
    full = runs.start("full", head=("-c", LIMITED))
    assert full.wait(300) == 1
    assert "disk is full" in full.communicate()[1]
    run = runs.run("full")
    assert run.status().state == "failed"
    assert not run.last.exists()
    assert [p for p in run.path.iterdir() if p.suffix == ".pt"] == []  # nor half of one


def test_a_save_that_fails_keeps_the_state_before(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    save_state(path, {"epoch": 1})
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_bytes", _no_space)
        with pytest.raises(OSError, match="No space"):
            save_state(path, {"epoch": 2})
    assert torch.load(path, weights_only=True) == {"epoch": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["last.pt"]


def _no_space(self, data):
    with open(self, "wb") as file:
        file.write(bytes(data)[:10])
    raise OSError(28, "No space left on device", str(self))


@pytest.mark.slow
def test_queued_runs_take_turns_in_order(runs):
    runs.recipe.write_text(RECIPE.replace("epochs = 3", "epochs = 1000"))
    first = runs.start("first", "--queue")
    _wait_for(lambda: runs.run("first").status().state == "running")
    runs.recipe.write_text(RECIPE.replace("epochs = 3", "epochs = 1"))
    second = runs.start("second", "--queue")
    _wait_for(lambda: runs.run("second").status().state == "queued")
    third = runs.start("third", "--queue")
    _wait_for(lambda: runs.run("third").status().state == "queued")
    third_run = runs.run("third")
    third_run.cancel_file.touch()
    assert third.wait(60) == 130
    assert third_run.status().state == "cancelled"
    assert runs.run("first").status().live
    first.send_signal(signal.SIGKILL)  # its turn is given up without its help
    first.wait()
    assert second.wait(300) == 0
    assert runs.run("second").status().state == "done"


@pytest.mark.slow
def test_two_processes_of_torchrun_train_what_one_does(runs):
    # No batch norm, no class weights: the mean of two halves' gradients is the whole's.
    text = RECIPE.replace("resnet18", "cnn2").replace("dies", "pair")
    runs.recipe.write_text(text + 'class_weights = "none"\nclip = 1e6\n')
    pair = runs.start(
        "pair", head=("-m", "torch.distributed.run", "--nproc-per-node=2", "-m", "--", "kdcore")
    )
    one = runs.start("one")
    assert one.wait(300) == 0
    assert pair.wait(300) == 0, pair.communicate()[1]
    assert (runs.folder / "pair-out" / "card.json").exists()
    ours, theirs = _weights(runs.run("pair")), _weights(runs.run("one"))
    for name, value in theirs["student"].items():
        assert torch.allclose(ours["student"][name], value, atol=1e-4), name
    assert Recipe.read(runs.run("pair").recipe_file).name == "pair"
