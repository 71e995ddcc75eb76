"""Charts of subgroups and operating points: every number drawn is the result's, none is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kdcore.charts.operating import (
    LEAST_COVERAGE,
    TREAT_ALL,
    TREAT_NONE,
    alarm_chart,
    benefit_chart,
    coverage_chart,
    risk_chart,
    weights_chart,
)
from kdcore.charts.subgroups import gap_chart, group_chart
from kdcore.evaluate import (
    Subgroups,
    choose_alarm,
    choose_class_weights,
    decision_curve,
    risk_coverage,
    subgroups,
)
from kdcore.evaluate.conformal import conformal_sets
from tests.evaluate.makers import CLASSES, make_predictions

COLOURS = {"A": "#1A80C4", "B": "#D55E00", "not drawn": "#000000"}
VAL = make_predictions(200, seed=1, signal=1.0, split="val")
TEST = make_predictions(300, seed=2, signal=1.0)


@pytest.fixture(scope="module")
def found() -> dict[str, Subgroups]:
    values = np.array(["female"] * 140 + ["male"] * 140 + [""] * 20)
    parts = {"A": TEST, "B": make_predictions(300, seed=2, signal=1.5)}
    return {
        name: subgroups(replace(p, attributes={"sex": values}), "sex", n_boot=30)
        for name, p in parts.items()
    }


def rows(chart: Any) -> list[dict[str, Any]]:
    spec = chart.to_dict()  # validates against the schema
    return max(spec["datasets"].values(), key=len)


def test_a_dot_for_each_group_and_model(found: dict[str, Subgroups]) -> None:
    table = rows(group_chart(found, "accuracy", COLOURS))
    assert [(r["series"], r["label"].split("\n")[0]) for r in table] == [
        (name, group.name) for name in "AB" for group in found[name].groups
    ]
    values = [g.scores["accuracy"].value for name in "AB" for g in found[name].groups]
    assert [(r["value"], r["low"], r["high"]) for r in table] == [
        (v.value, v.low, v.high) for v in values
    ]
    assert [r["faint"] for r in table] == [False, False, True] * 2
    assert [r["label"].endswith(", too few") for r in table] == [False, False, True] * 2
    assert [r["note"] is None for r in table] == [True, True, False] * 2


def test_a_score_of_a_class_says_how_many_images_of_it(found: dict[str, Subgroups]) -> None:
    group = found["A"].groups[0]
    label = rows(group_chart(found, "recall", COLOURS))[0]["label"]
    assert f"{group.n} / {group.lesions} / {group.positives} mel" in label


def test_gaps_leave_out_what_is_too_small(found: dict[str, Subgroups]) -> None:
    chart = gap_chart(found, "macro_f1", COLOURS)
    assert [r["value"] for r in rows(chart)] == [
        g.scores["macro_f1"].gap.value for name in "AB" for g in found[name].groups[:2]
    ]
    alone = {"A": replace(found["A"], groups=found["A"].groups[2:])}
    assert gap_chart(alone, "macro_f1", COLOURS) is None


def test_a_name_of_two_lines_is_split(found: dict[str, Subgroups]) -> None:
    assert "split(datum.label, '\\\\n')" in json.dumps(
        group_chart(found, "accuracy", COLOURS).to_dict()
    )


def test_alarm() -> None:
    alarms = {name: choose_alarm(VAL, TEST, n_boot=20) for name in "AB"}
    table = rows(alarm_chart(alarms, COLOURS))
    assert len(table) == 8
    assert table[0]["value"] == alarms["A"].test.sensitivity.value
    assert [{"value": 0.9}] in alarm_chart(alarms, COLOURS).to_dict()["datasets"].values()
    youden = {"A": choose_alarm(VAL, TEST, rule="youden", n_boot=20)}
    assert len(alarm_chart(youden, COLOURS).to_dict()["datasets"]) == 1  # there is no target


def test_weights() -> None:
    found = choose_class_weights(VAL, TEST, n_boot=20)
    table = rows(weights_chart({"A": found.scores}, COLOURS))
    assert [r["value"] for r in table] == [s.difference.value for s in found.scores]


def test_risk_begins_where_it_is_steady_and_ends_with_all() -> None:
    curve = risk_coverage(TEST, n_boot=0)
    table = rows(risk_chart({"A": curve}, COLOURS))
    assert min(r["x"] for r in table) >= LEAST_COVERAGE
    assert (table[-1]["x"], table[-1]["value"]) == (1.0, pytest.approx(curve.risk[-1]))


def test_net_benefit_keeps_to_the_thresholds_asked_for() -> None:
    curve = decision_curve(TEST, n_boot=20)
    chart = benefit_chart({"A": curve, "B": curve}, COLOURS, upto=0.3, at=0.2)
    table = rows(chart)
    assert {r["series"] for r in table} == {"A", "B", TREAT_ALL, TREAT_NONE}
    assert max(r["x"] for r in table) == pytest.approx(0.3)
    assert all(r["value"] == 0 for r in table if r["series"] == TREAT_NONE)
    own = [r["value"] for r in table if r["series"] == "A"]
    assert own == pytest.approx(curve.model.value[: len(own)])
    assert [{"x": 0.2}] in chart.to_dict()["datasets"].values()


def test_net_benefit_without_intervals() -> None:
    chart = benefit_chart({"A": decision_curve(TEST, n_boot=0)}, COLOURS)
    assert len(rows(chart)) > 100
    assert "NaN" not in json.dumps(chart.to_dict())


def test_coverage_of_all_and_of_each_class() -> None:
    found = conformal_sets(VAL, TEST, n_boot=20)
    table = rows(coverage_chart({"A": found}, COLOURS))
    assert [r["label"] for r in table] == ["all images", *CLASSES]
    assert table[0]["value"] == found.coverage.value
