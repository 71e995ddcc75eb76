"""Tables hold the numbers of the evaluation, and say what is not defined."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from kdcore.evaluate import BY_CLASS, OVERALL, Interval, evaluate_predictions
from kdcore.report import evaluation_csv, evaluation_latex, evaluation_text
from kdcore.report.tables import interval_text
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


def test_csv_reads_back(evaluation):
    rows = list(csv.DictReader(io.StringIO(evaluation_csv(evaluation))))
    assert len(rows) == len(OVERALL) + len(CLASSES) * len(BY_CLASS)
    first = rows[0]
    assert first["score"] == "accuracy"
    assert float(first["value"]) == evaluation.metrics["accuracy"].value
    absent = [row for row in rows if row["class"] == "df" and row["score"] == "f1"]
    assert absent[0]["value"] == ""
    assert absent[0]["support"] == "0"


def test_latex_is_balanced_and_escaped(evaluation):
    text = evaluation_latex(evaluation)
    assert text.startswith(r"\begin{tabular}")
    assert r"\end{tabular}" in text
    assert text.count("{") == text.count("}")
    assert sum(line.startswith(name + " & ") for line in text.splitlines() for name in CLASSES) == 7
