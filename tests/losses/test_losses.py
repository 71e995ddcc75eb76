"""Each loss against an independent computation or an invariant."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy
from torch.nn import functional as F

from kdcore.losses import (
    attention_map,
    attention_transfer,
    attention_vector,
    hard_loss,
    kd_loss,
    masked_alignment,
)


@pytest.fixture
def logits():
    torch.manual_seed(0)
    return torch.randn(6, 7) * 3, torch.randn(6, 7) * 3


@pytest.mark.parametrize("temperature", [1.0, 4.0, 10.0])
def test_kd_against_scipy(logits, temperature):
    student, teacher = logits
    p, q = softmax(teacher.numpy() / temperature, 1), softmax(student.numpy() / temperature, 1)
    expected = temperature**2 * np.mean([entropy(a, b) for a, b in zip(p, q)])
    assert float(kd_loss(student, teacher, temperature)) == pytest.approx(expected, rel=1e-4)


def test_kd_is_zero_only_for_equal_answers(logits):
    assert float(kd_loss(logits[0], logits[0] + 5, 4.0)) == pytest.approx(0, abs=1e-5)
    with pytest.raises(ValueError, match="temperature"):
        kd_loss(*logits, 0.0)
    with pytest.raises(ValueError, match="shape"):
        kd_loss(logits[0], logits[1][:3], 1.0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_hard_loss_equals_torch_for_one_hot(logits, smoothing):
    labels = torch.tensor([0, 1, 2, 5, 5, 6])
    ours = hard_loss(logits[0], F.one_hot(labels, 7).float(), None, smoothing)
    assert torch.allclose(ours, F.cross_entropy(logits[0], labels, label_smoothing=smoothing))


def test_hard_loss_weighs_classes_as_torch(logits):
    labels, weights = torch.tensor([0, 1, 2, 5, 5, 6]), torch.rand(7) + 0.1
    ours = hard_loss(logits[0], F.one_hot(labels, 7).float(), weights)
    assert torch.allclose(ours, F.cross_entropy(logits[0], labels, weights))


def test_attention_map_and_vector():
    stage = torch.randn(2, 5, 4, 4)
    assert torch.allclose(attention_map(stage), (stage**2).sum(1))
    vector = attention_vector(stage)
    assert torch.allclose(vector.norm(dim=1), torch.ones(2))
    assert torch.allclose(attention_vector(stage * 3), vector, atol=1e-6)


def test_attention_transfer_pairs_from_the_end():
    early, late = torch.randn(2, 3, 8, 8), torch.randn(2, 9, 4, 4)
    assert float(attention_transfer([late], [early, late])) == 0
    assert float(attention_transfer([early, late], [late])) == 0
    other = torch.randn(2, 6, 8, 8)  # a finer grid than the student's
    grid = F.adaptive_avg_pool2d((other**2).sum(1, keepdim=True), 4).flatten(1)
    gap = F.normalize((late**2).sum(1).flatten(1)) - F.normalize(grid)
    assert torch.allclose(attention_transfer([late], [other]), (gap**2).mean())


def test_masked_alignment_looks_inside_only():
    student, teacher = torch.rand(2, 3, 4, 4), torch.rand(2, 5, 4, 4)
    mask = torch.zeros(2, 4, 4)
    assert float(masked_alignment(student, teacher, mask)) == 0
    full = masked_alignment(student, teacher, torch.ones(2, 4, 4))
    gap = attention_vector(student) - attention_vector(teacher)
    assert torch.allclose(full, (gap**2).mean())
    mask[:, 0, 0] = 1
    assert torch.allclose(masked_alignment(student, teacher, mask), (gap[:, 0] ** 2).mean())
