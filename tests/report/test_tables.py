"""Tables hold the numbers of the evaluation, and say what is not defined."""

from __future__ import annotations

import numpy as np
import pytest

from kdcore.evaluate import OVERALL, Interval, evaluate_predictions
from kdcore.report.tables import evaluation_text, interval_text
from tests.evaluate.makers import CLASSES, make_predictions, subset


@pytest.fixture(scope="module")
def evaluation():
    predictions = make_predictions(n=80)
    return evaluate_predictions(
        subset(predictions, np.flatnonzero(predictions.labels != 3)), n_boot=30
    )


def test_interval_text():
    assert interval_text(Interval(0.8123, 0.79, 0.8333)) == "0.812 [0.790, 0.833]"
    assert interval_text(Interval(0.8123, np.nan, np.nan)) == "0.812"
    assert interval_text(Interval(np.nan, np.nan, np.nan)) == "n/a"


def test_text_shows_every_score_and_class(evaluation):
    text = evaluation_text(evaluation)
    for name in OVERALL:
        assert interval_text(evaluation.metrics[name]) in text
    assert all(name in text for name in CLASSES)
    assert "n/a" in text
    assert "nan" not in text
    assert evaluation.interval_method in text
