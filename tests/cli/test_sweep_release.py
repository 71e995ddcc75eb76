"""`sweep --release`: the seed in the middle becomes a checkpoint that says which it is."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from kdcore.base import SettingError
from kdcore.cli.main import main
from kdcore.cli.sweep_release import middle_seed, seeds_text
from kdcore.cli.sweep_results import Result
from kdcore.distill import Recipe
from kdcore.distill.sweep import Member
from kdcore.models import load_checkpoint, read_card
from kdcore.predict import Predictions
from tests.cli.test_sweep import TINY
from tests.evaluate.makers import make_predictions


def results(*scores: float, method: str = "kd") -> list[Result]:
    test = make_predictions(20)
    recipe = Recipe(name="x", architecture="cnn2")
    return [
        Result(
            Member("", method, seed, replace(recipe, seed=seed)),
            {"val_macro_f1": score, "macro_f1": 1 - score},
            1.0,
            1,
            10,
            test,
        )
        for seed, score in enumerate(scores)
    ]


@pytest.mark.parametrize(
    ("scores", "seed"),
    [((0.5,), 0), ((0.6, 0.5, 0.7), 0), ((0.7, 0.5, 0.6), 2), ((0.7, 0.5), 1), ((0.5, 0.5), 0)],
)
def test_the_middle_is_neither_the_best_nor_the_worst(scores, seed):
    assert middle_seed(results(*scores), "kd", range(len(scores))).member.seed == seed


def test_the_middle_is_of_all_seeds():
    with pytest.raises(SettingError, match="kd can't be released: seed 2, 3 of it is not finished"):
        middle_seed(results(0.5, 0.6) + results(0.1, method="baseline"), "kd", [0, 1, 2, 3])


def test_all_seeds_are_told():
    told = results(0.6, 0.5, 0.7) + results(0.1, method="baseline")
    said = seeds_text(told, told[0])
    assert said.startswith(
        "Of 3 seeds it is the one in the middle by macro-F1 on validation: seed 0 ("
    )
    assert "seed 2: 0.700 on validation, 0.300 on test" in said and "0.100" not in said
    assert "the lower of the two in the middle" in seeds_text(told[:2], told[1])


@pytest.fixture
def work(tmp_path, ham_folder, tiny_checkpoints, monkeypatch):
    """A sweep's command, with checkpoints of its own."""
    shutil.copytree(tiny_checkpoints, tmp_path / "checkpoints")
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    (tmp_path / "s.toml").write_text(TINY)
    folders = ["--runs", str(tmp_path / "runs"), "--data", str(ham_folder)]
    return lambda *more: main(["sweep", str(tmp_path / "s.toml"), *folders, *more])


@pytest.mark.parametrize(
    ("method", "name", "told"),
    [
        ("dkd", "small", "which the sweep has not"),
        ("kd", "teacher-resnet18", "there is a checkpoint 'teacher-resnet18' already"),
        ("kd", "../evil", "is no name"),
        ("kd", "", "is no name"),
        ("kd", ".", "is no name"),
    ],
)
def test_what_cannot_be_released_is_told_at_once(work, tmp_path, capsys, method, name, told):
    assert work("--release", method, name, "Small") == 1
    assert told in capsys.readouterr().err and not (tmp_path / "runs").exists()


def test_a_released_seed_is_a_checkpoint(work, tmp_path, ham_folder, capsys):
    home, runs = tmp_path / "checkpoints", tmp_path / "runs"
    assert work() == 0
    teacher = read_card(home / "teacher-resnet18").weights_sha256
    shutil.rmtree(home / "teacher-resnet18")  # which the runs do not need any more
    before = {p: p.read_bytes() for p in runs.rglob("*") if p.is_file()}
    assert work("--report", "--release", "kd", "small", "Small by KD") == 0
    assert before == {p: p.read_bytes() for p in runs.rglob("*") if p.is_file()}
    made = load_checkpoint(home / "small")
    card = made.card
    assert (card.title, card.role, card.recipe["name"]) == ("Small by KD", "student", "small")
    assert f"validation: seed {card.recipe['seed']} (" in card.provenance
    assert card.teachers == {"teacher-resnet18": teacher}
    assert card.recipe["precision"] == "fp32" and "seed 1:" in capsys.readouterr().out
    run = f"tiny-kd-s{card.recipe['seed']}"
    best = torch.load(runs / run / "best.pt", weights_only=True)
    for name, values in made.model.state_dict().items():
        kept = best[name].half().float() if values.is_floating_point() else best[name]
        assert torch.equal(values, kept)
    for part in ("val", "test"):
        mine = Predictions.load(home / "small" / f"predictions-{part}.npz")
        other = Predictions.load(runs / run / f"predictions-{part}.npz")
        assert mine.checkpoint == "small" and mine.checkpoint_hash == card.weights_sha256
        assert np.array_equal(mine.sample_ids, other.sample_ids)
        assert np.allclose(mine.logits, other.logits, atol=0.02)  # of half-precision weights


def test_one_named_student_needs_no_name(work, tmp_path):
    (tmp_path / "s.toml").write_text(TINY + '\n[students.small]\narchitecture = "cnn2"\n')
    assert work("--only", "baseline", "--release", "baseline", "alone", "Alone") == 0
    assert read_card(tmp_path / "checkpoints" / "alone").role == "baseline"
    assert work("--only", "baseline", "--seeds", "1", "--release", "baseline", "other", "O") == 1


def test_a_run_that_cannot_be_read_is_told(work, tmp_path, capsys):
    assert work("--only", "baseline") == 0
    for run in (tmp_path / "runs").iterdir():
        (run / "best.pt").write_bytes(b"half")
    assert work("--report", "--release", "baseline", "alone", "Alone") == 1
    assert "can't be read" in capsys.readouterr().err
    assert not (tmp_path / "checkpoints" / "alone").exists()
