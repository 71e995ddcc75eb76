"""Softening against scipy and autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax as reference
from scipy.stats import entropy as reference_entropy

from kdcore.losses import kd_loss
from kdcore.losses.temperature import class_similarity, gradient_curve, soften, softening


def test_softening_equals_scipy(rng: np.random.Generator) -> None:
    logits = rng.normal(size=(9, 7)) * 4
    found = softening(logits, [1.0, 5.0, 20.0])
    for index, temperature in enumerate((1.0, 5.0, 20.0)):
        probs = reference(logits / temperature, axis=1)
        np.testing.assert_allclose(soften(logits, temperature), probs, rtol=1e-12)
        np.testing.assert_allclose(found.probs[index], probs.mean(0), rtol=1e-12)
        np.testing.assert_allclose(found.entropy[index], reference_entropy(probs, axis=1).mean())
    assert (np.diff(found.entropy) > 0).all(), "softer is less sure"


def test_extreme_logits_stay_finite() -> None:
    found = softening([[1e5, -1e5, 0.0]], [1.0])
    assert np.isfinite(found.probs).all()
    assert found.entropy[0] == pytest.approx(0, abs=1e-12)


def test_gradient_equals_autograd(rng: np.random.Generator) -> None:
    student, teacher = rng.normal(size=(5, 7)) * 3, rng.normal(size=(5, 7)) * 3
    curve = gradient_curve(student, teacher, [1.0, 4.0, 12.0])
    for index, temperature in enumerate((1.0, 4.0, 12.0)):
        leaf = torch.tensor(student, requires_grad=True)
        (kd_loss(leaf, torch.tensor(teacher), temperature) * len(student)).backward()
        assert leaf.grad is not None
        size = leaf.grad.norm(dim=1).mean().item()
        assert curve.scaled[index] == pytest.approx(size, rel=1e-9)
        assert curve.plain[index] == pytest.approx(size / temperature**2, rel=1e-9)


def test_class_similarity_rows(rng: np.random.Generator) -> None:
    logits, labels = rng.normal(size=(20, 4)), np.array([0, 1, 3, 3] * 5)
    matrix = class_similarity(logits, labels, 2.0)
    assert np.isnan(matrix[2]).all(), "no image of that class"
    np.testing.assert_allclose(matrix[[0, 1, 3]].sum(1), 1)
    np.testing.assert_allclose(matrix[3], reference(logits[labels == 3] / 2, axis=1).mean(0))


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_a_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        soften([[1.0, 2.0]], temperature)
    with pytest.raises(ValueError, match="student_logits"):
        gradient_curve([[1.0, 2.0]], [[1.0, 2.0, 3.0]], [1.0])
