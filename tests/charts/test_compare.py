"""Charts of the Compare page: the results' numbers, what is picked, and vector files."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from kdcore.charts.compare import class_dots, difference_dots, model_dots
from kdcore.charts.confusion import PICK, confusion_chart, quadrant_chart
from kdcore.charts.figure import figure_bytes
from kdcore.charts.style import STUDENT, TEACHER
from kdcore.evaluate import QUADRANTS, compare_pair, evaluate_predictions
from kdcore.evaluate.align import take
from tests.evaluate.makers import CLASSES
from tests.evaluate.test_pair import make_pair

COLOURS = {"big": TEACHER, "small": STUDENT}


@pytest.fixture(scope="module")
def pair():
    teacher, student = make_pair(n=120)
    keep = np.flatnonzero(teacher.labels != 3)  # a class without images
    return take(teacher, keep), take(student, keep)


@pytest.fixture(scope="module")
def found(pair):
    return {name: evaluate_predictions(p, n_boot=20) for name, p in zip(COLOURS, pair)}


@pytest.fixture(scope="module")
def comparison(pair):
    return compare_pair(*pair, n_boot=20).named("big", "small")


def rows(chart: Any) -> list[dict[str, Any]]:
    return max(chart.to_dict()["datasets"].values(), key=len)


def test_overall(found):
    chart = model_dots(found, "ece", COLOURS)
    big, small = rows(chart)
    assert (big["label"], small["label"]) == ("big", "small")
    assert big["value"] == found["big"].metrics["ece"].value
    assert small["high"] == found["small"].metrics["ece"].high
    spec = chart.to_dict()
    assert "lower is better" in str(spec)
    assert "yOffset" not in str(spec), "one dot a row stands in the middle of it"
    assert spec["height"] == 60 and spec["autosize"]["type"] == "fit-x"  # rows keep their height


def test_classes(found):
    chart = class_dots(found, "f1", COLOURS)
    assert len(rows(chart)) == 14
    assert rows(chart)[0]["label"] == f"akiec (n = {found['big'].per_class[0].support})"
    assert rows(chart)[3]["value"] is None, "not drawn"
    assert chart.to_dict()["height"] == 6 * 42  # a class without images has no row


def test_differences(comparison):
    chart = difference_dots(comparison, "recall", STUDENT)
    drawn = [row["value"] for row in rows(chart)]
    wanted = [row.scores["recall"].delta.value for row in comparison.per_class]
    assert drawn == [None if math.isnan(v) else v for v in wanted]
    assert STUDENT in str(chart.to_dict())
    assert "['Δ recall: small', 'less big']" in str(chart.to_dict())


def test_confusion(found):
    counts = found["big"].confusion
    chart = confusion_chart(counts, CLASSES, "True class", "Answer", ("mel", "nv"))
    drawn = rows(chart)
    assert [row["count"] for row in drawn] == counts.ravel().tolist()
    for start in range(0, 49, 7):
        total = sum(row["share"] for row in drawn[start : start + 7])
        assert total == pytest.approx(1 if counts[start // 7].sum() else 0)
    assert [(r["row"], r["column"]) for r in drawn if r["picked"]] == [("mel", "nv")]
    (param,) = chart.to_dict()["params"]
    assert (param["name"], param["select"]["fields"]) == (PICK, ["row", "column"])
    titled = confusion_chart(counts, CLASSES, "True class", "Answer of a model of a long title")
    assert "['Answer of a model of a', 'long title']" in str(titled.to_dict())


@pytest.mark.parametrize(("picked", "cells"), [(("", ""), 0), (("mel", ""), 7), (("", "nv"), 7)])
def test_a_row_or_a_column_is_framed(found, picked, cells):
    chart = confusion_chart(found["big"].confusion, CLASSES, "a", "b", picked)
    assert sum(row["picked"] for row in rows(chart)) == cells


def test_quadrants(comparison):
    chart = quadrant_chart(comparison, COLOURS, "same_mistake")
    drawn = rows(chart)
    assert [row["name"] for row in drawn] == list(QUADRANTS)
    assert [row["count"] for row in drawn] == [q.count for q in comparison.agreement.quadrants]
    assert [row["name"] for row in drawn if row["picked"]] == ["same_mistake"]
    assert [row["words"] for row in drawn][1:3] == ["only right:\nbig", "only right:\nsmall"]
    assert '"labelOverlap": false' in chart.to_json(), "no name is left out"
    scale = next(layer["encoding"]["color"]["scale"] for layer in chart.to_dict()["layer"]
                 if "scale" in layer["encoding"].get("color", {}))  # fmt: skip
    assert dict(zip(scale["domain"], scale["range"]))["student_only"] == STUDENT
    (param,) = chart.to_dict()["params"]
    assert (param["name"], param["select"]["fields"]) == (PICK, ["name"])


def test_they_become_vector_files(found, comparison):
    charts = (
        confusion_chart(found["big"].confusion, CLASSES, "a", "b"),
        quadrant_chart(comparison, COLOURS),
    )
    for chart in charts:
        assert figure_bytes(chart, "pdf", "n = 3").startswith(b"%PDF")
        assert b"n = 3" in figure_bytes(chart, "svg", "n = 3")
