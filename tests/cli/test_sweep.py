"""`sweep` from outside: what it trains, goes on with, leaves alone and tells of."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import signal
import subprocess
import sys

import pytest
import torch

from kdcore.base import SettingError
from kdcore.cli import members
from kdcore.cli.backends import gpu_share, started, threads_for
from kdcore.cli.main import main
from kdcore.distill.sweep import Sweep
from kdcore.predict import Predictions

TINY = """
name = "tiny"
seeds = [0, 1]

[base]
architecture = "cnn2"
input_size = 32
epochs = 1
batch_size = 16

[methods.baseline]
role = "baseline"

[methods.kd]
teachers = ["teacher-resnet18"]
alpha = 0.5
"""
MORE = """
[methods.more]
init = "run:baseline"
"""
BROKEN = """
[methods.broken]
teachers = ["nobody"]
alpha = 0.5
"""
NAMES = [f"tiny-{method}-s{seed}" for method in ("baseline", "kd") for seed in (0, 1)]
DIES = """
import os, signal, sys
from kdcore.cli.main import main
from kdcore.distill import RunFolder
write, calls = RunFolder.write_history, []
def dying(self, rows):
    write(self, rows)
    calls.append(1)
    if len(calls) == 3:  # in the middle of the second run
        os.kill(os.getpid(), signal.SIGKILL)
RunFolder.write_history = dying
main(sys.argv[1:])
"""


class _Work:
    """A sweep's file and its folder of runs, with the command bound to them."""

    def __init__(self, folder, data):
        self.file, self.runs, self.json = folder / "s.toml", folder / "runs", folder / "s.json"
        self.data, self.out = data, folder / "out"
        self.file.write_text(TINY)

    def command(self, *extra):
        folders = ["--runs", str(self.runs), "--data", str(self.data), "--json", str(self.json)]
        return ["sweep", str(self.file), *folders, "--threads", "1", *extra]

    def sweep(self, *extra):
        return main(self.command(*extra))

    def result(self):
        return json.loads(self.json.read_text())

    def scores(self):
        return {m["name"]: (m["weights_sha256"], m["scores"]) for m in self.result()["members"]}


@pytest.fixture
def work(tmp_path, ham_folder, tiny_checkpoints, monkeypatch):
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tiny_checkpoints))
    return _Work(tmp_path, ham_folder)


@pytest.fixture
def no_training(monkeypatch):
    """Training anything is an error."""

    def fail(*_arguments):
        raise AssertionError("this was to be left alone")

    def forbid():
        monkeypatch.setattr(members, "prepare", fail)

    return forbid


def test_a_sweep_from_file_to_tables(work, capsys, no_training):
    threads = torch.get_num_threads()
    assert work.sweep("--out", str(work.out)) == 0
    assert torch.get_num_threads() == threads
    text = capsys.readouterr().out
    result = work.result()
    assert [m["name"] for m in result["members"]] == NAMES
    assert [(t["split"], t["metric"]) for t in result["tables"]] == [
        *(("test", m) for m in ("macro_f1", "balanced_accuracy", "accuracy", "nll", "ece")),
        ("val", "macro_f1"),
    ]
    for table in result["tables"]:
        [comparison] = table["result"]["comparisons"]
        assert (comparison["method"], comparison["reference"]) == ("kd", "baseline")
        assert table["result"]["higher_is_better"] == (table["metric"] not in ("nll", "ece"))
    member = result["members"][2]
    kd = Predictions.load(work.runs / "tiny-kd-s0/predictions-test.npz")
    assert member["weights_sha256"] == kd.checkpoint_hash
    assert member["scores"]["accuracy"] == (kd.logits.argmax(1) == kd.labels).mean()
    assert kd.meta["teacher teacher-resnet18"]
    assert result["recipe_differences"]["kd"]["alpha"] == 0.5
    assert result["tables"][0]["n_images"] == len(kd)
    assert set(result["mean_seconds"]) == {"baseline", "kd"}
    assert "Test macro-F1, n = 13 images" in text
    assert "Mean seconds of training: baseline" in text
    names = {p.name for p in work.out.iterdir()}
    assert {"tiny.csv", "tiny.md", "tiny-seeds.csv", "tiny-val-macro_f1.tex"} < names
    assert len((work.out / "tiny-seeds.csv").read_text().splitlines()) == 1 + len(NAMES)

    no_training()
    assert work.sweep() == 0
    assert work.result() == result
    assert work.sweep("--report", "--only", "kd", "--seeds", "1") == 0
    assert [m["name"] for m in work.result()["members"]] == ["tiny-kd-s1"]


