"""Decision curves against a loop, closed forms and scikit-learn's counts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from kdcore.base import DataError
from kdcore.evaluate import decision_curve
from kdcore.evaluate.bootstrap import draw_groups, index_groups
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions, subset


def test_model_equals_sklearn_counts_and_all_its_closed_form():
    predictions = make_predictions(200, seed=1)
    found = decision_curve(predictions, "mel", 1.5, n_boot=0)
    chance, member = softmax(predictions.logits, 1.5)[:, 4], predictions.labels == 4
    assert len(found.thresholds) == 99
    for t, model, everyone in zip(
        found.thresholds, found.model.value, found.treat_all.value, strict=True
    ):
        counts = confusion_matrix(member, chance >= t, labels=[False, True])
        expected = counts[1, 1] / 200 - counts[0, 1] / 200 * t / (1 - t)
        assert model == pytest.approx(expected, abs=1e-12)
        prevalence = member.mean()
        assert everyone == pytest.approx((prevalence - t) / (1 - t), abs=1e-12)
    assert np.isnan(found.model.low).all()


def test_a_perfect_network_gains_its_cases_at_every_threshold():
    sure = make_predictions(100, signal=2000.0)
    found = decision_curve(sure, n_boot=0)
    prevalence = (sure.labels == 4).mean()
    np.testing.assert_allclose(found.model.value, prevalence)
    np.testing.assert_allclose(found.gain.value, prevalence - found.treat_all.value.clip(0))


def test_a_probability_at_the_threshold_acts():
    labels = np.array([0, 0, 1, 1])
    even = make_predictions(4, classes=("a", "b"), logits=np.zeros((4, 2)), labels=labels)
    found = decision_curve(even, "b", thresholds=[0.4, 0.5, 0.6], n_boot=0)
    np.testing.assert_allclose(found.model.value, [*found.treat_all.value[:2], 0])


def test_intervals_equal_a_loop_over_resamples():
    predictions = make_predictions(120, seed=3)
    levels = np.array([0.1, 0.3, 0.7])
    found = decision_curve(predictions, "bkl", 1.0, levels, n_boot=30, seed=2)
    chance, member = softmax(predictions.logits)[:, 2], predictions.labels == 2
    index, groups = index_groups(predictions.group_ids)
    model, gain = [], []
    for row in np.concatenate(list(draw_groups(groups, 30, 2))):
        keep = np.repeat(np.arange(120), row[index].astype(int))
        m, acted = member[keep][:, None], chance[keep][:, None] >= levels
        odds = levels / (1 - levels)
        model.append((acted & m).mean(0) - (acted & ~m).mean(0) * odds)
        gain.append(model[-1] - np.maximum(m.mean() - (1 - m.mean()) * odds, 0))
    for band, values in ((found.model, model), (found.gain, gain)):
        low, high = np.quantile(values, [0.025, 0.975], axis=0)
        np.testing.assert_allclose(band.low, low)
        np.testing.assert_allclose(band.high, high)


def test_a_class_without_images_can_only_cost():
    predictions = make_predictions(100)
    found = decision_curve(subset(predictions, np.flatnonzero(predictions.labels != 4)), n_boot=0)
    assert (found.model.value <= 0).all()


@pytest.mark.parametrize("wrong", [[0.5, 0.4], [0.0, 0.5], [0.5, 1.0], []])
def test_thresholds_out_of_order_raise(wrong):
    with pytest.raises(ValueError, match="thresholds"):
        decision_curve(make_predictions(10), thresholds=wrong)


def test_no_class_and_no_image():
    with pytest.raises(ValueError, match="positive"):
        decision_curve(make_predictions(10), "cat")
    with pytest.raises(DataError, match="no images"):
        decision_curve(subset(make_predictions(10), np.arange(0)))
