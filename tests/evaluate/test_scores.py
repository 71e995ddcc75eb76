"""Scores of decisions and rankings against scikit-learn and hand counts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from kdcore.evaluate import scores
from kdcore.evaluate.ranking import rank_classes, weighted_auc
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions


@pytest.fixture(scope="module")
def case():
    predictions = make_predictions()
    return predictions.labels, predictions.logits.argmax(1), softmax(predictions.logits)


def test_confusion_and_its_scores_equal_sklearn(case):
    labels, decisions, _ = case
    counts = scores.confusion_matrix(labels, decisions, 7)
    assert np.array_equal(counts, metrics.confusion_matrix(labels, decisions))
    expected = metrics.precision_recall_fscore_support(labels, decisions)
    np.testing.assert_allclose(scores.precision(counts), expected[0])
    np.testing.assert_allclose(scores.recall(counts), expected[1])
    np.testing.assert_allclose(scores.f1(counts), expected[2])
    assert scores.accuracy(counts) == pytest.approx(metrics.accuracy_score(labels, decisions))
    balanced = metrics.balanced_accuracy_score(labels, decisions)
    assert scores.balanced_accuracy(counts) == pytest.approx(balanced)
    macro = metrics.f1_score(labels, decisions, average="macro")
    assert scores.macro_f1(counts) == pytest.approx(macro)


def test_a_stack_of_confusions_equals_one_by_one():
    stack = np.random.default_rng(0).integers(0, 9, size=(5, 4, 4))
    for score in (scores.accuracy, scores.macro_f1, scores.precision, scores.recall, scores.f1):
        np.testing.assert_allclose(score(stack), [score(one) for one in stack])


def test_undefined_ratios_follow_the_stated_conventions():
    counts = np.array([[3, 1, 0], [2, 0, 0], [0, 0, 0]])  # class 1 never hit, class 2 absent
    np.testing.assert_allclose(scores.recall(counts), [0.75, 0.0, np.nan])
    np.testing.assert_allclose(scores.precision(counts), [0.6, 0.0, np.nan])
    np.testing.assert_allclose(scores.f1(counts), [2 / 3, 0.0, np.nan])
    assert scores.balanced_accuracy(counts) == pytest.approx(0.375)
    never = np.array([[0, 3], [0, 4]])
    np.testing.assert_allclose(scores.precision(never), [0.0, 4 / 7])
    predicted_but_absent = np.array([[1, 1], [0, 0]])
    np.testing.assert_allclose(scores.f1(predicted_but_absent), [2 / 3, np.nan])
    assert np.isnan(scores.accuracy(np.zeros((2, 2))))


def test_confusion_rejects_classes_out_of_range():
    with pytest.raises(ValueError, match="labels"):
        scores.confusion_matrix([0, 1], [0, 2], 2)


def _auc(probs, labels, weights=None):
    weights = np.ones((len(labels), 1)) if weights is None else weights
    return weighted_auc(rank_classes(probs, labels), weights)


@pytest.mark.parametrize("decimals", [None, 1])  # rounding makes many ties
def test_auc_equals_sklearn_with_ties_and_weights(case, decimals):
    labels, _, probs = case
    probs = probs if decimals is None else probs.round(decimals)
    weights = np.random.default_rng(0).integers(0, 4, size=(len(labels), 3)).astype(float)
    ours = _auc(probs, labels, weights)
    for c in range(7):
        for b in range(3):
            expected = metrics.roc_auc_score(labels == c, probs[:, c], sample_weight=weights[:, b])
            assert ours[b, c] == pytest.approx(expected, abs=1e-12)


def test_macro_auc_equals_sklearn(case):
    labels, _, probs = case
    expected = metrics.roc_auc_score(labels, probs, multi_class="ovr", average="macro")
    assert scores.mean_of_defined(_auc(probs, labels))[0] == pytest.approx(expected)


def test_auc_of_constant_scores_is_a_half_and_of_one_class_undefined():
    np.testing.assert_allclose(_auc(np.full((4, 2), 0.5), [0, 0, 1, 1]), [[0.5, 0.5]])
    assert np.isnan(_auc(np.full((4, 2), 0.5), [0, 0, 0, 0])).all()


def test_auc_is_undefined_where_a_weighting_drops_a_class():
    weights = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    result = _auc(np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]), [0, 1, 1], weights)
    np.testing.assert_allclose(result, [[1.0, 1.0], [np.nan, np.nan]])


def test_mean_of_defined():
    np.testing.assert_allclose(
        scores.mean_of_defined([[1.0, np.nan, 3.0], [np.nan] * 3]), [2.0, np.nan]
    )
