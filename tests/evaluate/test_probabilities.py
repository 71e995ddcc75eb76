"""Softmax and entropy against SciPy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from kdcore.predict.probabilities import entropy, log_softmax, softmax


@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
@pytest.mark.parametrize("shape", [(7,), (5, 7), (2, 3, 4)])
def test_softmax_equals_scipy(shape, temperature):
    logits = np.random.default_rng(0).normal(size=shape) * 9
    expected = special.softmax(logits / temperature, axis=-1)
    np.testing.assert_allclose(softmax(logits, temperature), expected, rtol=1e-12)
    expected = special.log_softmax(logits / temperature, axis=-1)
    np.testing.assert_allclose(log_softmax(logits, temperature), expected, rtol=1e-12, atol=1e-15)


def test_huge_logits_do_not_overflow():
    assert np.array_equal(softmax([1e4, -1e4]), [1.0, 0.0])
    assert log_softmax([1e4, -1e4])[1] == -2e4


def test_two_classes_are_a_sigmoid():
    assert softmax([1.2, 0.0], 2.0)[0] == pytest.approx(1 / (1 + np.exp(-0.6)))


def test_entropy_equals_scipy_and_its_bounds():
    probs = np.random.default_rng(0).dirichlet(np.ones(7), size=20)
    np.testing.assert_allclose(entropy(probs), stats.entropy(probs, axis=1), rtol=1e-10)
    assert entropy(np.full(7, 1 / 7)) == pytest.approx(np.log(7))
    assert entropy([1.0, 0.0, 0.0]) == 0.0


def test_entropy_rises_with_temperature():
    logits = np.random.default_rng(1).normal(size=(9, 7)) * 4
    values = np.stack([entropy(softmax(logits, t)) for t in (1, 2, 5, 10, 20)])
    assert (np.diff(values, axis=0) > 0).all()


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
def test_bad_temperature_raises(temperature):
    with pytest.raises(ValueError, match="temperature"):
        softmax([0.0, 1.0], temperature)


@pytest.mark.parametrize("logits", [1.0, [1.0], [0.0, np.nan], [0.0, np.inf]])
def test_bad_logits_raise(logits):
    with pytest.raises(ValueError, match="logits"):
        softmax(logits)


@pytest.mark.parametrize("probs", [[2.0, -1.0], [0.5, 0.4], [np.nan, 1.0]])
def test_entropy_takes_probabilities_only(probs):
    with pytest.raises(ValueError, match="probs"):
        entropy(probs)
