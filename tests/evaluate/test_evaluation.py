"""Evaluations: every value against scikit-learn, intervals against a loop over real resamples."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from sklearn import metrics

from kdcore.base import DataError
from kdcore.evaluate import BY_CLASS, OVERALL, calibration, evaluate_predictions
from kdcore.evaluate.bootstrap import draw_groups, index_groups
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import CLASSES, make_predictions, subset

PLAIN = tuple(name for name in OVERALL if not name.startswith("ece"))  # their bins need the whole


def test_values_equal_sklearn():
    predictions = make_predictions()
    labels, probs = predictions.labels, softmax(predictions.logits, 1.7)
    result = evaluate_predictions(predictions, 1.7, n_boot=20)
    chosen = probs.argmax(1)
    expected = {
        "accuracy": metrics.accuracy_score(labels, chosen),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, chosen),
        "macro_f1": metrics.f1_score(labels, chosen, average="macro"),
        "weighted_f1": metrics.f1_score(labels, chosen, average="weighted"),
        "mcc": metrics.matthews_corrcoef(labels, chosen),
        "macro_ap": metrics.average_precision_score(np.eye(7)[labels], probs),
        "macro_auc": metrics.roc_auc_score(labels, probs, multi_class="ovr"),
        "nll": metrics.log_loss(labels, probs),
        "brier": metrics.brier_score_loss(labels, probs, scale_by_half=False),
        "ece": calibration.ece(probs, labels),
        "ece_mass": calibration.ece(probs, labels, equal_mass=True),
    }
    assert set(expected) == set(OVERALL) == set(result.metrics)
    for name, value in expected.items():
        assert result.metrics[name].value == pytest.approx(value, abs=1e-12), name
    by_class = metrics.precision_recall_fscore_support(labels, chosen)
    for name, values in zip(("precision", "recall", "f1", "support"), by_class, strict=True):
        ours = [getattr(row, name) for row in result.per_class]
        np.testing.assert_allclose([getattr(v, "value", v) for v in ours], values)
    assert np.array_equal(result.confusion, metrics.confusion_matrix(labels, chosen))


def test_resampling_by_weights_equals_evaluating_each_resample():
    predictions = make_predictions(n=120, signal=1.0)
    n_boot = 30
    result = evaluate_predictions(predictions, n_boot=n_boot, seed=5)
    index, groups = index_groups(predictions.group_ids)
    loop: dict[str, list[float]] = {name: [] for name in PLAIN}
    rare = []
    for row in np.concatenate(list(draw_groups(groups, n_boot, seed=5))):
        keep = np.repeat(np.arange(len(index)), row[index].astype(int))
        one = evaluate_predictions(subset(predictions, keep), n_boot=0)
        for name, values in loop.items():
            values.append(one.metrics[name].value)
        rare.append([[r.f1.value, r.ap.value] for r in one.per_class])
    for name, values in loop.items():
        found = result.metrics[name]
        assert (found.low, found.high) == pytest.approx(np.quantile(values, [0.025, 0.975])), name
    low, high = np.nanquantile(np.array(rare), [0.025, 0.975], axis=0)
    np.testing.assert_allclose([(r.f1.low, r.ap.low) for r in result.per_class], low)
    np.testing.assert_allclose([(r.f1.high, r.ap.high) for r in result.per_class], high)


def test_accuracy_interval_of_single_images_is_the_normal_one():
    predictions = make_predictions(n=3000, groups=3000)
    found = evaluate_predictions(predictions).metrics["accuracy"]
    half = 1.96 * np.sqrt(found.value * (1 - found.value) / 3000)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)


def test_copies_of_an_image_in_one_lesion_do_not_narrow_the_interval():
    single = make_predictions(n=300, groups=300)
    copied = subset(single, np.repeat(np.arange(300), 4))
    for name in PLAIN:
        one = evaluate_predictions(single, n_boot=200).metrics[name]
        four = evaluate_predictions(copied, n_boot=200).metrics[name]
        got, expected = (four.value, four.low, four.high), (one.value, one.low, one.high)
        assert got == pytest.approx(expected), name


@pytest.mark.parametrize("calibrated", [True, False])
def test_every_interval_holds_its_value(calibrated):
    predictions = make_predictions(n=1500, seed=8)
    temperature = fit = calibration.fit_temperature(predictions.logits, predictions.labels)
    result = evaluate_predictions(predictions, temperature if calibrated else fit / 3, n_boot=300)
    intervals = [*result.metrics.values()]
    intervals += [getattr(row, name) for row in result.per_class for name in BY_CLASS]
    for interval in intervals:
        assert interval.low <= interval.value <= interval.high
        assert interval.low >= 0


def test_the_same_seed_gives_the_same_result_in_any_order_of_images():
    predictions = make_predictions(n=200)
    order = np.random.default_rng(0).permutation(200)
    first = evaluate_predictions(predictions, n_boot=50)
    assert first.as_dict() == evaluate_predictions(predictions, n_boot=50).as_dict()
    shuffled = evaluate_predictions(subset(predictions, order), n_boot=50)
    for name in OVERALL:
        ours, theirs = first.metrics[name], shuffled.metrics[name]
        assert (ours.value, ours.low, ours.high) == pytest.approx(
            (theirs.value, theirs.low, theirs.high)
        ), name


def test_json_has_the_agreed_keys_and_no_nan():
    predictions = make_predictions(n=60)
    keep = np.flatnonzero(predictions.labels != 3)  # no image of one class
    result = evaluate_predictions(subset(predictions, keep), n_boot=20)
    data = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert data["n"] == len(keep)
    assert data["n_groups"] == result.n_groups
    for name in OVERALL:
        assert set(data[name]) == {"value", "low", "high"}
        assert None not in data[name].values()
    assert [row["class"] for row in data["per_class"]] == list(CLASSES)
    absent = data["per_class"][3]
    assert absent["support"] == 0
    assert absent["f1"] == absent["auc"] == {"value": None, "low": None, "high": None}
    assert data["temperature"] == 1.0
    assert "bootstrap" in data["interval"]


def test_macro_runs_over_the_classes_that_have_images():
    predictions = make_predictions(n=100)
    kept = subset(predictions, np.flatnonzero(predictions.labels != 3))
    result = evaluate_predictions(kept, n_boot=0)
    rows = [row for row in result.per_class if row.support]
    assert len(rows) == 6
    assert result.metrics["macro_f1"].value == pytest.approx(np.mean([r.f1.value for r in rows]))
    assert result.metrics["macro_auc"].value == pytest.approx(np.mean([r.auc.value for r in rows]))


def test_a_rare_class_vanishes_from_some_resamples_and_keeps_an_interval():
    predictions = make_predictions(n=40, groups=40)
    labels = np.where(np.arange(40) == 0, 0, 5)
    one = make_predictions(n=40, groups=40, labels=labels, logits=predictions.logits)
    result = evaluate_predictions(one, n_boot=200)
    rare = result.per_class[0]
    assert rare.support == 1
    assert not np.isnan([rare.auc.low, rare.recall.high]).any()
    assert not np.isnan(result.metrics["macro_auc"].low)


def test_one_class_one_lesion_one_image():
    one_class = make_predictions(n=30, labels=np.full(30, 5))
    result = evaluate_predictions(one_class, n_boot=20)
    assert np.isnan([result.metrics[name].value for name in ("macro_auc", "mcc")]).all()
    assert result.metrics["macro_ap"].value == 1
    assert not np.isnan(result.metrics["macro_f1"].low)
    single = evaluate_predictions(make_predictions(n=1), n_boot=20)
    assert np.isnan(single.metrics["accuracy"].low)
    assert not np.isnan(single.metrics["nll"].value)
    assert single.interval_method.startswith("none")


def test_temperature_moves_calibration_and_leaves_decisions():
    predictions = make_predictions()
    cold, hot = (evaluate_predictions(predictions, t, n_boot=0) for t in (1.0, 4.0))
    assert cold.metrics["accuracy"].value == hot.metrics["accuracy"].value
    assert np.array_equal(cold.confusion, hot.confusion)
    assert cold.metrics["nll"].value != hot.metrics["nll"].value


def test_bad_requests():
    none = np.array([], dtype=np.str_)
    empty = make_predictions(
        logits=np.zeros((0, 7), np.float32),
        labels=np.zeros(0, np.int64),
        sample_ids=none,
        group_ids=none,
    )
    with pytest.raises(DataError, match="no images"):
        evaluate_predictions(empty)
    with pytest.raises(ValueError, match="n_boot"):
        evaluate_predictions(make_predictions(n=10), n_boot=-1)
    with pytest.raises(ValueError, match="temperature"):
        evaluate_predictions(make_predictions(n=10), temperature=0)


def test_a_thousand_resamples_of_nine_thousand_images_are_quick():
    predictions = make_predictions(n=9000)
    start = time.process_time()
    evaluate_predictions(predictions)
    assert time.process_time() - start < 10  # about 1 s; slack for a busy machine
