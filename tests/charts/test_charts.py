"""Charts: valid Vega-Lite, the right rows, the agreed colours."""

from __future__ import annotations

import json
import re

import altair as alt
import numpy as np
import pytest
from PIL import Image

from kdcore.base.words import probability_text
from kdcore.charts.data import class_count_chart
from kdcore.charts.explanation import deletion_chart
from kdcore.charts.overlay import blend, enlarge, mask_overlay
from kdcore.charts.probability import probability_view
from kdcore.charts.style import STUDENT, TEACHER
from kdcore.charts.temperature import (
    entropy_chart,
    gradient_chart,
    similarity_chart,
    softened_view,
)
from kdcore.losses.temperature import gradient_curve, softening

CLASSES = ("a", "b", "c")


def rows(chart: object) -> list[dict[str, object]]:
    spec = chart.to_dict()  # type: ignore[attr-defined]  # validates against the schema
    return max(spec["datasets"].values(), key=len)


def test_probability_chart_names_models_in_their_colours() -> None:
    probs = {"Teacher": np.array([0.7, 0.2, 0.1]), "Student": np.array([0.3, 0.3, 0.4])}
    view, table = probability_view(probs, CLASSES, ("A", "B", "C"), "T = 1", "b")
    assert table["class"].tolist()[:3] == ["a", "b ◂ true", "c"]
    assert table["label"][0] == "70 %"
    named = {"data": {"name": "rows"}, "datasets": {"rows": table.to_dict("records")}}
    assert len(rows(alt.LayerChart.from_dict(view | named))) == 6
    text = json.dumps(view)
    assert TEACHER in text
    assert STUDENT in text


@pytest.mark.parametrize(("value", "words"), [(0, "<1 %"), (0.42, "42 %"), (1, ">99 %")])
def test_probability_text(value: float, words: str) -> None:
    assert probability_text(value) == words


def test_temperature_charts() -> None:
    logits = np.array([[3.0, 1, 0], [0, 2, 1]])
    soft = {"Teacher": softening(logits, [1, 5]), "Student": softening(-logits, [1, 5])}
    assert len(softened_view(soft, 1, CLASSES)[1]) == 6
    assert len(rows(entropy_chart(soft, 4))) == 4
    assert len(rows(gradient_chart(gradient_curve(logits, -logits, [1, 5]), 4))) == 4
    matrix = np.array([[0.9, 0.1, 0], [np.nan] * 3, [0, 0.5, 0.5]])
    table = rows(similarity_chart(matrix, CLASSES))
    assert [r["share"] for r in table[3:6]] == [None] * 3


def test_counts_and_drops() -> None:
    counts = {"train": {"a": 5}, "test": {"b": 2}}
    assert sum(r["images"] for r in rows(class_count_chart(counts, CLASSES))) == 7
    drops = {"Teacher": (0.4, 0.1, 0.05), "Student": (0.2, 0.2, 0.1)}
    assert len(rows(deletion_chart(drops))) == 4


def test_pictures() -> None:
    white = Image.new("RGB", (40, 40), "white")
    assert enlarge(white, 100).size == (100, 100)
    assert enlarge(white, 20) is white
    half = blend(white, Image.new("RGB", (40, 40)), 0.5)
    assert half.getpixel((5, 5)) in {(127, 127, 127), (128, 128, 128)}
    shown = mask_overlay(white, np.array([[1, 0], [0, 0]]), 1.0)
    assert shown.getpixel((5, 5)) == (255, 255, 255)
    assert shown.getpixel((35, 35)) == (0, 0, 0)


def test_percentages_on_axes_are_written_as_in_sentences():
    from kdcore.charts.figure import figure_bytes

    drops = {"Teacher": (0.5, 0.1, 0.02), "Student": (0.4, 0.2, 0.03)}
    drawn = figure_bytes(deletion_chart(drops), "svg", "A note.").decode()
    assert ">10\xa0%<" in drawn
    assert not re.search(r"\d%<", drawn)
