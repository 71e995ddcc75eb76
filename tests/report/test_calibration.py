"""Tables of calibration and operating points hold the numbers of their results."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from kdcore.base import results_folder
from kdcore.evaluate import (
    DELTAS,
    Interval,
    brier_parts,
    calibration_table,
    choose_alarm,
    choose_class_weights,
    choose_rejection,
    decision_curve,
    reliability_diagram,
    risk_coverage,
)
from kdcore.evaluate.calibration import brier
from kdcore.evaluate.conformal import METHODS, conformal_sets
from kdcore.predict.probabilities import softmax
from kdcore.report.calibration import (
    AGAINST,
    answer_text,
    brier_rows,
    delta_rows,
    diagram_text,
    difference_text,
    ece_intervals_text,
    measure_rows,
    reliability_rows,
    verdict,
    what_it_is,
)
from kdcore.report.cells import csv_text, interval_text, spread
from kdcore.report.operating import (
    alarm_rows,
    conformal_class_rows,
    conformal_rows,
    net_benefit_rows,
    paired_rows,
    rejection_text,
    risk_coverage_rows,
    weight_rows,
)
from tests.evaluate.makers import CLASSES, make_predictions


@pytest.fixture(scope="module")
def parts():
    val = make_predictions(200, seed=1, signal=1.0, split="val")
    return val, make_predictions(150, seed=2, signal=1.0)


def _check(rows, body):
    assert len(rows) == 1 + body
    assert {len(row) for row in rows} == {len(rows[0])}
    assert "nan" not in csv_text(rows)


def test_brier_parts_of_a_row_add_up(parts):
    probs, labels = softmax(parts[1].logits), parts[1].labels
    rows = brier_rows({"as trained": brier_parts(probs, labels)})
    _check(rows, 1)
    assert rows[1][1] == round(brier(probs, labels), 5)
    assert sum(rows[1][2:]) == pytest.approx(rows[1][1], abs=5e-5)


@pytest.mark.parametrize("target", ["", "mel"])
def test_bins_and_the_empty_one(parts, target):
    found = reliability_diagram(parts[1], softmax(parts[1].logits), target, n_boot=20)
    head, *body = reliability_rows(found)
    _check(spread([head, *body]), 15)
    assert head[-1] == ("share of mel" if target else "accuracy")
    assert sum(row[2] for row in body) == 150
    empty = [row for row in body if not row[2]]
    assert empty and all(row[3] is None and math.isnan(row[4].value) for row in empty)
    said = sum(row[2] * row[3] for row in body if row[2]) / 150
    assert said == pytest.approx(found.said)


def test_weights_and_pairs(parts):
    found = choose_class_weights(*parts, n_boot=20)
    rows = weight_rows(found)
    _check(rows, 7)
    assert [row[0] for row in rows[1:]] == list(CLASSES)
    rows = paired_rows(found.scores, "weighted")
    _check(rows, 3)
    assert rows[3] == ["macro-F1", *(interval_text(v) for v in _of(found.scores[2]))]


def _of(score):
    return score.plain, score.changed, score.difference


def test_rejection_in_words(parts):
    found = replace(choose_rejection(*parts, n_boot=20), tau=0.31, tau_as_class=0.0)
    text = rejection_text(found)
    assert "τ = 0.000" in text and "0.310" in text
    assert interval_text(found.coverage) in text
    assert "every image gets a decision" in rejection_text(replace(found, tau=0.0))


def test_alarms(parts):
    rows = alarm_rows([choose_alarm(*parts, rule=r, n_boot=20) for r in ("sensitivity", "f1")])
    _check(rows, 2)
    assert rows[1][:2] == ["mel", "sensitivity 90 % on validation"]
    assert rows[2][1] == "f1"


def test_risk_and_coverage(parts):
    curve = risk_coverage(parts[1], n_boot=20)
    rows = risk_coverage_rows({"student": curve})
    _check(rows, 1)
    assert rows[1][-1] == round(float(curve.risk[-1]), 4)


def test_net_benefit(parts):
    curve = decision_curve(parts[1], n_boot=20)
    rows = net_benefit_rows(curve)
    _check(rows, 99)
    assert rows[10][:2] == [0.1, round(float(curve.model.value[9]), 5)]


def test_prediction_sets(parts):
    results = [conformal_sets(*parts, method=m, n_boot=20) for m in METHODS]
    _check(conformal_rows(results), 2)
    rows = conformal_class_rows(results)
    _check(rows, 2)
    assert rows[0][2:] == list(CLASSES)
    absent = replace(results[0], by_class=(Interval(np.nan, np.nan, np.nan),) * 7)
    assert conformal_class_rows([absent])[1][2] == "n/a"


def test_rows_of_models_in_plain_words(parts):
    table = calibration_table(*parts, n_boot=20)
    tables = {"Big": ("teacher", table[:1]), "Small": ("baseline", table)}
    rows, shown = measure_rows(tables), measure_rows(tables, shown=True)
    _check(rows, 5)
    _check(shown, 5)
    assert [row[0] for row in rows[1:4]] == [
        "Teacher as trained",
        "Student as trained, no KD",
        "Student with temperature scaling, no KD",
    ]
    assert what_it_is("student", "vector") == "Student with vector scaling, KD"
    assert what_it_is("foreign", "as trained") == "Imported model as trained"
    row = dict(zip(rows[0], rows[3]))
    assert row["NLL (nats), low"] == table[1].nll.low
    assert dict(zip(shown[0], shown[3]))["NLL (nats)"] == interval_text(table[1].nll)
    assert row["MCE, the worst bin"] == round(table[1].mce, 4)


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        (Interval(-0.2, -0.3, -0.1), "better"),
        (Interval(0.2, 0.1, 0.3), "worse"),
        (Interval(0.2, -0.1, 0.3), "a difference is not shown by 1,349 images"),
        (Interval(0.2, 0.0, 0.3), "a difference is not shown by 1,349 images"),
        (Interval(0.2, np.nan, np.nan), "no interval, so nothing"),
    ],
)
def test_a_difference_is_worth_what_its_interval_shows(delta, words):
    assert verdict(delta, 1349) == words
    found = dict.fromkeys(DELTAS, delta)
    rows = delta_rows({"a against b": found}, 1349)
    assert [row[2] for row in rows[1:]] == [delta] * 4
    _check(spread(rows), 4)
    shown = delta_rows({"a against b": found}, 1349, shown=True)
    assert [row[2] for row in shown[1:]] == [difference_text(delta)] * 4
    text = answer_text("a against b", found, 1349)
    assert text.count(f"**{words}**") == 2
    assert "ECE" in text


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        (Interval(-0.02, -0.04, -0.0002), "−0.0200 [−0.0400, −0.0002]"),
        (Interval(0.01, 0.00003, 0.2), "+0.01000 [+0.00003, +0.20000]"),
        (Interval(0.01, 0.0, 0.2), "+0.010 [0.000, +0.200]"),
        (Interval(0.0, -1e-9, 0.1), "0.000000 [0.000000, +0.100000]"),
        (Interval(0.02, np.nan, np.nan), "+0.020"),
    ],
)
def test_an_end_beside_0_does_not_read_as_0(delta, text):
    assert difference_text(delta) == text


def test_like_is_compared_with_like_first():
    assert AGAINST[0][1:] == ("as trained", "as trained")
    assert {name for _, *both in AGAINST for name in both} == {"as trained", "temperature"}


def test_the_coverage_that_is_told_is_what_the_simulation_wrote(tmp_path, monkeypatch):
    kinds = [
        {"what": "ece", "truth": 0.05, "held": 45},
        {"what": "ece", "truth": 0.0, "held": 20},
        {"what": "difference", "truth": 0.1, "held": 40},
    ]
    monkeypatch.setattr("kdcore.report.calibration.results_folder", lambda: tmp_path)
    plain = ece_intervals_text()
    written = json.dumps({"sets": 50, "images": 1350, "kinds": kinds})
    (tmp_path / "ece_coverage.json").write_text(written)
    told = ece_intervals_text()
    assert told.startswith(plain) and "Of 50 drawn data sets of 1,350 images" in told
    assert "a true ECE of 0.050 in 90 % and of 0.000 in 40 %," in told
    assert "a true difference of 0.100 in 80 %:" in told
    (tmp_path / "ece_coverage.json").write_text(written[:40])
    assert ece_intervals_text() == plain


def test_the_shipped_simulation_is_told():
    found = json.loads((results_folder() / "ece_coverage.json").read_text())
    for one in found["kinds"]:
        assert f"of {one['truth']:.3f} in" in ece_intervals_text()


@pytest.mark.parametrize(
    ("temperature", "target", "words"),
    [
        (0.2, "", "**Over-confident:**"),
        (9.0, "", "**Under-confident:**"),
        (9.0, "df", "**Says too much df:**"),
        (9.0, "nv", "**Says too little nv:**"),
    ],
)
def test_diagrams_in_words(parts, temperature, target, words):
    probs = softmax(parts[1].logits, temperature)
    found = reliability_diagram(parts[1], probs, target, 5, n_boot=50)
    text = diagram_text(found)
    assert text.startswith(words)
    assert f"on average it says {found.said:.0%}".replace("%", " %") in text
    assert "Adds most to the ECE, of the bins whose interval leaves the diagonal out: when" in text
    none = Interval(np.nan, np.nan, np.nan)
    fair = replace(found, excess=Interval(0.0, -0.1, 0.1), happened=(none,) * 5)
    assert diagram_text(fair).startswith("**Neither too high nor too low")
    assert diagram_text(fair).endswith("No bin's interval leaves the diagonal out.")
    few = replace(found, excess=Interval(0.1, np.nan, np.nan))
    assert diagram_text(few).startswith("**Too few images to tell")
