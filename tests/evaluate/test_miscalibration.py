"""Debiased, class-wise and maximum calibration error and Brier parts: torchmetrics, loops, sums."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import (
    binary_calibration_error,
    multiclass_calibration_error,
)

from kdcore.evaluate import brier_parts, classwise_ece, debiased_ece, mce
from kdcore.evaluate.bootstrap import draw_groups, index_groups
from kdcore.evaluate.calibration import brier, confidence_and_hits, ece, reliability
from kdcore.evaluate.miscalibration import binned_intervals
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions, subset

EDGES = {
    "all sure and right": ([[1.0, 0.0], [0.0, 1.0]], [0, 1]),
    "all sure and wrong": ([[1.0, 0.0], [0.0, 1.0]], [1, 0]),
    "one image": ([[0.7, 0.3]], [0]),
    "one class": ([[0.7, 0.3], [0.2, 0.8]], [0, 0]),
    "ties": ([[0.5, 0.5]] * 4, [0, 1, 1, 1]),
    "absent class": ([[0.5, 0.4, 0.1], [0.1, 0.8, 0.1]], [0, 1]),
}


@pytest.fixture(scope="module", params=[0.3, 1.0, 2.5])
def case(request):
    predictions = make_predictions(seed=5)
    return softmax(predictions.logits, request.param), predictions.labels


@pytest.mark.parametrize("bins", [1, 15])
def test_mce_and_classwise_equal_torchmetrics(case, bins):
    probs, labels = case
    said, truth = torch.from_numpy(probs), torch.from_numpy(labels)  # it counts in float32
    expected = multiclass_calibration_error(said, truth, 7, bins, "max")
    assert mce(probs, labels, bins) == pytest.approx(float(expected), abs=1e-5)
    by_class = [
        float(binary_calibration_error(said[:, c].contiguous(), (truth == c).int(), bins, "l1"))
        for c in range(7)
    ]
    assert classwise_ece(probs, labels, bins) == pytest.approx(np.mean(by_class), abs=1e-5)


def _naive_debiased(probs, labels, bins, equal_mass):
    found = reliability(probs, labels, bins, equal_mass)
    top, total = probs.max(1), 0.0
    for low, high in zip(found.edges[:-1], found.edges[1:], strict=True):
        inside = [i for i in range(len(top)) if low < top[i] <= high]
        if not inside:
            continue
        hits = [float(probs[i].argmax() == labels[i]) for i in inside]
        gap = np.mean([top[i] for i in inside]) - np.mean(hits)
        noise = np.var(hits, ddof=1) / len(hits) if len(hits) > 1 else 0.0
        total += len(inside) / len(top) * (gap**2 - noise)
    return np.sqrt(max(total, 0.0))


@pytest.mark.parametrize("equal_mass", [True, False])
def test_debiased_equals_a_loop(case, equal_mass):
    probs, labels = case
    expected = _naive_debiased(probs, labels, 15, equal_mass)
    assert debiased_ece(probs, labels, 15, equal_mass) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_debiased_square_is_right_on_average_where_the_plain_one_is_too_high(gap):
    generator, plain, debiased = np.random.default_rng(0), [], []
    for _ in range(400):  # ten bins, one confidence in each, accuracy `gap` below it
        top = np.repeat(np.linspace(0.61, 0.97, 10), 20)
        labels = (generator.random(len(top)) > top - gap).astype(int)
        probs = np.stack([top, 1 - top], 1)
        found = reliability(probs, labels, 10, equal_mass=True)
        n, accuracy = found.count, found.accuracy
        squared = (accuracy - found.confidence) ** 2
        plain.append(np.average(squared, weights=n))
        debiased.append(np.average(squared - accuracy * (1 - accuracy) / (n - 1), weights=n))
        expected = np.sqrt(max(debiased[-1], 0))
        assert debiased_ece(probs, labels, 10) == pytest.approx(expected, abs=1e-12)
    assert np.mean(debiased) == pytest.approx(gap**2, abs=3 * np.std(debiased) / np.sqrt(400))
    assert np.mean(plain) > gap**2 + 6 * np.std(plain) / np.sqrt(400)


@pytest.mark.parametrize("name", EDGES)
def test_edges_stay_in_range_and_add_up(name):
    probs, labels = np.array(EDGES[name][0]), EDGES[name][1]
    for value in (mce(probs, labels), classwise_ece(probs, labels), debiased_ece(probs, labels)):
        assert 0 <= value <= 1
    assert brier_parts(probs, labels).total == pytest.approx(brier(probs, labels), abs=1e-12)
    assert mce(probs, labels) >= ece(probs, labels) - 1e-12


def test_edges_in_closed_form():
    sure, right = EDGES["all sure and right"]
    assert (mce(sure, right), classwise_ece(sure, right), debiased_ece(sure, right)) == (0, 0, 0)
    sure, wrong = EDGES["all sure and wrong"]
    assert (mce(sure, wrong), classwise_ece(sure, wrong), debiased_ece(sure, wrong)) == (1, 1, 1)
    assert debiased_ece([[0.7, 0.3]], [0]) == pytest.approx(0.3)  # one image has no variance
    ties = EDGES["ties"]  # 1 of 4 right at 0.5: gap 1/4, variance 3/16 over 3
    assert debiased_ece(*ties) == pytest.approx(np.sqrt(max(1 / 16 - 1 / 16, 0)))
    absent = classwise_ece([[0.5, 0.4, 0.1], [0.1, 0.8, 0.1]], [0, 1])
    assert absent == pytest.approx((0.5 + 0.1 + 0.4 + 0.2 + 0.2) / 6)


@pytest.mark.parametrize("bins", [1, 4, 15])
def test_brier_parts_equal_a_loop_and_add_up(case, bins):
    probs, labels = case
    parts = brier_parts(probs, labels, bins)
    assert parts.total == pytest.approx(brier(probs, labels), abs=1e-12)
    expected, n = np.zeros(5), len(labels)
    for c in range(7):
        happened = (labels == c).astype(float)
        base = happened.mean()
        expected[2] += base * (1 - base)
        for b in range(bins):
            inside = (probs[:, c] > b / bins) & (probs[:, c] <= (b + 1) / bins)
            if inside.any():
                p, y = probs[inside, c], happened[inside]
                expected[0] += len(p) / n * (p.mean() - y.mean()) ** 2
                expected[1] += len(p) / n * (y.mean() - base) ** 2
                expected[3] += ((p - p.mean()) ** 2).sum() / n
                expected[4] += 2 * ((p - p.mean()) * (y - y.mean())).sum() / n
    found = [parts.reliability, parts.resolution, parts.uncertainty]
    found += [parts.within_variance, parts.within_covariance]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_perfect_probabilities_resolve_all_uncertainty():
    labels = np.array([0, 1, 2, 2])
    parts = brier_parts(np.eye(3)[labels], labels)
    assert parts.resolution == pytest.approx(parts.uncertainty)
    assert (parts.reliability, parts.within_variance, parts.within_covariance) == (0, 0, 0)


def test_base_rates_are_reliable_and_resolve_nothing():
    labels = np.array([0, 0, 1, 2])
    parts = brier_parts(np.tile([0.5, 0.25, 0.25], (4, 1)), labels)
    assert parts.reliability == pytest.approx(0)
    assert parts.resolution == pytest.approx(0)
    assert parts.total == pytest.approx(parts.uncertainty)


@pytest.mark.parametrize("equal_mass", [True, False])
def test_bin_intervals_equal_a_loop_over_resamples(equal_mass):
    predictions = make_predictions(150, seed=2)
    probs = softmax(predictions.logits)
    said = confidence_and_hits(probs, predictions.labels)
    found = binned_intervals(*said, predictions.group_ids, 5, equal_mass, n_boot=40, seed=3)
    bins = reliability(probs, predictions.labels, 5, equal_mass)
    np.testing.assert_allclose([i.value for i in found], bins.accuracy)
    index, groups = index_groups(predictions.group_ids)
    loop = []
    for row in np.concatenate(list(draw_groups(groups, 40, 3))):
        keep = np.repeat(np.arange(150), row[index].astype(int))
        hits = (probs.argmax(1) == predictions.labels)[keep]
        top = probs.max(1)[keep]
        inside = [(top > a) & (top <= b) for a, b in zip(bins.edges[:-1], bins.edges[1:])]
        loop.append([hits[i].mean() if i.any() else np.nan for i in inside])
    for b, interval in enumerate(found):
        if bins.count[b]:
            expected = np.nanquantile(np.array(loop)[:, b], [0.025, 0.975])
            assert (interval.low, interval.high) == pytest.approx(expected)
        else:
            assert np.isnan([interval.value, interval.low, interval.high]).all()


def test_one_lesion_gives_bins_without_intervals():
    predictions = subset(make_predictions(20, groups=1), np.arange(20))
    said = confidence_and_hits(softmax(predictions.logits), predictions.labels)
    for interval in binned_intervals(*said, predictions.group_ids, bins=3):
        assert np.isnan(interval.low)


@pytest.mark.parametrize("call", [mce, classwise_ece, debiased_ece, brier_parts])
def test_no_images_and_logits_raise(call):
    with pytest.raises(ValueError, match="at least one image"):
        call(np.zeros((0, 2)), [])
    with pytest.raises(ValueError, match="probs"):
        call([[3.0, -1.0]], [0])
