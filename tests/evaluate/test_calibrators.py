"""Calibrators against scikit-learn, SciPy, finite differences and closed forms; their table."""

from __future__ import annotations

import pickle
import time
from dataclasses import astuple, replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn import metrics
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from kdcore.base import DataError
from kdcore.evaluate import (
    AS_TRAINED,
    DELTAS,
    calibration_deltas,
    calibration_table,
    calibrators_for,
    compare_pair,
    evaluate_predictions,
    fit_calibrators,
    fit_temperature,
)
from kdcore.evaluate.align import take
from kdcore.evaluate.calibration import HIGHEST_T, LOWEST_T, brier, ece, nll
from kdcore.evaluate.calibrators import (
    HIGHEST_BIAS,
    apply_isotonic,
    fit_isotonic,
    fit_vector,
    vector_nll,
)
from kdcore.predict.foreign import NOTES
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions, subset

NAMES = ["as trained", "temperature", "vector", "isotonic"]


@pytest.fixture(scope="module")
def parts():
    return make_predictions(600, seed=1, split="val"), make_predictions(500, seed=2)


def test_names_and_rows_that_sum_to_one(parts):
    val, test = parts
    found = fit_calibrators(val)
    assert [c.name for c in found] == NAMES
    for calibrator in found:
        probs = calibrator.apply(test.logits)
        np.testing.assert_allclose(probs.sum(1), 1)
        assert (probs > 0).all()
        again = pickle.loads(pickle.dumps(calibrator))
        assert np.array_equal(again.apply(test.logits), probs)


def test_identity_and_temperature(parts):
    val, test = parts
    identity, temperature, *_ = fit_calibrators(val)
    assert np.array_equal(identity.apply(test.logits), softmax(test.logits))
    fitted = fit_temperature(val.logits, val.labels)
    assert np.array_equal(temperature.apply(test.logits), softmax(test.logits, fitted))
    chosen = temperature.apply(test.logits).argmax(1)
    assert np.array_equal(chosen, test.logits.argmax(1))


def test_gradient_of_vector_scaling_equals_finite_differences(parts):
    logits, labels = parts[0].logits[:50].astype(float), parts[0].labels[:50]
    at = np.random.default_rng(0).normal(size=14)
    slope = approx_fprime(at, lambda x: vector_nll(x, logits, labels)[0], 1e-7)
    np.testing.assert_allclose(vector_nll(at, logits, labels)[1], slope, atol=1e-5)


def test_vector_scaling_is_at_least_as_good_as_temperature_where_it_was_fitted(parts):
    val, _ = parts
    scale, bias = fit_vector(val.logits, val.labels)
    value, gradient = vector_nll(np.r_[scale, bias], val.logits.astype(float), val.labels)
    assert np.abs(gradient).max() < 1e-5  # convex, so this is the minimum
    assert value == pytest.approx(metrics.log_loss(val.labels, softmax(val.logits * scale + bias)))
    assert value <= nll(val.logits, val.labels, fit_temperature(val.logits, val.labels))


def test_vector_scaling_recovers_what_was_planted():
    generator = np.random.default_rng(0)
    logits, scale, bias = generator.normal(size=(20000, 3)) * 2, [0.5, 1.0, 2.0], [1.0, 0.0, -1.0]
    chances = softmax(logits * scale + bias).cumsum(1)
    labels = (generator.random((20000, 1)) > chances).sum(1)
    found, offsets = fit_vector(logits, labels)
    np.testing.assert_allclose(found, scale, atol=0.1)
    np.testing.assert_allclose(offsets - offsets.mean(), bias, atol=0.1)


