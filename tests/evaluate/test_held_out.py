"""A run's scores: temperature from validation, everything else from test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss

from kdcore.base import DataError
from kdcore.evaluate import (
    HELD_OUT,
    calibration_table,
    choose_alarm,
    choose_rejection,
    fit_temperature,
    held_out_scores,
)
from kdcore.evaluate.calibration import ece
from kdcore.evaluate.conformal import conformal_sets
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions


def test_against_sklearn():
    val, test = make_predictions(200, seed=1, split="val"), make_predictions(300, seed=2)
    found = held_out_scores(val, test)
    temperature = fit_temperature(val.logits, val.labels)
    assert found["temperature"] == temperature
    probs, chosen = softmax(test.logits, temperature), test.logits.argmax(1)
    expected = {
        "macro_f1": f1_score(test.labels, chosen, average="macro"),
        "balanced_accuracy": balanced_accuracy_score(test.labels, chosen),
        "accuracy": accuracy_score(test.labels, chosen),
        "nll": log_loss(test.labels, probs, labels=np.arange(7)),
        "ece": ece(probs, test.labels),
    }
    assert {name: found[name] for name in HELD_OUT} == pytest.approx(expected)
    val_f1 = f1_score(val.labels, val.logits.argmax(1), average="macro")
    assert found["val_macro_f1"] == pytest.approx(val_f1)


def test_other_weights_are_refused():
    val = make_predictions(50, split="val")
    with pytest.raises(DataError, match="different weights"):
        held_out_scores(val, make_predictions(50, checkpoint_hash="1" * 64))


@pytest.mark.parametrize(
    "fit", [held_out_scores, calibration_table, choose_alarm, choose_rejection, conformal_sets]
)
def test_nothing_is_chosen_on_the_images_that_it_is_measured_on(fit):
    val, test = make_predictions(50, split="val"), make_predictions(60)
    fit(val, test)
    ids = np.r_[val.sample_ids[:-1], test.sample_ids[:1]]
    told = r"1 images are in the validation and the test .* first image 0 \(row 49 of validation\)"
    with pytest.raises(DataError, match=told):
        fit(replace(val, sample_ids=ids), test)
