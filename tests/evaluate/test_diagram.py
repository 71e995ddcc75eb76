"""Diagrams of the answer and of one class: scikit-learn, a loop over resamples, closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from kdcore.base import DataError
from kdcore.evaluate import Interval, reliability_diagram
from kdcore.evaluate.bootstrap import mean_interval
from kdcore.evaluate.calibration import binned, confidence_and_hits, reliability
from kdcore.evaluate.miscalibration import binned_intervals
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import CLASSES, make_predictions, subset


@pytest.fixture(scope="module")
def case():
    predictions = make_predictions(300, seed=3)
    return predictions, softmax(predictions.logits, 1.4)


@pytest.mark.parametrize("target", ["mel", "nv", "df"])
@pytest.mark.parametrize("bins", [1, 5, 20])
def test_one_class_equals_sklearn(case, target, bins):
    predictions, probs = case
    c = CLASSES.index(target)
    found = reliability_diagram(predictions, probs, target, bins, n_boot=10)
    happened, said = calibration_curve(predictions.labels == c, probs[:, c], n_bins=bins)
    filled = found.bins.count > 0
    np.testing.assert_allclose(found.bins.accuracy[filled], happened)
    np.testing.assert_allclose(found.bins.confidence[filled], said)
    assert found.bins.count.sum() == len(predictions) == found.n
    assert found.said == pytest.approx(probs[:, c].mean())


@pytest.mark.parametrize("equal_mass", [True, False])
def test_the_answer_equals_reliability_and_its_intervals(case, equal_mass):
    predictions, _ = case
    probs = softmax(predictions.logits)
    found = reliability_diagram(
        predictions, probs, bins=8, equal_mass=equal_mass, n_boot=30, seed=2
    )
    bins = reliability(probs, predictions.labels, 8, equal_mass)
    np.testing.assert_array_equal(found.bins.count, bins.count)
    assert found.bins.ece == bins.ece
    said = confidence_and_hits(probs, predictions.labels)
    expected = binned_intervals(*said, predictions.group_ids, 8, equal_mass, n_boot=30, seed=2)
    np.testing.assert_array_equal(
        [list(vars(i).values()) for i in found.happened],
        [list(vars(i).values()) for i in expected],
    )
    excess = probs.max(1) - (probs.argmax(1) == predictions.labels)
    assert found.excess == mean_interval(excess, predictions.group_ids, 30, 2)
    assert found.excess.value == pytest.approx(
        np.nansum(bins.count * (bins.confidence - bins.accuracy)) / len(predictions)
    )


def test_two_classes_mirror_each_other():
    labels = np.array([0, 1, 1, 0, 1])
    probs = np.array([[0.91, 0.09], [0.32, 0.68], [0.56, 0.44], [0.64, 0.36], [0.04, 0.96]])
    base = make_predictions(5)
    predictions = replace(
        base, logits=np.log(probs).astype("f4"), labels=labels, classes=("a", "b")
    )
    first, second = (reliability_diagram(predictions, probs, t, 10, n_boot=5) for t in "ab")
    assert first.excess.value == pytest.approx(-second.excess.value)
    np.testing.assert_allclose(first.bins.accuracy, 1 - second.bins.accuracy[::-1])


def test_what_adds_most_is_the_bin_that_does_so_outside_its_interval(case):
    predictions, probs = case
    found = reliability_diagram(predictions, probs, bins=4, n_boot=50)

    def with_bins(count, happened, said):
        bins = replace(
            found.bins,
            count=np.array(count),
            confidence=np.array(said),
            accuracy=np.array([i.value for i in happened]),
        )
        return replace(found, bins=bins, happened=tuple(happened)).adds_most

    inside, outside = Interval(0.5, 0.2, 0.8), Interval(0.5, 0.4, 0.6)
    flat, empty = Interval(1.0, 1.0, 1.0), Interval(np.nan, np.nan, np.nan)
    said = [0.7, 0.7, 0.7, np.nan]
    assert with_bins([900, 5, 10, 0], [inside, outside, outside, empty], said) == 2
    assert with_bins([900, 5, 900, 0], [inside, outside, flat, empty], said) == 1
    assert with_bins([900, 5, 900, 0], [inside, inside, flat, empty], said) is None


def test_one_lesion_has_no_intervals():
    predictions = subset(make_predictions(20, groups=1), np.arange(20))
    found = reliability_diagram(predictions, softmax(predictions.logits), bins=3)
    assert np.isnan(found.excess.low)
    assert found.adds_most is None
    assert found.interval_method.startswith("none")


def test_what_cannot_be_drawn_is_refused(case):
    predictions, probs = case
    with pytest.raises(DataError, match="does not know the class melanoma"):
        reliability_diagram(predictions, probs, "melanoma")
    with pytest.raises(DataError, match="no images"):
        reliability_diagram(subset(predictions, np.arange(0)), probs[:0])
    with pytest.raises(ValueError, match="probs"):
        reliability_diagram(predictions, predictions.logits)
    with pytest.raises(ValueError, match="said: expected"):
        binned([1.5], [1.0])
    with pytest.raises(ValueError, match="said: expected"):
        binned([np.nan], [1.0])
