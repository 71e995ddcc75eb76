"""Operating points of one class: scikit-learn's curve, all thresholds tried, real resamples."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from sklearn import metrics

from kdcore.base import DataError
from kdcore.evaluate import detection
from kdcore.evaluate.align import take
from kdcore.evaluate.bootstrap import draw_groups, index_groups
from kdcore.evaluate.detection import TARGETS
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import CLASSES, make_predictions, subset

MEL = CLASSES.index("mel")


def scored(scores, member, groups=None):
    """Return predictions whose probability of "mel" rises with `scores`."""
    logits = np.zeros((len(scores), 7), np.float32)
    logits[:, MEL] = scores
    n = len(scores)
    groups = np.arange(n) if groups is None else groups
    return make_predictions(
        n=n,
        logits=logits,
        labels=np.where(member, MEL, 0),
        group_ids=np.array([f"g{g}" for g in groups]),
    )


def by_hand(predictions, class_name="mel", temperature=1.0):
    """Try every threshold, in exact fractions; return both tables."""
    c = CLASSES.index(class_name)
    scores = softmax(predictions.logits, temperature)[:, c]
    member = predictions.labels == c
    points = []
    for threshold in [*np.unique(scores), np.inf]:
        flagged = scores >= threshold
        hits, false = int((flagged & member).sum()), int((flagged & ~member).sum())
        points.append((Fraction(hits, int(member.sum())), 1 - Fraction(false, (~member).sum())))
    exact = {target: Fraction(str(target)) for target in TARGETS}
    sensitivity = {t: max(a for a, b in points if b >= f) for t, f in exact.items()}
    return sensitivity, {t: max(b for a, b in points if a >= f) for t, f in exact.items()}


def values(table):
    return {target: interval.value for target, interval in table.items()}


@pytest.mark.parametrize("seed", range(30))
def test_points_equal_all_thresholds_tried(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 60))
    scores = rng.integers(0, rng.choice([2, 5, 1000]), n) / 7  # many ties, some, few
    member = np.arange(n) < rng.integers(1, n)
    predictions = scored(scores + 0.4 * member, member)
    found = detection(predictions, n_boot=0)
    sensitivity, specificity = by_hand(predictions)
    assert values(found.sensitivity_at) == pytest.approx(dict(sensitivity), abs=1e-12)
    assert values(found.specificity_at) == pytest.approx(dict(specificity), abs=1e-12)


def test_points_lie_on_the_curve_of_sklearn():
    predictions = make_predictions(n=700)
    probs, member = softmax(predictions.logits, 1.5)[:, MEL], predictions.labels == MEL
    false, true, _ = metrics.roc_curve(member, probs, drop_intermediate=False)
    found = detection(predictions, "mel", 1.5, n_boot=0)
    for target in TARGETS:
        assert found.sensitivity_at[target].value == true[1 - false >= target].max()
        expected = (1 - false[true >= target]).max()
        assert found.specificity_at[target].value == pytest.approx(expected)
    assert found.auc.value == pytest.approx(metrics.roc_auc_score(member, probs))
    assert (found.positives, found.negatives) == (member.sum(), (~member).sum())


def test_intervals_equal_a_loop_over_resampled_lesions():
    predictions = make_predictions(n=150, signal=1.0)
    found = detection(predictions, n_boot=40, seed=3)
    index, groups = index_groups(predictions.group_ids)
    loop = []
    for row in np.concatenate(list(draw_groups(groups, 40, seed=3))):
        keep = np.repeat(np.arange(len(index)), row[index].astype(int))
        sensitivity, specificity = by_hand(subset(predictions, keep))
        loop.append([*map(float, sensitivity.values()), *map(float, specificity.values())])
    low, high = np.quantile(loop, [0.025, 0.975], axis=0)
    ours = [*found.sensitivity_at.values(), *found.specificity_at.values()]
    np.testing.assert_allclose([i.low for i in ours], low)
    np.testing.assert_allclose([i.high for i in ours], high)


def test_targets_that_are_met_exactly_count():
    member = np.arange(40) < 20
    scores = np.concatenate([np.arange(20) + 0.5, np.arange(20)])  # 95 % of 20 is 19, and so on
    found = detection(scored(scores / 4, member), n_boot=0)
    assert values(found.specificity_at) == {0.8: 0.25, 0.9: 0.15, 0.95: 0.1}
    assert values(found.sensitivity_at) == {0.8: 0.2 + 0.05, 0.9: 0.15, 0.95: 0.1}


def test_images_of_one_probability_are_flagged_together():
    member = np.arange(40) < 20
    found = detection(scored(np.zeros(40), member), n_boot=0)
    assert set(values(found.sensitivity_at).values()) == {0.0}
    assert set(values(found.specificity_at).values()) == {0.0}
    assert found.auc.value == 0.5


def test_all_right_and_all_wrong():
    member = np.arange(30) < 10
    for sign, expected in ((1, 1.0), (-1, 0.0)):
        found = detection(scored(sign * 50.0 * member, member), n_boot=50)  # p = 1 among them
        intervals = [*found.sensitivity_at.values(), *found.specificity_at.values(), found.auc]
        assert {i.value for i in intervals} == {expected}
        assert {i.low for i in intervals} == {expected}


@pytest.mark.parametrize("member", [[True] * 4, [False] * 4, [True]])
def test_without_the_class_or_without_others_nothing_is_defined(member):
    found = detection(scored(np.arange(len(member)), np.array(member)), n_boot=10)
    table = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert table["sensitivity_at"]["0.8"] == {"value": None, "low": None, "high": None}
    assert np.isnan(list(values(found.specificity_at).values())).all()


def test_sensitivity_falls_as_more_specificity_is_kept():
    found = detection(make_predictions(n=500, signal=1.0), n_boot=0)
    for table in (found.sensitivity_at, found.specificity_at):
        assert sorted(values(table).values(), reverse=True) == list(values(table).values())


def test_bad_requests():
    predictions = make_predictions(n=20)
    with pytest.raises(ValueError, match="class_name: expected one of akiec"):
        detection(predictions, "melanoma")
    with pytest.raises(ValueError, match="n_boot"):
        detection(predictions, n_boot=-1)
    with pytest.raises(ValueError, match="temperature"):
        detection(predictions, temperature=0)
    with pytest.raises(DataError, match="no images"):
        detection(take(predictions, []))