def test_vector_scaling_of_two_classes_equals_logistic_regression():
    generator = np.random.default_rng(1)
    x = generator.normal(size=400)
    labels = (generator.random(400) < 1 / (1 + np.exp(-(1.5 * x + 0.7)))).astype(int)
    logits = np.stack([np.zeros(400), x], axis=1)  # the scale of a constant 0 says nothing
    scale, bias = fit_vector(logits, labels)
    expected = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x[:, None], labels)
    assert scale[1] == pytest.approx(expected.coef_[0, 0], rel=1e-4)
    assert bias[1] - bias[0] == pytest.approx(expected.intercept_[0], rel=1e-4)


def test_vector_scaling_stays_in_its_bounds_without_a_minimum():
    eye = np.eye(3) * 4
    scale, bias = fit_vector(eye, [0, 1, 2])  # no mistake: sharper is always better
    assert (scale <= 1 / LOWEST_T).all() and (scale >= 1 / HIGHEST_T).all()
    assert np.isfinite(nll(eye * scale + bias, [0, 1, 2]))
    _, bias = fit_vector(np.random.default_rng(0).normal(size=(50, 3)), [0, 1] * 25)  # 2 is absent
    assert (np.abs(bias) <= HIGHEST_BIAS).all()


def test_isotonic_equals_sklearn(parts):
    val, test = parts
    probs, fresh = softmax(val.logits), softmax(test.logits)
    expected = np.stack(
        [
            IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
            .fit(probs[:, c], val.labels == c)
            .predict(fresh[:, c])
            for c in range(7)
        ],
        axis=1,
    )
    expected = np.maximum(expected, 1 / (600 + 7))
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(fit_calibrators(val)[3].apply(test.logits), expected, atol=1e-12)


def test_isotonic_in_closed_form_by_pooling():
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.4, 0.6], [0.1, 0.9]])
    said, happened = fit_isotonic(probs, [0, 1, 0, 1, 1])[0]
    # class 0 by rising probability: 0 at 0.1; 1/2 tied at 0.4; 0 at 0.8 pools with it; 1 at 0.9
    np.testing.assert_allclose(
        np.interp([0.1, 0.4, 0.8, 0.9], said, happened), [0, 1 / 3, 1 / 3, 1]
    )


def test_isotonic_says_nothing_sure_of_what_validation_did_not_show():
    val = make_predictions(200, seed=3, split="val", signal=9.0)
    keep = np.flatnonzero(val.labels != 3)  # df is absent
    isotonic = fit_calibrators(subset(val, keep))[3]
    probs = isotonic.apply(val.logits)
    floor = 1 / (len(keep) + 7)
    assert np.array_equal(probs[:, 3], probs.min(1))  # its curve is 0: the floor, in every row
    assert probs.min() >= floor / 7
    assert np.isfinite(-np.log(probs[np.arange(200), val.labels])).all()


def test_a_row_of_zeros_becomes_uniform():
    flat = (np.array([0.0, 1.0]), np.array([0.0, 0.0]))
    np.testing.assert_allclose(apply_isotonic([[3.0, 0.0, 1.0]], (flat,) * 3, 0.01), 1 / 3)


@pytest.mark.parametrize("n", [1, 2])
def test_very_few_validation_images_still_give_probabilities(n):
    val = make_predictions(n, seed=4, groups=n, split="val")
    for calibrator in fit_calibrators(val):
        probs = calibrator.apply([[2000.0, 0, 0, 0, 0, 0, -2000.0], [0] * 7])
        assert np.isfinite(probs).all()
        np.testing.assert_allclose(probs.sum(1), 1)


def test_no_validation_image_is_refused():
    with pytest.raises(DataError, match="no images"):
        fit_calibrators(subset(make_predictions(10), np.arange(0)))


