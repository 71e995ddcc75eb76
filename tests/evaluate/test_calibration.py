"""NLL, Brier, ECE and temperature against scikit-learn, naive loops, SciPy, closed forms."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn import metrics

from kdcore.evaluate import calibration, fit_temperature
from kdcore.evaluate.calibration import brier, ece, nll, reliability
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions


@pytest.fixture(scope="module")
def case():
    predictions = make_predictions()
    return predictions.logits, predictions.labels, softmax(predictions.logits)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_nll_and_brier_equal_sklearn(case, temperature):
    logits, labels, _ = case
    probs = softmax(logits, temperature)
    assert nll(logits, labels, temperature) == pytest.approx(metrics.log_loss(labels, probs))
    expected = metrics.brier_score_loss(labels, probs, labels=range(7), scale_by_half=False)
    assert brier(probs, labels) == pytest.approx(expected)


def test_nll_of_a_sure_mistake_is_finite_and_brier_is_two():
    assert nll([[2000.0, 0.0]], [1]) == 2000.0
    assert brier([[1.0, 0.0]], [1]) == 2.0
    assert brier([[1.0, 0.0]], [0]) == 0.0


def _naive_ece(probs, labels, edges):
    total = 0.0
    for b in range(len(edges) - 1):
        inside = []
        for p, label in zip(probs, labels, strict=True):
            top = max(p)
            if edges[b] < top <= edges[b + 1]:
                inside.append((top, float(list(p).index(top) == label)))
        if inside:
            gap = np.mean([c for c, _ in inside]) - np.mean([h for _, h in inside])
            total += len(inside) / len(labels) * abs(gap)
    return total


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_ece_equals_a_naive_loop(case, bins):
    _, labels, probs = case
    edges = [k / bins for k in range(bins)] + [1.0]
    assert ece(probs, labels, bins) == pytest.approx(_naive_ece(probs, labels, edges), abs=1e-12)


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_equal_mass_ece_equals_slices_of_the_sorted_images(case, bins):
    _, labels, probs = case
    top = probs.max(1)
    order = np.argsort(top)
    hits = (probs.argmax(1) == labels).astype(float)
    cuts = [int(np.ceil(k * len(top) / bins)) for k in range(bins + 1)]
    parts = [order[a:b] for a, b in pairwise(cuts)]
    expected = sum(abs(top[p].sum() - hits[p].sum()) for p in parts) / len(top)
    result = reliability(probs, labels, bins, equal_mass=True)
    assert result.ece == pytest.approx(expected, abs=1e-12)
    assert result.count.max() - result.count.min() <= 1
    assert result.count.sum() == len(top)


def test_bin_edges_belong_to_the_lower_bin_and_one_to_the_last():
    edges = calibration.width_edges(4)
    found = calibration.bin_index([0.0, 0.25, 0.2500001, 0.5, 0.75, 0.99, 1.0], edges)
    assert found.tolist() == [0, 0, 1, 1, 2, 3, 3]


def test_empty_bins_are_nan_and_add_nothing():
    probs = np.array([[1.0, 0.0], [1.0, 0.0], [0.6, 0.4], [0.6, 0.4]])
    result = reliability(probs, [0, 1, 0, 0], 10)
    assert result.count.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 0, 2]
    assert np.isnan(result.accuracy[:5]).all()
    assert result.accuracy[9] == 0.5
    assert result.ece == pytest.approx((2 * 0.5 + 2 * 0.4) / 4)


def test_equal_mass_bins_keep_ties_together_whatever_the_order():
    top = np.array([1.0] * 30 + [0.6] * 30 + [0.8] * 10)
    probs = np.stack([top, 1 - top], 1)
    labels = np.random.default_rng(0).integers(0, 2, len(top))
    result = reliability(probs, labels, 15, equal_mass=True)
    assert sorted(result.count[result.count > 0].tolist()) == [10, 30, 30]
    order = np.random.default_rng(1).permutation(len(top))
    shuffled = reliability(probs[order], labels[order], 15, equal_mass=True)
    assert shuffled.ece == pytest.approx(result.ece, abs=1e-12)


def test_more_bins_than_images():
    probs, labels = np.array([[0.9, 0.1], [0.3, 0.7]]), [0, 0]
    assert ece(probs, labels, 15, equal_mass=True) == pytest.approx((0.1 + 0.7) / 2)


def test_perfectly_calibrated_bins_have_no_error():
    probs = np.array([[0.75, 0.25]] * 4)
    assert ece(probs, [0, 0, 0, 1]) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("scale", [0.4, 1.0, 3.0])
def test_temperature_equals_scipy(scale):
    predictions = make_predictions(seed=3)
    logits = predictions.logits * scale
    found = minimize_scalar(
        lambda x: metrics.log_loss(predictions.labels, softmax(logits, np.exp(x))),
        bounds=(-3, 3),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert fit_temperature(logits, predictions.labels) == pytest.approx(np.exp(found.x), rel=1e-4)


def test_temperature_of_two_classes_in_closed_form():
    logits, labels = np.array([[4.0, 0.0]] * 10), [0] * 8 + [1] * 2
    assert fit_temperature(logits, labels) == pytest.approx(4 / np.log(4), rel=1e-6)


def test_temperature_scales_with_the_logits():
    predictions = make_predictions(seed=4)
    one = fit_temperature(predictions.logits, predictions.labels)
    assert fit_temperature(predictions.logits * 2.5, predictions.labels) == pytest.approx(2.5 * one)


def test_temperature_stops_at_its_bounds():
    eye = np.eye(3) * np.array([4.0, 5.3, 7.1])
    assert fit_temperature(eye, [0, 1, 2]) == calibration.LOWEST_T
    assert fit_temperature(eye, [1, 2, 0]) == calibration.HIGHEST_T
    assert fit_temperature(np.zeros((3, 3)), [0, 1, 2]) == calibration.HIGHEST_T


def test_logits_passed_for_probabilities_raise():
    with pytest.raises(ValueError, match="probs"):
        ece([[3.0, -1.0]], [0])


@pytest.mark.parametrize("call", [reliability, fit_temperature])
def test_no_images_raise(call):
    with pytest.raises(ValueError, match="at least one image"):
        call(np.zeros((0, 2)), [])
