"""Areas under the curves of a ranking against scikit-learn, with ties and weights."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from kdcore.evaluate import scores
from kdcore.evaluate.ranking import rank_classes, weighted_areas
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions


@pytest.fixture(scope="module")
def case():
    predictions = make_predictions()
    return predictions.labels, softmax(predictions.logits)


def _auc(probs, labels, weights=None):
    weights = np.ones((len(labels), 1)) if weights is None else weights
    return weighted_areas(rank_classes(probs, labels), weights)[:, 0]


@pytest.mark.parametrize("decimals", [None, 1])  # rounding makes many ties
def test_auc_equals_sklearn_with_ties_and_weights(case, decimals):
    labels, probs = case
    probs = probs if decimals is None else probs.round(decimals)
    weights = np.random.default_rng(0).integers(0, 4, size=(len(labels), 3)).astype(float)
    ours = _auc(probs, labels, weights)
    for c in range(7):
        for b in range(3):
            expected = metrics.roc_auc_score(labels == c, probs[:, c], sample_weight=weights[:, b])
            assert ours[b, c] == pytest.approx(expected, abs=1e-12)


def test_macro_auc_equals_sklearn(case):
    labels, probs = case
    expected = metrics.roc_auc_score(labels, probs, multi_class="ovr", average="macro")
    assert scores.mean_of_defined(_auc(probs, labels))[0] == pytest.approx(expected)


def test_auc_of_constant_scores_is_a_half_and_of_one_class_undefined():
    np.testing.assert_allclose(_auc(np.full((4, 2), 0.5), [0, 0, 1, 1]), [[0.5, 0.5]])
    assert np.isnan(_auc(np.full((4, 2), 0.5), [0, 0, 0, 0])).all()


def test_auc_is_undefined_where_a_weighting_drops_a_class():
    weights = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    result = _auc(np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]), [0, 1, 1], weights)
    np.testing.assert_allclose(result, [[1.0, 1.0], [np.nan, np.nan]])


def _ap(probs, labels, weights=None):
    weights = np.ones((len(labels), 1)) if weights is None else weights
    return weighted_areas(rank_classes(probs, labels), weights)[:, 1]


@pytest.mark.parametrize("decimals", [None, 1, 0])  # rounding makes many ties
def test_average_precision_equals_sklearn_with_ties_and_weights(case, decimals):
    labels, probs = case
    probs = probs if decimals is None else probs.round(decimals)
    weights = np.random.default_rng(1).integers(0, 4, size=(len(labels), 3)).astype(float)
    ours = _ap(probs, labels, weights)
    for c in range(7):
        for b in range(3):
            truth, weight = labels == c, weights[:, b]
            expected = metrics.average_precision_score(truth, probs[:, c], sample_weight=weight)
            assert ours[b, c] == pytest.approx(expected, abs=1e-12)


def test_average_precision_of_constant_scores_is_the_share_of_the_class():
    np.testing.assert_allclose(_ap(np.full((4, 2), 0.5), [0, 0, 0, 1]), [[0.75, 0.25]])


def test_average_precision_of_one_class_is_one_and_of_an_absent_one_undefined():
    probs = np.array([[0.9, 0.1], [0.2, 0.8]])
    np.testing.assert_allclose(_ap(probs, [0, 0]), [[1.0, np.nan]])
    unseen = np.array([[1.0, 0.0], [0.0, 1.0]])  # each weighting drops the other class
    np.testing.assert_allclose(_ap(probs, [0, 1], unseen), [[1, np.nan], [np.nan, 1]])


def test_average_precision_of_the_best_and_the_worst_order():
    labels, rising = np.repeat([0, 1], [6, 2]), np.linspace(0.1, 0.9, 8)
    best = np.stack([1 - rising, rising], 1)
    assert _ap(best, labels)[0] == pytest.approx([1, 1])
    worst = _ap(best[:, ::-1], labels)[0, 1]
    assert worst == pytest.approx((1 / 7 + 2 / 8) / 2)
