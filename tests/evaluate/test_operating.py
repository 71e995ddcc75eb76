"""Weights by class and rejection: against scikit-learn, all thresholds tried, loops."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from kdcore.base import DataError
from kdcore.evaluate import choose_class_weights, choose_rejection
from kdcore.evaluate.bootstrap import draw_groups, index_groups
from kdcore.evaluate.class_weights import (
    EXPONENTS,
    fit_class_weights,
    fit_prior_weights,
    weighted_decisions,
)
from kdcore.evaluate.operating import paired_scores, rejection_curve
from kdcore.evaluate.scores import confusion_matrix, macro_f1
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions, renamed, subset

PARTS = ((1, "val"), (2, "test"))  # seed, part


def _macro_f1(labels, chosen):
    """Return the mean over the classes that have images."""
    return f1_score(labels, chosen, average="macro", labels=np.unique(labels), zero_division=0)


def test_two_classes_reach_the_best_of_all_thresholds():
    for seed in range(5):
        generator = np.random.default_rng(seed)
        labels = (generator.random(80) < 0.2).astype(int)
        logits = np.stack([np.zeros(80), generator.normal(size=80) + labels], axis=1).round(1)
        cuts = np.unique(logits[:, 1])
        middles = np.r_[cuts[0] - 1, (cuts[:-1] + cuts[1:]) / 2, cuts[-1] + 1]
        best = max(_macro_f1(labels, (logits[:, 1] > t).astype(int)) for t in middles)
        chosen = weighted_decisions(logits, fit_class_weights(logits, labels))
        assert _macro_f1(labels, chosen) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(3))
def test_no_single_weight_can_be_improved(seed):
    predictions = make_predictions(120, seed=seed, signal=1.2)
    logits, labels = predictions.logits.astype(float), predictions.labels
    weights = fit_class_weights(logits, labels)
    reached = _macro_f1(labels, weighted_decisions(logits, weights))
    assert reached >= _macro_f1(labels, logits.argmax(1))
    assert np.exp(np.log(weights).mean()) == pytest.approx(1)
    for c in range(7):
        for factor in np.exp(np.linspace(-5, 5, 81)):
            changed = weights.copy()
            changed[c] *= factor
            counts = confusion_matrix(labels, weighted_decisions(logits, changed), 7)
            assert macro_f1(counts) <= reached + 1e-12


@pytest.mark.parametrize("fit", [fit_class_weights, fit_prior_weights])
def test_where_argmax_is_right_weights_stay_one(fit):
    logits = np.eye(4)[[0, 1, 2, 3, 0]] * 5.0
    np.testing.assert_allclose(fit(logits, [0, 1, 2, 3, 0]), 1)
    with pytest.raises(ValueError, match="at least one image"):
        fit(np.zeros((0, 2)), [])


def test_the_power_of_the_counts_is_the_best_of_those_tried():
    predictions = make_predictions(200, seed=2, signal=1.0)
    logits, labels = predictions.logits + 1.5 * np.eye(7)[5], predictions.labels
    weights = fit_prior_weights(logits, labels)
    counts = np.bincount(labels, minlength=7) + 1
    slope = np.polyfit(np.log(counts), np.log(weights), 1)[0]
    assert np.log(weights).mean() == pytest.approx(0)
    tried = {x: _macro_f1(labels, (softmax(logits) / counts**x).argmax(1)) for x in EXPONENTS}
    best = max(tried.values())
    assert tried[min(tried, key=lambda x: abs(x + slope))] == pytest.approx(best)
    assert -slope == pytest.approx(min((x for x in tried if tried[x] > best - 1e-12), key=abs))
    assert best > tried[0.0]


@pytest.mark.parametrize("fit", [fit_class_weights, fit_prior_weights])
@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        ([[0.0, 0.0]], [1]),  # one image, a tie
        ([[1.0, 1.0, 1.0]] * 4, [0, 1, 1, 2]),  # ties only
        ([[2.0, 1.0, 3.0]] * 3, [0, 0, 0]),  # one class
        (np.full((2, 3), [2000.0, 0.0, -2000.0]), [0, 2]),
    ],
)
def test_weights_of_odd_inputs_are_positive_and_no_worse(logits, labels, fit):
    weights = fit(logits, labels)
    assert (weights > 0).all() and np.isfinite(weights).all()
    before = _macro_f1(labels, np.argmax(logits, 1))
    assert _macro_f1(labels, weighted_decisions(logits, weights)) >= before


def test_weights_follow_a_shift_of_the_logits_of_one_class():
    predictions = make_predictions(300, seed=3)
    logits = predictions.logits.astype(float)
    shifted = logits + np.array([0, 0, 0, 0, 0, 1.5, 0])
    plain = _macro_f1(predictions.labels, shifted.argmax(1))
    chosen = weighted_decisions(shifted, fit_class_weights(shifted, predictions.labels))
    assert _macro_f1(predictions.labels, chosen) > plain + 0.02


@pytest.mark.parametrize("method", ["prior", "ascent"])
def test_class_weights_on_test_equal_sklearn(method):
    val, test = (make_predictions(300, s, signal=1.0, split=p) for s, p in PARTS)
    found = choose_class_weights(val, test, method, n_boot=20)
    chosen = (softmax(test.logits) * found.weights).argmax(1)
    expected = {
        "accuracy": accuracy_score,
        "balanced_accuracy": balanced_accuracy_score,
        "macro_f1": _macro_f1,
    }
    assert [s.name for s in found.scores] == list(expected)
    for score in found.scores:
        before = expected[score.name](test.labels, test.logits.argmax(1))
        after = expected[score.name](test.labels, chosen)
        assert score.plain.value == pytest.approx(before)
        assert score.changed.value == pytest.approx(after)
        assert score.difference.value == pytest.approx(after - before)
    assert found.val_plain == pytest.approx(_macro_f1(val.labels, val.logits.argmax(1)))
    on_val = weighted_decisions(val.logits, found.weights)
    assert found.val_changed == pytest.approx(_macro_f1(val.labels, on_val))


def test_paired_intervals_equal_a_loop_over_resamples():
    test = make_predictions(100, seed=2, signal=1.0)
    plain = test.logits.argmax(1)
    changed = np.where(softmax(test.logits).max(1) < 0.5, 7, plain)  # 7: no decision
    found = paired_scores(test, plain, changed, n_boot=30, seed=1)[2].difference
    index, groups = index_groups(test.group_ids)
    loop = []
    for row in np.concatenate(list(draw_groups(groups, 30, 1))):
        keep = np.repeat(np.arange(100), row[index].astype(int))
        both = (_macro_f1(test.labels[keep], d[keep]) for d in (changed, plain))
        loop.append(np.subtract(*both))
    assert (found.low, found.high) == pytest.approx(np.quantile(loop, [0.025, 0.975]))


@pytest.mark.parametrize("decimals", [1, 12])
def test_rejection_curve_equals_sklearn_at_every_threshold(decimals):
    predictions = make_predictions(90, seed=6, signal=1.0)
    probs = softmax(predictions.logits.round(decimals) if decimals > 1 else predictions.logits)
    if decimals == 1:  # ties
        probs = np.eye(7)[probs.argmax(1)] * probs.max(1).round(1)[:, None]
        probs += (1 - probs.sum(1, keepdims=True)) / 7
    taus, values = rejection_curve(probs, predictions.labels)
    assert taus[0] == 0 and (np.diff(taus) > 0).all()
    for tau, value in zip(taus, values, strict=True):
        chosen = np.where(probs.max(1) >= tau, probs.argmax(1), 7)
        assert value == pytest.approx(_macro_f1(predictions.labels, chosen))


def test_rejection_is_chosen_on_validation_and_can_only_lower_accuracy():
    val, test = (make_predictions(200, s, signal=0.5, split=p) for s, p in PARTS)
    found = choose_rejection(val, test, 1.5, n_boot=50)
    probs = softmax(val.logits, 1.5)
    taus, values = rejection_curve(probs, val.labels)
    assert found.tau == taus[values.argmax()]
    assert found.val_changed == pytest.approx(values.max())
    kept = softmax(test.logits, 1.5).max(1) >= found.tau
    assert found.coverage.value == pytest.approx(kept.mean())
    accuracy = found.scores[0].difference
    assert accuracy.value <= 0 and accuracy.high <= 0


def test_rejected_as_a_class_equals_sklearn():
    val = make_predictions(150, seed=4, signal=0.3, split="val")
    found = choose_rejection(val, renamed(val), n_boot=0)
    probs = softmax(val.logits)
    taus, _ = rejection_curve(probs, val.labels)
    values = []
    for tau in taus:
        chosen = np.where(probs.max(1) >= tau, probs.argmax(1), 7)
        values.append(f1_score(val.labels, chosen, average="macro", zero_division=0))
    assert found.tau_as_class == taus[int(np.argmax(values))] == 0


def test_nothing_is_rejected_where_every_decision_is_right():
    val = make_predictions(50, signal=30.0, split="val")
    found = choose_rejection(val, renamed(val), n_boot=0)
    assert (found.tau, found.tau_as_class, found.coverage.value) == (0, 0, 1)


def test_what_does_not_belong_together_is_refused():
    val, other = make_predictions(20, split="val"), make_predictions(20, checkpoint_hash="1" * 64)
    for choose in (choose_class_weights, choose_rejection):
        with pytest.raises(DataError, match="different weights"):
            choose(val, other)
        with pytest.raises(DataError, match="no images"):
            choose(subset(val, np.arange(0)), renamed(subset(val, np.arange(5))))
    with pytest.raises(ValueError, match="weights"):
        weighted_decisions([[1.0, 2.0]], [1.0, 0.0])
    with pytest.raises(ValueError, match="method"):
        choose_class_weights(val, renamed(val), "best")
