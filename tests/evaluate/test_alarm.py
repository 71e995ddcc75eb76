"""Alarms against scikit-learn's curves, closed forms and a loop over resamples."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score, roc_curve

from kdcore.base import DataError
from kdcore.evaluate import choose_alarm
from kdcore.evaluate.alarm import RULES, alarm_threshold
from kdcore.evaluate.bootstrap import draw_groups, index_groups
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions, renamed, subset


@pytest.fixture(scope="module", params=[1, 12])
def case(request):
    generator = np.random.default_rng(0)
    member = generator.random(90) < 0.2
    chance = 1 / (1 + np.exp(-(generator.normal(size=90) + 1.5 * member - 1)))
    return chance.round(request.param), member  # one decimal: many ties


@pytest.mark.parametrize("target", [0.5, 0.9, 0.95, 1.0])
def test_sensitivity_is_reached_by_no_higher_threshold(case, target):
    chance, member = case
    tau = alarm_threshold(chance, member, "sensitivity", target)
    reached = {t: recall_score(member, chance >= t) for t in np.unique(chance)}
    assert reached[tau] >= target
    assert all(value < target for t, value in reached.items() if t > tau)


def test_youden_equals_the_roc_curve(case):
    chance, member = case
    tau = alarm_threshold(chance, member, "youden")
    false, true, thresholds = roc_curve(member, chance, drop_intermediate=False)
    index = (true - false).max()
    assert tau == pytest.approx(thresholds[np.isclose(true - false, index)].max())


def test_f1_is_the_highest(case):
    chance, member = case
    tau = alarm_threshold(chance, member, "f1")
    values = {t: f1_score(member, chance >= t) for t in np.unique(chance)}
    assert values[tau] == pytest.approx(max(values.values()))
    assert all(v < values[tau] - 1e-12 for t, v in values.items() if t > tau)


@pytest.mark.parametrize("rule", RULES)
def test_edges(rule):
    assert alarm_threshold([0.3], [True], rule) == 0.3  # one image
    assert alarm_threshold([0.2, 0.7], [True, True], rule, 1.0) in (0.2, 0.7)  # no rest
    assert alarm_threshold([1.0, 1.0, 0.0], [True, True, False], rule) == 1.0
    assert alarm_threshold([0.5] * 4, [True, False, False, True], rule) == 0.5  # ties only
    with pytest.raises(DataError, match="No validation image"):
        alarm_threshold([0.5, 0.4], [False, False], rule)


def test_rates_and_intervals_equal_a_loop():
    val, test = make_predictions(300, seed=1, split="val"), make_predictions(120, seed=2)
    found = choose_alarm(val, test, "mel", "sensitivity", 0.9, 1.3, n_boot=30, seed=5)
    alarm, member = softmax(test.logits, 1.3)[:, 4] >= found.tau, test.labels == 4

    def rates(keep):
        a, m = alarm[keep], member[keep]
        return [a[m].mean(), 1 - a[~m].mean(), m[a].mean(), 1 - m[~a].mean(), a.mean()]

    scores = found.test
    ours = [scores.sensitivity, scores.specificity, scores.ppv, scores.npv, scores.alarms]
    np.testing.assert_allclose([i.value for i in ours], rates(np.arange(120)))
    index, groups = index_groups(test.group_ids)
    rows = np.concatenate(list(draw_groups(groups, 30, 5)))
    loop = [rates(np.repeat(np.arange(120), row[index].astype(int))) for row in rows]
    ends = np.quantile(loop, [0.025, 0.975], axis=0)
    np.testing.assert_allclose([(i.low, i.high) for i in ours], ends.T)
    assert found.val.sensitivity.value >= 0.9


def test_only_the_rule_sensitivity_has_a_target():
    val = make_predictions(100, seed=1, split="val")
    assert choose_alarm(val, renamed(val), n_boot=0).target == 0.9
    assert np.isnan(choose_alarm(val, renamed(val), rule="f1", n_boot=0).target)


def test_a_test_part_without_the_class_has_no_sensitivity():
    val = make_predictions(100, seed=1, split="val")
    rest = renamed(subset(val, np.flatnonzero(val.labels != 4)))
    found = choose_alarm(val, rest, n_boot=20).test
    assert np.isnan(found.sensitivity.value)
    assert found.npv.value == 1


@pytest.mark.parametrize("wrong", [{"positive": "cat"}, {"rule": "best"}, {"target": 0.0}])
def test_what_there_is_not_raises(wrong):
    val = make_predictions(50, split="val")
    with pytest.raises(ValueError, match=next(iter(wrong))):
        choose_alarm(val, renamed(val), **wrong)
