"""Charts of training: valid Vega-Lite, every line named at its end, nothing drawn that is not."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from kdcore.charts import style
from kdcore.charts import training as charts
from kdcore.charts.lines import _spread, labelled_lines
from kdcore.distill import Recipe
from kdcore.distill.presets import weighted_parts

RECIPE = Recipe("r", "cnn2", teachers=("t",), alpha=0.25, beta=10.0)


def history(epochs: int, **more: float) -> list[dict[str, float]]:
    row = {"lr": 0.1, "train_loss": 2.0, "train_ce": 2.0, "train_kd": 1.0, "train_at": 0.05,
           "train_align": 0.0, "train_hint": 0.0, "val_macro_f1": 0.5,
           "val_balanced_accuracy": 0.51, "images_per_second": 90.0} | more  # fmt: skip
    return [{"epoch": e, **row} for e in range(1, epochs + 1)]


def layers(chart: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of the lines and those of the labels, from a specification that is valid."""
    spec = chart.to_dict()
    lines, labels = (spec["datasets"][layer["data"]["name"]] for layer in spec["layer"])
    return lines, labels


@pytest.mark.parametrize("epochs", [0, 1, 2, 40])
def test_each_chart_of_a_run(epochs: int) -> None:
    rows = history(epochs, val_agreement=0.6, val_attention=0.9)
    made = {
        "loss": charts.loss_chart(rows, weighted_parts(RECIPE, rows)),
        "score": charts.score_chart(rows),
        "rate": charts.rate_chart(rows),
        "throughput": charts.throughput_chart(rows),
    }
    lines = {"loss": 4, "score": 2, "rate": 1, "throughput": 1}
    for name, chart in made.items():
        drawn, labels = layers(chart)
        assert len(drawn) == epochs * lines[name]
        assert len(labels) == (lines[name] if epochs else 0)
    text = str([chart.to_dict() for chart in made.values()])
    assert style.TEACHER not in text
    assert style.STUDENT not in text


def test_agreement_needs_a_teacher() -> None:
    assert charts.agreement_chart(history(3)) is None
    chart = charts.agreement_chart(history(3, val_agreement=0.6))
    assert [label["text"] for label in layers(chart)[1]] == ["same answer"]


def test_a_loss_of_one_part_is_drawn_once() -> None:
    rows = history(3)
    alone = Recipe("r", "cnn2", role="baseline")
    assert {
        r["series"] for r in layers(charts.loss_chart(rows, weighted_parts(alone, rows)))[0]
    } == {"loss"}
    assert {r["series"] for r in layers(charts.loss_chart(rows, []))[0]} == {"loss"}


def test_the_parts_add_up_to_the_loss() -> None:
    rows = history(1)
    (part,) = weighted_parts(RECIPE, rows)
    assert part == pytest.approx({"ce": 0.5, "kd": 0.75, "at": 0.5})
    (moved,) = weighted_parts(RECIPE, [rows[0] | {"alpha": 1.0, "beta": 20.0}])
    assert moved == pytest.approx({"ce": 2.0, "at": 1.0})
    assert weighted_parts(None, rows) == []


def test_labels_do_not_overlap_and_long_names_are_cut() -> None:
    rows = [
        {"x": e, "series": f"a-run-with-a-very-long-name-{k}", "value": 0.5 + k / 1000}
        for k in range(6)
        for e in (1, 2)
    ]
    drawn, labels = layers(charts.comparison_chart(rows, "Validation macro-F1"))
    assert len(drawn) == 12
    places = sorted(label["place"] for label in labels)
    low, high = 0.5 - 0.005 * 0.06, 0.505 + 0.005 * 0.06
    assert min(b - a for a, b in pairwise(places)) >= 0.074 * (high - low)
    assert all(len(label["text"]) <= 20 for label in labels)
    assert len({label["text"] for label in labels}) == 6


def test_a_panel_for_each_model_with_all_others_behind() -> None:
    names = [f"Network {k} without a teacher, 128 px" for k in range(4)]
    rows = [
        {"x": e, "series": name, "value": 0.1 * k + 0.01 * abs(5 - e)}
        for k, name in enumerate(names)
        for e in range(1, 8)
    ]
    colours = dict.fromkeys([*names, "Never trained"], "#123456")
    spec = charts.history_panels(rows, "Validation macro-F1", colours).to_dict()
    assert len(spec["concat"]) == 4
    domains = set()
    for name, panel in zip(names, spec["concat"], strict=True):
        assert " ".join(panel["title"]["text"]).replace("\xa0", " ") == name
        others, own, best = (spec["datasets"][one["data"]["name"]] for one in panel["layer"])
        assert {row["series"] for row in others} == set(names)
        assert {row["series"] for row in own} == {name} and len(own) == 7
        assert [row["x"] for row in best] == [1]
        scales = [one["encoding"][axis]["scale"] for one in panel["layer"] for axis in "xy"]
        domains.add(str(scales))
    assert len(domains) == 1, "panels are read against each other"
    titles = [p["layer"][0]["encoding"]["x"].get("title") for p in spec["concat"]]
    assert titles == [None, "Epoch", "Epoch", "Epoch"], "below the last panel of each column"


def test_spread_keeps_the_order_and_the_domain() -> None:
    assert _spread([1.0, 5.0], 1.0, (0, 6)) == [1.0, 5.0]
    assert _spread([5.9, 5.95, 6.0], 1.0, (0, 6)) == [4.0, 5.0, 6.0]
    assert _spread([], 1.0, (0, 6)) == []


def test_a_long_history_is_thinned_to_its_last_epoch() -> None:
    drawn, labels = layers(labelled_lines(
        [{"x": e, "series": "s", "value": float(e)} for e in range(1, 5001)], "Value"
    ))  # fmt: skip
    assert len(drawn) <= 200
    assert max(row["x"] for row in drawn) == 5000
    assert labels[0]["x"] == 5000


def test_series_have_contrast_on_both_pages() -> None:
    for colour in style.SERIES:
        for page in ("#FFFFFF", "#10171D"):
            assert contrast(colour, page) >= 3


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio of two colours."""
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
