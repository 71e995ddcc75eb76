"""Teacher against student: each value from two evaluations, each interval from a paired loop."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

from kdcore.base import DataError
from kdcore.evaluate import BY_CLASS, OVERALL, PairComparison, compare_pair, evaluate_predictions
from kdcore.evaluate.align import take
from kdcore.evaluate.bootstrap import draw_groups, index_groups
from tests.evaluate.makers import make_predictions, subset


def make_pair(n=200, noise=1.5, seed=1, **changes):
    teacher = make_predictions(n=n, seed=seed, signal=2.5, checkpoint="teacher", **changes)
    moved = np.random.default_rng(seed + 100).normal(size=(n, 7)) * noise
    logits = (teacher.logits + moved).astype(np.float32)
    return teacher, replace(teacher, logits=logits, checkpoint="student")


@pytest.fixture(scope="module")
def found() -> PairComparison:
    return compare_pair(*make_pair(), 1.4, 0.9, n_boot=60, seed=4)


def test_both_sides_are_what_evaluation_says(found):
    teacher, student = make_pair()
    one = evaluate_predictions(teacher, 1.4, n_boot=60, seed=4)
    other = evaluate_predictions(student, 0.9, n_boot=60, seed=4)
    for name in OVERALL:
        pair = found.metrics[name]
        assert (pair.teacher, pair.student) == (one.metrics[name], other.metrics[name])
        assert pair.delta.value == other.metrics[name].value - one.metrics[name].value
    for row, a, b in zip(found.per_class, one.per_class, other.per_class, strict=True):
        assert (row.name, row.support) == (a.name, a.support)
        for name in BY_CLASS:
            expected = getattr(b, name).value - getattr(a, name).value
            assert row.scores[name].delta.value == expected
    assert (found.n, found.n_groups, found.teacher) == (one.n, one.n_groups, "teacher")


def test_intervals_of_differences_equal_a_paired_loop(found):
    teacher, student = make_pair()
    index, groups = index_groups(teacher.group_ids)
    plain = [name for name in OVERALL if not name.startswith("ece")]
    differences, recalls, kept = [], [], []
    for row in np.concatenate(list(draw_groups(groups, 60, seed=4))):
        keep = np.repeat(np.arange(len(index)), row[index].astype(int))
        one = evaluate_predictions(subset(teacher, keep), 1.4, n_boot=0)
        other = evaluate_predictions(subset(student, keep), 0.9, n_boot=0)
        differences.append([other.metrics[k].value - one.metrics[k].value for k in plain])
        kept.append(other.metrics["macro_f1"].value / one.metrics["macro_f1"].value)
        recalls.append(
            [b.recall.value - a.recall.value for a, b in zip(one.per_class, other.per_class)]
        )
    low, high = np.quantile(differences, [0.025, 0.975], axis=0)
    np.testing.assert_allclose([found.metrics[k].delta.low for k in plain], low)
    np.testing.assert_allclose([found.metrics[k].delta.high for k in plain], high)
    low, high = np.nanquantile(recalls, [0.025, 0.975], axis=0)
    np.testing.assert_allclose([row.scores["recall"].delta.low for row in found.per_class], low)
    np.testing.assert_allclose([row.scores["recall"].delta.high for row in found.per_class], high)
    ends = found.retention.low, found.retention.high
    assert ends == pytest.approx(np.quantile(kept, [0.025, 0.975]))


def test_retention_and_relative_gap_against_sklearn(found):
    teacher, student = make_pair()
    one, other = (f1_score(p.labels, p.logits.argmax(1), average=None) for p in (teacher, student))
    assert found.retention.value == pytest.approx(other.mean() / one.mean())
    relative = [row.scores["f1"].relative for row in found.per_class]
    np.testing.assert_allclose(relative, (other - one) / one)
    assert found.metrics["macro_f1"].relative == pytest.approx(found.retention.value - 1)


def test_swapping_the_models_negates_every_difference(found):
    teacher, student = make_pair()
    back = compare_pair(student, teacher, 0.9, 1.4, n_boot=60, seed=4)
    pairs = [(found.metrics[name], back.metrics[name]) for name in OVERALL]
    for one, other in zip(found.per_class, back.per_class, strict=True):
        pairs += [(one.scores[name], other.scores[name]) for name in BY_CLASS]
    for one, other in pairs:
        got = (-other.delta.value, -other.delta.high, -other.delta.low)
        assert got == pytest.approx((one.delta.value, one.delta.low, one.delta.high))
        assert (one.teacher, one.student) == (other.student, other.teacher)
    assert back.agreement.share == found.agreement.share
    assert np.array_equal(back.agreement.answers, found.agreement.answers.T)
    assert back.agreement.mcnemar.p == found.agreement.mcnemar.p
    assert back.retention.value == pytest.approx(1 / found.retention.value)


def test_a_model_against_itself():
    teacher, _ = make_pair()
    order = np.random.default_rng(0).permutation(len(teacher))
    same = compare_pair(teacher, take(teacher, order), n_boot=30)
    deltas = [pair.delta for pair in same.metrics.values()]
    deltas += [pair.delta for row in same.per_class for pair in row.scores.values()]
    assert {(d.value, d.low, d.high) for d in deltas} == {(0.0, 0.0, 0.0)}
    assert (same.retention.value, same.retention.low, same.agreement.share.low) == (1, 1, 1)
    assert same.agreement.kl.high == 0


def test_pairing_narrows_the_interval():
    found = compare_pair(*make_pair(n=600, noise=0.7), n_boot=300).metrics["macro_f1"]
    one, other, delta = (i.high - i.low for i in (found.teacher, found.student, found.delta))
    assert delta < 0.7 * np.hypot(one, other)  # what two independent samples would give


def test_the_ece_of_both_holds_its_difference(found):
    for name in ("ece", "ece_mass"):
        delta = found.metrics[name].delta
        assert delta.low <= delta.value <= delta.high


@pytest.mark.parametrize("wrong", [False, True])
def test_all_right_and_all_wrong(wrong):
    base = make_predictions(n=60)
    answers = (base.labels + wrong) % 7
    sure = replace(base, logits=1e3 * np.eye(7, dtype=np.float32)[answers])  # p = 1
    found = compare_pair(sure, sure, n_boot=20)
    score = found.metrics["accuracy"]
    assert (score.teacher.value, score.delta.value, score.delta.high) == (1.0 - wrong, 0, 0)
    assert np.isnan(found.retention.value) == wrong
    assert np.isnan(found.metrics["macro_f1"].relative) == wrong
    named = {q.name: q.count for q in found.agreement.quadrants if q.count}
    assert named == {"same_mistake" if wrong else "both_right": 60}


def test_an_absent_class_one_class_and_one_image_leave_json_without_nan():
    teacher, student = make_pair(n=80)
    cases = [
        np.flatnonzero(teacher.labels != 3),
        np.flatnonzero(teacher.labels == 5),
        np.array([0]),
    ]
    for keep in cases:
        found = compare_pair(take(teacher, keep), take(student, keep), n_boot=10)
        data = json.loads(json.dumps(found.as_dict(), allow_nan=False))
        assert data["n"] == len(keep)
        assert set(data["metrics"]) == set(OVERALL)
        assert set(data["per_class"][0]) == {"class", "support", *BY_CLASS}
    assert data["interval"].startswith("none")
    assert data["metrics"]["accuracy"]["delta"]["low"] is None
    assert data["per_class"][6]["f1"]["relative"] is None


def test_other_images_are_refused():
    teacher, student = make_pair(n=30)
    with pytest.raises(DataError, match="teacher has 3 that student lacks"):
        compare_pair(teacher, take(student, range(27)))
    with pytest.raises(ValueError, match="n_boot"):
        compare_pair(teacher, student, n_boot=-1)