@pytest.mark.slow
def test_two_at_a_time_have_the_same_numbers(work):
    assert work.sweep() == 0
    alone = work.scores()
    for backend in ("loky", "threading"):
        work.runs = work.runs.with_name(backend)
        jobs = "2" if backend == "loky" else "1"  # threads share one state of random numbers
        assert work.sweep("--jobs", jobs, "--backend", backend) == 0
        assert work.scores() == alone
    work.runs = work.runs.with_name("threads")
    assert work.sweep("--jobs", "2", "--backend", "threading") == 0
    assert list(work.scores()) == list(alone)


@pytest.mark.slow
def test_killed_and_started_again(work, repo):
    work.file.write_text(TINY.replace("epochs = 1", "epochs = 2"))
    assert work.sweep() == 0
    whole = work.scores()
    work.runs = work.runs.with_name("killed")
    environment = os.environ | {"PYTHONPATH": str(repo)}
    command = [sys.executable, "-c", DIES, *work.command()]
    killed = subprocess.run(command, env=environment, capture_output=True, timeout=300)
    assert killed.returncode == -signal.SIGKILL
    assert (work.runs / NAMES[0] / "predictions-test.npz").exists()
    assert (work.runs / NAMES[1] / "last.pt").exists()
    assert not (work.runs / NAMES[1] / "predictions-test.npz").exists()
    assert not (work.runs / NAMES[2]).exists()
    before = (work.runs / NAMES[0] / "best.pt").stat().st_mtime_ns
    assert work.sweep() == 0
    assert work.scores() == whole
    assert (work.runs / NAMES[0] / "best.pt").stat().st_mtime_ns == before


def test_ctrl_c_stops_and_the_rest_follows(work, monkeypatch, capsys):
    monkeypatch.setattr(members, "_predict", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert work.sweep() == 130
    status = json.loads((work.runs / NAMES[0] / "status.json").read_text())
    assert status["state"] == "cancelled"
    assert not (work.runs / NAMES[1]).exists()
    monkeypatch.undo()
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(work.data / "none"))
    assert work.sweep("--only", "baseline") == 0
    assert [m["name"] for m in work.result()["members"]] == NAMES[:2]


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_a_failing_member_does_not_stop_the_others(work, capsys, jobs):
    work.file.write_text(TINY.replace("[methods.kd]", BROKEN + "[methods.kd]"))
    assert work.sweep("--jobs", jobs, "--seeds", "0") == 1
    told = capsys.readouterr()
    assert "1 of 3 members failed: tiny-broken-s0: 'nobody' is not a checkpoint" in told.err
    assert "kd " in told.out
    result = work.result()
    assert [m["name"] for m in result["members"]] == [NAMES[0], NAMES[2]]
    assert list(result["failed"]) == ["tiny-broken-s0"]
    status = json.loads((work.runs / "tiny-broken-s0/status.json").read_text())
    assert status["state"] == "failed"
    assert "nobody" in status["error"]


@pytest.mark.slow
def test_a_broken_process_is_told_and_what_it_left_counts(work, monkeypatch, capsys):
    class Breaking(members.Parallel):
        def __call__(self, calls):
            super().__call__([next(iter(calls))])
            raise RuntimeError("a worker was killed\nlong story")

    monkeypatch.setattr(members, "Parallel", Breaking)
    assert work.sweep("--only", "baseline") == 1
    told = "tiny-baseline-s1: Its process broke off (RuntimeError: a worker was killed)."
    assert told in capsys.readouterr().err
    assert list(work.scores()) == [NAMES[0]]


def test_more_epochs_start_from_the_best_weights_of_the_same_seed(work, capsys, no_training):
    work.file.write_text(TINY + MORE)
    assert work.sweep("--only", "more", "--seeds", "1") == 1
    assert "starts from tiny-baseline-s1, which is not finished" in capsys.readouterr().err
    assert work.sweep("--only", "baseline", "more") == 0
    assert "the runs that some start from not counted" in capsys.readouterr().out
    recipe = json.loads((work.runs / "tiny-more-s1/recipe.json").read_text())
    assert recipe["init"] == "run:baseline"
    no_training()
    assert work.sweep("--only", "more", "--seeds", "1") == 0
    source = work.runs / "tiny-baseline-s1/best.pt"
    start, first = (torch.load(p, weights_only=True) for p in (source, _best(work, "more")))
    assert any(not torch.equal(start[k], first[k]) for k in start)
    source.write_bytes(_best(work, "baseline", 0).read_bytes())
    assert work.sweep("--only", "more", "--seeds", "1") == 1
    assert "other weights of tiny-baseline-s1" in capsys.readouterr().err


def test_the_start_is_loaded(work, monkeypatch):
    """With a vanishing step the second run ends where the first did."""
    work.file.write_text(TINY + MORE + "learning_rate = 1e-30\nweight_decay = 0.0\n")
    assert work.sweep("--only", "baseline", "more", "--seeds", "1") == 0
    start, end = (torch.load(_best(work, m), weights_only=True) for m in ("baseline", "more"))
    weights = [k for k in start if k.endswith("weight")]
    assert weights
    assert all(torch.equal(start[k], end[k]) for k in weights)


