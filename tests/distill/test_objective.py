"""The objective is its parts, weighed as written; teachers are averaged by their weights."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn import functional as F

from kdcore.distill import Recipe, objective
from kdcore.distill.schedules import terms_at
from kdcore.distill.signals import Signals, attention_of, weighted_mean
from kdcore.losses import (
    attention_transfer,
    dkd_loss,
    hard_loss,
    hint_loss,
    kd_loss,
    masked_alignment,
    top_fraction_mask,
)
from kdcore.models import Output

RECIPE = Recipe(
    "a", "cnn2", teachers=("s", "t"), teacher_weights=(1.0, 3.0), alpha=0.3, temperature=4.0,
    beta=100.0, at_masked=True, lam=5.0, hint=2.0, hint_stage=1, label_smoothing=0.1,
)  # fmt: skip
WEIGHTS = (0.25, 0.75)


@pytest.fixture
def case():
    generator = torch.Generator().manual_seed(0)

    def rand(*shape):
        return torch.rand(*shape, generator=generator)

    student = Output(rand(4, 7) * 3, (rand(4, 3, 8, 8), rand(4, 6, 4, 4)))
    teachers = [Output(rand(4, 7) * 3, (rand(4, 5, 8, 8), rand(4, 9, 8, 8))) for _ in range(2)]
    relevance = tuple((rand(4, 8, 8), rand(4, 8, 8)) for _ in range(2))
    signals = Signals(
        weighted_mean([t.logits for t in teachers], WEIGHTS),
        tuple(attention_of(t, 2) for t in teachers),
        relevance,
        tuple(t.stages[-1] for t in teachers),
        WEIGHTS,
    )
    return student, teachers, relevance, signals, [rand(4, 9, 4, 4) for _ in range(2)]


def test_the_sum_is_alpha_t_beta_lambda_as_written(case):
    student, teachers, relevance, signals, projected = case
    labels = torch.tensor([0, 3, 5, 5])
    hot, weights = F.one_hot(labels, 7).float(), torch.linspace(0.5, 1.5, 7)
    parts = objective(RECIPE, terms_at(RECIPE, 0), student, hot, signals, weights, projected)
    ce = hard_loss(student.logits, hot, weights, 0.1)
    mean = 0.25 * teachers[0].logits + 0.75 * teachers[1].logits
    maps = [s.square().sum(1) for s in student.stages]
    at, align, hint = [], [], []
    for teacher, cells, guess in zip(teachers, relevance, projected):
        theirs = [s.square().sum(1) for s in teacher.stages]
        masks = [top_fraction_mask(c, m.shape[-2:], 0.3) for c, m in zip(cells, maps)]
        at.append(attention_transfer(maps, theirs, masks=masks))
        align.append(masked_alignment(maps[-1], theirs[-1], masks[-1]))
        hint.append(hint_loss(guess, teacher.stages[-1]))
    expected = {
        "ce": ce, "kd": kd_loss(student.logits, mean, 4.0),
        "at": 0.25 * at[0] + 0.75 * at[1], "align": 0.25 * align[0] + 0.75 * align[1],
        "hint": 0.25 * hint[0] + 0.75 * hint[1],
    }  # fmt: skip
    for name, value in expected.items():
        assert torch.allclose(parts[name], value, rtol=1e-4), name
    total = 0.3 * ce + 0.7 * expected["kd"] + 100 * expected["at"] + 5 * expected["align"]
    assert torch.allclose(parts["loss"], total + 2 * expected["hint"], rtol=1e-4)


def test_without_teachers_it_is_the_hard_label_alone(case):
    student = case[0]
    hot = F.one_hot(torch.tensor([0, 3, 5, 5]), 7).float()
    baseline = Recipe("b", "cnn2", role="baseline")
    parts = objective(baseline, terms_at(baseline, 0), student, hot)
    assert torch.equal(parts["loss"], parts["ce"])
    assert all(float(parts[name]) == 0 for name in ("kd", "at", "align", "hint"))


def test_alpha_one_is_no_soft_label_and_dkd_stands_in_its_place(case):
    student, _, _, signals, _ = case
    labels = torch.tensor([0, 3, 5, 5])
    hot = F.one_hot(labels, 7).float()
    plain = dataclasses.replace(RECIPE, beta=0.0, lam=0.0, hint=0.0, at_masked=False)
    hard = dataclasses.replace(plain, alpha=1.0)
    assert float(objective(hard, terms_at(hard, 0), student, hot, signals)["kd"]) == 0
    dkd = dataclasses.replace(plain, kd="dkd", dkd_target=1.0, dkd_other=2.0)
    parts = objective(dkd, terms_at(dkd, 0), student, hot, signals)
    expected = dkd_loss(student.logits, signals.logits, labels, 4.0, 1.0, 2.0)
    assert torch.allclose(parts["kd"], expected)


def test_contrast_and_fewer_stages(case):
    student, _, _, signals, _ = case
    hot = F.one_hot(torch.tensor([0, 3, 5, 5]), 7).float()
    recipe = dataclasses.replace(RECIPE, align="contrastive", at_weights=(1.0,), hint=0.0)
    one = dataclasses.replace(
        signals,
        attention=tuple(a[-1:] for a in signals.attention),
        relevance=tuple(r[-1:] for r in signals.relevance),
    )
    ours = objective(recipe, terms_at(recipe, 0), student, hot, one)
    both = objective(recipe, terms_at(recipe, 0), student, hot, signals)
    assert torch.allclose(ours["at"], both["at"])
    assert torch.allclose(ours["align"], both["align"])
    assert float(ours["align"]) > 0.5  # of the order of log 4: nobody has learnt anything
