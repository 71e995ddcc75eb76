"""Learning rates against torch's own schedulers, moving weights against their formulas."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch.optim import lr_scheduler

from kdcore.base import RecipeError
from kdcore.distill import Recipe
from kdcore.distill.optimizer import make_optimizer
from kdcore.distill.schedules import learning_rate_at, terms_at
from kdcore.models import build_model

RECIPE = Recipe(
    "a", "cnn2", epochs=6, learning_rate=0.1, warmup_epochs=0, teachers=("t",), alpha=0.2
)
STEPS = 5


def _torchs(make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler, rates = make(optimizer), []
    for _ in range(RECIPE.epochs * STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("cosine", lambda o: lr_scheduler.CosineAnnealingLR(o, 30)),
        ("one-cycle", lambda o: lr_scheduler.OneCycleLR(o, 0.1, 30)),
        ("step", lambda o: lr_scheduler.StepLR(o, 2 * STEPS, 0.1)),
        ("constant", lambda o: lr_scheduler.ConstantLR(o, 1.0)),
    ],
)
def test_learning_rates_against_torch(name, make):
    recipe = dataclasses.replace(RECIPE, lr_schedule=name, step_epochs=2)
    ours = [learning_rate_at(recipe, step, STEPS) for step in range(30)]
    floor = 1e-4 if name == "cosine" else 0.0  # our cosine ends a little above 0
    assert ours == pytest.approx([max(rate, floor) for rate in _torchs(make)], rel=1e-6)


def test_warm_up_rises_and_the_cosine_starts_at_its_end():
    recipe = dataclasses.replace(RECIPE, warmup_epochs=2.0)
    rates = [learning_rate_at(recipe, step, STEPS) for step in range(30)]
    assert rates[:10] == pytest.approx([0.01 * (i + 1) for i in range(10)])
    assert rates[10] == pytest.approx(0.1)
    assert rates == sorted(rates[:10]) + sorted(rates[10:], reverse=True)


def test_terms_move_as_scheduled():
    recipe = dataclasses.replace(
        RECIPE,
        beta=100.0,
        schedules=(
            ("alpha", "linear", 0.8), ("temperature", "cosine", 1.0), ("beta", "warm-up", 2.0),
        ),
    )  # fmt: skip
    start, middle, end = (terms_at(recipe, e) for e in (0, 3, 6))
    assert start == (0.2, 4.0, 0.0, 0.0)
    assert middle == pytest.approx((0.5, 4 - 3 * 0.5 * (1 - math.cos(math.pi / 2)), 100.0, 0.0))
    assert end == pytest.approx((0.8, 1.0, 100.0, 0.0))
    assert terms_at(recipe, 1).beta == pytest.approx(50)
    warm = dataclasses.replace(RECIPE, schedules=(("temperature", "warm-up", 2.0),))
    assert [terms_at(warm, e).temperature for e in (0, 1, 2, 5)] == pytest.approx([1, 2.5, 4, 4])


@pytest.mark.parametrize(
    "schedules",
    [
        (("gamma", "linear", 1.0),),
        (("alpha", "square", 1.0),),
        (("alpha", "linear", 1.5),),
        (("alpha", "linear"),),
        (("alpha", "linear", 0.5), ("alpha", "cosine", 0.5)),
        (("temperature", "linear", 0),),
        (("beta", "warm-up", 0),),
        "alpha",
    ],
)
def test_schedules_that_mean_nothing(schedules):
    with pytest.raises(RecipeError, match="'schedules'"):
        dataclasses.replace(RECIPE, schedules=schedules)


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_weight_decay_is_on_kernels_and_matrices_only(name):
    model = build_model("resnet18", 7)
    optimizer = make_optimizer(dataclasses.replace(RECIPE, optimizer=name), model)
    decayed, plain = optimizer.param_groups
    assert all(p.ndim > 1 for p in decayed["params"])
    assert all(p.ndim == 1 for p in plain["params"])
    assert (decayed["weight_decay"], plain["weight_decay"]) == (RECIPE.weight_decay, 0)
    assert sum(len(g["params"]) for g in optimizer.param_groups) == len(list(model.parameters()))