def _best(work, method, seed=1):
    return work.runs / f"tiny-{method}-s{seed}" / "best.pt"


def test_a_changed_recipe_is_not_mixed_in(work, capsys):
    assert work.sweep("--only", "baseline") == 0
    work.file.write_text(TINY.replace("batch_size = 16", "batch_size = 8"))
    for extra in ((), ("--report",)):
        assert work.sweep("--only", "baseline", *extra) == 1
        error = capsys.readouterr().err
        assert (
            "tiny-baseline-s0: The run in 'tiny-baseline-s0' was started with batch_size" in error
        )
        assert "Delete that folder to train it again" in error
    assert work.result()["members"] == []


def test_other_images_and_other_teachers_are_not_compared(work, capsys):
    assert work.sweep() == 0
    path = work.runs / NAMES[3] / "predictions-test.npz"
    saved = Predictions.load(path)
    for change, expected in (
        (
            {"sample_ids": saved.sample_ids[::-1]},
            "It was measured on other images than tiny-baseline-s0.",
        ),
        (
            {"meta": saved.meta | {"teacher teacher-resnet18": "0"}},
            "Its teacher teacher-resnet18 had other weights than that of tiny-kd-s0.",
        ),
    ):
        Predictions(**vars(saved) | change).save(path)
        assert work.sweep("--report") == 1
        assert f"{NAMES[3]}: {expected}" in capsys.readouterr().err
        assert len(work.result()["members"]) == 3


def test_report_of_nothing_and_of_a_part(work, capsys):
    assert work.sweep("--report") == 1
    assert "No run in" in capsys.readouterr().err
    assert not work.runs.exists()
    assert work.sweep("--seeds", "1") == 0
    assert work.sweep("--report") == 0
    assert "Not finished, so in no table: tiny-baseline-s0, tiny-kd-s0." in capsys.readouterr().out
    assert work.result()["missing"] == [NAMES[0], NAMES[2]]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (["--only", "baseline", "at"], "--only names at"),
        (["--seeds", "7"], "--seeds names 7"),
        (["--device", "tpu9"], "no device 'tpu9'"),
        (["--data", "/nowhere"], "does not exist"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_written(work, capsys, extra, expected):
    assert work.sweep(*extra) == 1
    assert expected in capsys.readouterr().err
    assert not work.runs.exists()


@pytest.mark.parametrize("extra", [["--jobs", "0"], ["--jobs", "-1"], ["--backend", "dask"]])
def test_usage(work, extra):
    with pytest.raises(SystemExit) as stopped:
        work.sweep(*extra)
    assert stopped.value.code == 2


def test_a_run_that_another_process_holds_is_left_alone(work):
    member = Sweep.read(work.file).members()[0]
    place = members.Place(work.runs, {"ham10000": work.data}, work.data)
    with members.RunFolder(work.runs / member.name).lock():
        assert "Another process is at work" in members.train_member(member, place)
    assert not (work.runs / member.name / "status.json").exists()


def test_ray_that_is_not_installed(work, monkeypatch, capsys):
    real = importlib.import_module

    def without(name, *arguments):
        if name.startswith("ray"):
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(importlib, "import_module", without)
    assert work.sweep("--backend", "ray") == 1
    assert "`pip install ray`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("processes", "cpus", "expected"),
    [(1, [2], 2), (2, [2], 1), (2, [5, 1], 2), (2, [2, 2, 2], 2), (4, [16, 16], 8), (3, [4, 2], 2)],
)
def test_each_member_fits_on_a_machine(processes, cpus, expected):
    assert threads_for(processes, cpus) == expected
    assert sum(c // expected for c in cpus) >= processes


def test_shares_of_a_cluster():
    with pytest.raises(SettingError, match="2 CPUs"):
        threads_for(3, [1, 1])
    assert [gpu_share(n, 2) for n in (1, 2, 3, 5)] == [1, 1, 0.5, pytest.approx(1 / 3)]
    with pytest.raises(SettingError, match="no GPU"):
        gpu_share(1, 0)
    with started("loky", 2) as backend:
        assert backend.threads == max(1, torch.get_num_threads() // 2)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_a_local_ray_cluster_has_the_same_numbers(work, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    assert work.sweep() == 0
    alone = work.scores()
    work.runs = work.runs.with_name("ray")
    ray.init(num_cpus=2, include_dashboard=False)
    try:
        assert work.sweep("--jobs", "2", "--backend", "ray") == 0
        assert ray.is_initialized()  # it was there before, so it is left alone
    finally:
        ray.shutdown()
    assert work.scores() == alone
