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
from kdcore.models import load_checkpoint
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
    assert middle_seed(results(*scores), "kd").member.seed == seed


def test_an_unknown_method_is_told_with_what_there_is():
    with pytest.raises(SettingError, match="no finished run of 'dkd'.*Finished are runs of kd"):
        middle_seed(results(0.5), "dkd")


def test_all_seeds_are_told():
    told = results(0.6, 0.5, 0.7) + results(0.1, method="baseline")
    said = seeds_text(told, told[0])
    assert said.startswith("Seed 0 of 3, the one in the middle by macro-F1 on validation")
    assert "seed 2: 0.700 on validation, 0.300 on test" in said and "0.100" not in said


def test_a_released_seed_is_a_checkpoint(
    tmp_path, ham_folder, tiny_checkpoints, monkeypatch, capsys
):
    home = tmp_path / "checkpoints"
    shutil.copytree(tiny_checkpoints, home)
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(home))
    (tmp_path / "s.toml").write_text(TINY)
    runs = tmp_path / "runs"
    command = ["sweep", str(tmp_path / "s.toml"), "--runs", str(runs), "--data", str(ham_folder)]
    assert main([*command, "--release", "kd", "small", "Small by KD"]) == 0
    made = load_checkpoint(home / "small")
    card = made.card
    assert (card.title, card.role, card.recipe["name"]) == ("Small by KD", "student", "small")
    assert f"Seed {card.recipe['seed']} of 2" in card.provenance
    assert list(card.teachers) == ["teacher-resnet18"]
    assert "seed 1:" in capsys.readouterr().out
    run = f"tiny-kd-s{card.recipe['seed']}"
    best = torch.load(runs / run / "best.pt", weights_only=True)
    kept = best.get("model", best)
    for name, values in made.model.state_dict().items():
        assert torch.equal(
            values, kept[name].half().float() if values.is_floating_point() else kept[name]
        )
    for part in ("val", "test"):
        mine = Predictions.load(home / "small" / f"predictions-{part}.npz")
        other = Predictions.load(runs / run / f"predictions-{part}.npz")
        assert mine.checkpoint == "small" and mine.checkpoint_hash == card.weights_sha256
        assert np.array_equal(mine.sample_ids, other.sample_ids)
        assert np.allclose(mine.logits, other.logits, atol=0.02)  # of half-precision weights
    assert main([*command, "--release", "dkd", "small", "Small"]) == 1
    (home / "other").mkdir()
    (home / "other" / "thesis.txt").write_text("mine")
    assert main([*command, "--release", "kd", "other", "Other"]) == 1
    assert (home / "other" / "thesis.txt").read_text() == "mine"
