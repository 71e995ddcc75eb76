"""The chart of trade-offs: its numbers are the points', colours are the roles', files are whole."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from kdcore.charts.figure import figure_bytes
from kdcore.charts.style import STUDENT, TEACHER
from kdcore.charts.tradeoff import tradeoff_chart
from kdcore.evaluate import Interval
from kdcore.report.tradeoff import front_of
from tests.report.tradeoffs import named, points


def spec(chart: Any) -> dict[str, Any]:
    return chart.to_dict()


def tables(chart: Any) -> list[list[dict[str, Any]]]:
    return sorted(spec(chart)["datasets"].values(), key=len)


def test_numbers_and_labels():
    found = points()
    rows = tables(tradeoff_chart(found, "macro_f1", "latency", "size"))[-1]
    assert len(rows) == 6
    for row in rows:
        p = next(p for p in found if p.full == row["full"])
        assert (row["x"], row["y"]) == (p.costs["latency"].value, p.quality.value)
        assert (row["y_low"], row["y_high"]) == (p.quality.low, p.quality.high)
        assert row["bubble"] == p.costs["size"].value and row["label"] == p.label
    big = [row["below"] for row in rows if row["title"] == "Big"]
    assert big == [False, True, False], "labels of neighbours stand apart"


def test_front_limit_and_ring():
    found = points()
    best = named(found, "small", "onnxruntime")
    chart = tradeoff_chart(found, "macro_f1", "latency", "size", 5.0, best)
    drawn = tables(chart)
    front = [(p.costs["latency"].value, p.quality.value)
             for p in front_of(found, "latency", "macro_f1")]  # fmt: skip
    assert [{"x": 5.0}] in drawn
    steps = next(rows for rows in drawn if [(r["x"], r.get("y")) for r in rows[:-1]] == front)
    assert steps[-1]["y"] == front[-1][1] and steps[-1]["x"] > front[-1][0], "to the edge"
    assert [{"x": best.costs["latency"].value, "y": best.quality.value}] in drawn
    assert [{"x": 5.0}] not in tables(tradeoff_chart(found, "macro_f1", "latency", "size"))


def test_colours_are_the_roles():
    text = str(spec(tradeoff_chart(points(), "macro_f1")))
    assert TEACHER in text and STUDENT in text
    own = {"Big": "#111111", "Small": "#222222"}
    assert "#111111" in str(spec(tradeoff_chart(points(), "macro_f1", colours=own)))


def test_the_direction_is_told():
    text = str(spec(tradeoff_chart(points("ece"), "ece", "macs")))
    assert "lower is better" in text and "further left is better" in text


def test_vector_files_even_of_one_and_of_none():
    found = points("mel")
    unknown = [replace(p, quality=Interval(math.nan, math.nan, math.nan)) for p in found]
    for shown in (found, found[:1], unknown):
        chart = tradeoff_chart(shown, "mel", "size", "macs", 10.0)
        assert figure_bytes(chart, "svg", "note").startswith(b"<svg")
