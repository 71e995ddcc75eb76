"""Charts of calibration: valid Vega-Lite that holds the numbers of its results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kdcore.charts.figure import figure_bytes
from kdcore.charts.reliability import brier_chart, measure_chart, reliability_chart
from kdcore.charts.style import STUDENT, TEACHER
from kdcore.evaluate import Diagram, brier_parts, calibration_table, reliability_diagram
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions, subset

PREDICTIONS = make_predictions(150, seed=4)
PROBS = softmax(PREDICTIONS.logits)
COLOURS = {"T": TEACHER, "S": STUDENT}


def rows(chart: Any) -> list[dict[str, Any]]:
    """The longest table of a specification that is valid."""
    return max(chart.to_dict()["datasets"].values(), key=len)


def diagram(target: str, bins: int) -> Diagram:
    return reliability_diagram(PREDICTIONS, PROBS, target, bins, n_boot=20)


@pytest.mark.parametrize("target", ["", "mel"])
@pytest.mark.parametrize("bins", [5, 20])
def test_a_diagram_draws_the_bins_that_have_images(target: str, bins: int) -> None:
    found = diagram(target, bins)
    chart = reliability_chart(found, TEACHER)
    table = rows(chart)
    filled = found.bins.count > 0
    assert [r["images"] for r in table] == found.bins.count[filled].tolist()
    assert [r["happened"] for r in table] == pytest.approx(found.bins.accuracy[filled])
    heights = np.array([r["top"] - r["foot"] for r in table])
    np.testing.assert_allclose(
        heights / heights.max(), found.bins.count[filled] / max(found.bins.count)
    )
    assert max(r["top"] for r in table) < 0
    assert TEACHER in chart.to_json()
    assert ('"middle"' in chart.to_json()) is (bins <= 10)


def test_one_lesion_is_drawn_without_intervals() -> None:
    one = subset(make_predictions(20, groups=1), np.arange(20))
    table = rows(reliability_chart(reliability_diagram(one, softmax(one.logits)), STUDENT))
    assert {(r["low"], r["high"]) for r in table} == {(None, None)}
    assert sum(r["images"] for r in table) == 20


def test_a_measure_of_each_model_and_calibrator() -> None:
    whole = calibration_table(make_predictions(200, seed=1, split="val"), PREDICTIONS, n_boot=10)
    tables = {"T": whole, "S": whole[:1]}
    table = rows(measure_chart(tables, "nll", "NLL", COLOURS, 0.5))
    assert [r["value"] for r in table] == [row.nll.value for row in (*whole, whole[0])]
    assert table[1]["label"] == "temperature scaling"
    bare = rows(measure_chart(tables, "mce", "MCE", COLOURS))
    assert [r["value"] for r in bare] == [row.mce for row in (*whole, whole[0])]
    assert {r["low"] for r in bare} == {None}


def test_brier_parts() -> None:
    parts = {name: brier_parts(softmax(PREDICTIONS.logits, t), PREDICTIONS.labels)
             for name, t in (("T", 1.0), ("S", 3.0))}  # fmt: skip
    table = rows(brier_chart(parts, COLOURS))
    assert [r["total"] for r in table] == [p.total for p in parts.values()]
    assert f"{parts['S'].reliability:.3f}" in table[1]["text"]


def test_charts_become_files() -> None:
    parts = {"T": brier_parts(PROBS, PREDICTIONS.labels)}
    for chart in (reliability_chart(diagram("", 10), TEACHER), brier_chart(parts, COLOURS)):
        assert figure_bytes(chart, "svg", "note").startswith(b"<svg")