def test_table_equals_sklearn_and_the_evaluation(parts):
    val, test = parts
    rows = calibration_table(val, test, n_boot=50, seed=4)
    assert [row.name for row in rows] == NAMES
    for row, calibrator in zip(rows, fit_calibrators(val), strict=True):
        probs = calibrator.apply(test.logits)
        assert row.nll.value == pytest.approx(metrics.log_loss(test.labels, probs))
        assert row.brier.value == pytest.approx(brier(probs, test.labels))
        assert row.ece.value == pytest.approx(ece(probs, test.labels))
        assert row.ece_mass.value == pytest.approx(ece(probs, test.labels, equal_mass=True))
        chosen = probs.argmax(1)
        assert row.accuracy == pytest.approx(metrics.accuracy_score(test.labels, chosen))
        f1 = metrics.f1_score(test.labels, chosen, average="macro")
        assert row.macro_f1 == pytest.approx(f1)
        for interval in (row.nll, row.brier, row.ece, row.ece_mass):
            assert interval.low <= interval.value <= interval.high
    for row, t in zip(rows, (1.0, fit_temperature(val.logits, val.labels)), strict=False):
        known = evaluate_predictions(test, t, n_boot=50, seed=4).metrics
        for name in ("nll", "brier", "ece", "ece_mass"):
            assert getattr(row, name).as_dict() == pytest.approx(known[name].as_dict())


def test_table_of_other_weights_is_refused(parts):
    other = make_predictions(50, checkpoint_hash="1" * 64)
    with pytest.raises(DataError, match="different weights"):
        calibration_table(parts[0], other)


def test_table_of_one_lesion_has_no_intervals(parts):
    rows = calibration_table(parts[0], make_predictions(20, groups=1))
    assert np.isnan([row.nll.low for row in rows]).all()


def test_a_thousand_resamples_take_less_than_a_second():
    val, test = make_predictions(1353, seed=1, split="val"), make_predictions(1349, seed=2)
    calibration_table(val, test, n_boot=1)  # scikit-learn is imported now
    start = time.perf_counter()
    calibration_table(val, test)
    assert time.perf_counter() - start < 1.0


def _numbers(row):
    """All numbers of a row, those of its intervals too."""
    return [value for value in astuple(row) if not isinstance(value, str)]


def test_without_validation_there_is_what_was_trained(parts):
    (row,) = calibration_table(None, parts[1], n_boot=20)
    expected = calibration_table(*parts, n_boot=20)[0]
    # Resampled with other rows beside it, so sums may differ in their last digit.
    assert np.hstack(_numbers(row)) == pytest.approx(np.hstack(_numbers(expected)), nan_ok=True)
    with pytest.raises(DataError, match="no images"):
        calibrators_for(None, subset(parts[1], np.arange(0)))


def test_imported_predictions_are_not_refused_for_their_files_hash(parts):
    val, test = (replace(p, meta={NOTES: ""}) for p in parts)
    test = replace(test, checkpoint_hash="1" * 64)
    assert len(calibrators_for(val, test)) == 4
    with pytest.raises(DataError, match="different weights or classes"):
        calibrators_for(replace(val, classes=tuple("abcdefg")), test)
    with pytest.raises(DataError, match="different weights"):
        calibrators_for(parts[0], test)


@pytest.mark.parametrize("which", [0, 1])
def test_deltas_equal_the_comparison_of_a_pair(parts, which):
    val, first = parts
    second = replace(first, logits=first.logits * 1.7 + make_predictions(len(first)).logits)
    shuffled = take(second, np.random.default_rng(0).permutation(len(second)).tolist())
    calibrator = fit_calibrators(val)[which]
    t = (1.0, fit_temperature(val.logits, val.labels))[which]
    found = calibration_deltas((first, calibrator), (shuffled, AS_TRAINED), n_boot=60, seed=3)
    known = compare_pair(first, second, t, 1.0, n_boot=60, seed=3).metrics
    assert tuple(found) == DELTAS
    for name, delta in found.items():
        assert delta.as_dict() == pytest.approx(known[name].delta.as_dict())


def test_a_model_does_not_differ_from_itself(parts):
    calibrator = fit_calibrators(parts[0])[3]
    found = calibration_deltas((parts[1], calibrator), (parts[1], calibrator), n_boot=20)
    assert {(d.value, d.low, d.high) for d in found.values()} == {(0.0, 0.0, 0.0)}
