"""Scores of decisions against scikit-learn and hand counts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from kdcore.evaluate import scores
from tests.evaluate.makers import make_predictions


@pytest.fixture(scope="module")
def case():
    predictions = make_predictions()
    return predictions.labels, predictions.logits.argmax(1)


def test_confusion_and_its_scores_equal_sklearn(case):
    labels, decisions = case
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
    weighted = metrics.f1_score(labels, decisions, average="weighted")
    assert scores.weighted_f1(counts) == pytest.approx(weighted, abs=1e-12)
    assert scores.mcc(counts) == pytest.approx(metrics.matthews_corrcoef(labels, decisions))


def test_a_stack_of_confusions_equals_one_by_one():
    stack = np.random.default_rng(0).integers(0, 9, size=(5, 4, 4))
    names = ("accuracy", "macro_f1", "weighted_f1", "mcc", "precision", "recall", "f1")
    for score in (getattr(scores, name) for name in names):
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


def _counts(rng: np.random.Generator, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n, used = rng.integers(1, 40), rng.integers(1, classes + 1, 2)
    labels, decisions = (rng.integers(0, high, n) for high in used)  # often a class is absent
    return labels, decisions, scores.confusion_matrix(labels, decisions, classes)


@pytest.mark.filterwarnings("ignore")  # scikit-learn's, of undefined scores
@pytest.mark.parametrize("seed", range(40))
def test_matthews_and_weighted_f1_equal_sklearn_on_sparse_counts(seed):
    labels, decisions, counts = _counts(np.random.default_rng(seed), 4)
    weighted = metrics.f1_score(labels, decisions, average="weighted", zero_division=0)
    assert scores.weighted_f1(counts) == pytest.approx(weighted, abs=1e-12)
    expected = metrics.matthews_corrcoef(labels, decisions)
    if len(set(labels)) == 1:
        assert np.isnan(scores.mcc(counts))
    else:
        assert scores.mcc(counts) == pytest.approx(expected, abs=1e-12)


def test_matthews_at_its_ends():
    assert scores.mcc(np.diag([5, 1, 9])) == pytest.approx(1)
    assert scores.mcc([[0, 4], [6, 0]]) == pytest.approx(-1)
    assert scores.mcc([[5, 0], [7, 0]]) == 0  # one answer to everything
    assert np.isnan(scores.mcc([[5, 2], [0, 0]]))  # one class only
    assert np.isnan(scores.weighted_f1(np.zeros((3, 3))))


def test_mean_of_defined():
    np.testing.assert_allclose(
        scores.mean_of_defined([[1.0, np.nan, 3.0], [np.nan] * 3]), [2.0, np.nan]
    )
