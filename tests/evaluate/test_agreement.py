"""Agreement against scikit-learn, statsmodels and SciPy; quadrants against plain counting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import cohen_kappa_score, confusion_matrix
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar

from kdcore.base import DataError
from kdcore.evaluate import QUADRANTS, agreement, quadrant_of
from kdcore.evaluate.agreement import cohen_kappa, kl_per_image, mcnemar
from kdcore.evaluate.align import take
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions


@pytest.fixture(scope="module")
def pair():
    teacher = make_predictions(n=300, seed=1, signal=2.5)
    noise = np.random.default_rng(3).normal(size=(300, 7)).astype(np.float32)
    return teacher, replace(teacher, logits=teacher.logits + 1.5 * noise)


def with_answers(labels, answers, scale=1.0):
    logits = np.eye(7, dtype=np.float32)[answers] * scale
    return make_predictions(n=len(labels), labels=np.array(labels), logits=logits)


def test_values_equal_the_references(pair):
    teacher, student = pair
    found = agreement(*pair, 1.3, 0.8, n_boot=0)
    answers = [p.logits.argmax(1) for p in pair]
    assert found.share.value == pytest.approx((answers[0] == answers[1]).mean())
    assert found.kappa.value == pytest.approx(cohen_kappa_score(*answers))
    p, q = softmax(teacher.logits, 1.3), softmax(student.logits, 0.8)
    assert found.kl.value == pytest.approx(entropy(p, q, axis=1).mean())
    assert np.array_equal(found.answers, confusion_matrix(*answers, labels=range(7)))
    right = [answer == teacher.labels for answer in answers]
    table = confusion_matrix(right[0], right[1])
    expected = reference_mcnemar(table, exact=True)
    assert found.mcnemar.p == pytest.approx(expected.pvalue)
    assert min(found.mcnemar.b, found.mcnemar.c) == expected.statistic
    assert (found.mcnemar.b, found.mcnemar.c) == (table[1, 0], table[0, 1])


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (0, 9), (5, 5), (40, 61), (300, 200)])
def test_mcnemar_equals_statsmodels(b, c):
    expected = reference_mcnemar([[7, b], [c, 3]], exact=True).pvalue if b + c else 1.0
    assert mcnemar(b, c).p == pytest.approx(expected, rel=1e-9)
    assert mcnemar(c, b).p == mcnemar(b, c).p
    with pytest.raises(ValueError, match="counts"):
        mcnemar(-1, 2)


def test_each_quadrant_is_what_it_is_called():
    labels = [0, 1, 2, 3, 4]
    teacher = with_answers(labels, [0, 1, 0, 5, 5])
    student = with_answers(labels, [0, 0, 2, 5, 6])
    assert quadrant_of(teacher, student).tolist() == list(QUADRANTS)
    found = agreement(teacher, student, n_boot=0).quadrants
    assert [q.sample_ids for q in found] == [(f"image {i}",) for i in range(5)]
    assert [q.share.value for q in found] == [0.2] * 5


def test_quadrants_partition_the_images(pair):
    found = agreement(*pair, n_boot=50)
    teacher = pair[0]
    assert [q.name for q in found.quadrants] == list(QUADRANTS)
    assert sum(q.count for q in found.quadrants) == len(teacher) == found.answers.sum()
    assert sum(q.share.value for q in found.quadrants) == pytest.approx(1)
    ids = [sample for q in found.quadrants for sample in q.sample_ids]
    assert sorted(ids) == sorted(teacher.sample_ids.tolist())
    names, counts = np.unique(quadrant_of(*pair), return_counts=True)
    assert dict(zip(names.tolist(), counts)) == {
        q.name: q.count for q in found.quadrants if q.count
    }
    by_name = {q.name: q.count for q in found.quadrants}
    same = by_name["both_right"] + by_name["same_mistake"]
    assert same / len(teacher) == pytest.approx(found.share.value)


def test_intervals_equal_a_loop_over_resampled_lesions(pair):
    found = agreement(*pair, n_boot=40, seed=9)
    rng, groups = np.random.default_rng(9), np.unique(pair[0].group_ids)
    images = [np.flatnonzero(pair[0].group_ids == g) for g in groups]
    loop = []
    drawn = rng.integers(0, len(groups), size=(40, len(groups)))
    for row in drawn:
        keep = np.concatenate([images[g] for g in row])
        a, b = (p.logits.argmax(1)[keep] for p in pair)
        copied = (quadrant_of(*pair)[keep] == "same_mistake").mean()
        loop.append(
            [(a == b).mean(), cohen_kappa_score(a, b), kl_per_image(*pair)[keep].mean(), copied]
        )
    low, high = np.quantile(loop, [0.025, 0.975], axis=0)
    ours = [found.share, found.kappa, found.kl, found.quadrants[3].share]
    np.testing.assert_allclose([i.low for i in ours], low)
    np.testing.assert_allclose([i.high for i in ours], high)


def test_a_model_agrees_with_itself(pair):
    found = agreement(pair[0], pair[0], n_boot=30)
    for interval, expected in ((found.share, 1.0), (found.kappa, 1.0), (found.kl, 0.0)):
        assert (interval.value, interval.low, interval.high) == (expected,) * 3
    assert (found.mcnemar.b, found.mcnemar.c, found.mcnemar.p) == (0, 0, 1.0)


def test_divergence_is_finite_at_certainty_and_0_only_for_equals():
    one, other = with_answers([0, 1], [0, 1], 1e4), with_answers([0, 1], [1, 1], 1e4)
    assert kl_per_image(one, other) == pytest.approx([1e4, 0.0])
    assert (kl_per_image(one, other) >= 0).all()


def test_kappa_where_chance_decides():
    assert cohen_kappa([[0, 0], [0, 5]]).item() != cohen_kappa([[0, 0], [0, 5]]).item()  # NaN
    assert cohen_kappa([[2, 2], [2, 2]]) == 0
    assert cohen_kappa([[0, 3], [3, 0]]) == pytest.approx(-1)


def test_one_image_has_no_interval():
    found = agreement(*(with_answers([0], [answer]) for answer in (0, 1)), n_boot=20)
    assert found.share.value == 0
    assert np.isnan(found.share.low)
    assert found.mcnemar == mcnemar(1, 0)


def test_other_images_are_refused(pair):
    with pytest.raises(ValueError, match="sample_ids; `align`"):
        quadrant_of(pair[0], take(pair[1], range(299, -1, -1)))
    with pytest.raises(ValueError, match="labels"):
        agreement(pair[0], replace(pair[1], labels=(pair[1].labels + 1) % 7))
    with pytest.raises(ValueError, match="classes"):
        agreement(pair[0], replace(pair[1], classes=pair[1].classes[::-1]))
    with pytest.raises(ValueError, match="temperature"):
        agreement(*pair, temperature_student=0)
    with pytest.raises(ValueError, match="n_boot"):
        agreement(*pair, n_boot=-1)
    with pytest.raises(DataError, match="no images"):
        agreement(*(take(p, []) for p in pair))
