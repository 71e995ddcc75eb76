"""Charts and tables of latency benchmarks: the record's numbers, colours, vector files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kdcore.charts.figure import figure_bytes
from kdcore.charts.latency import (
    distribution_chart,
    latency_colours,
    median_dots,
    part_bars,
    ratio_dots,
    thread_lines,
)
from kdcore.charts.style import STUDENT, TEACHER
from kdcore.report.latency import (
    METHOD,
    benchmark_title,
    compact_rows,
    compare_benchmarks,
    comparison_rows,
    fact_rows,
    first_speed_ups,
    over_threads,
    part_rows,
    settings,
    speed_up_sentence,
    speed_ups,
    timing_rows,
    whole_ways,
)
from kdcore.report.latex import latex_table
from tests.deploy.fakes import benchmark


@pytest.fixture(scope="module")
def found():
    return benchmark()


def rows(chart: Any) -> list[dict[str, Any]]:
    return max(chart.to_dict()["datasets"].values(), key=len)


def test_medians(found):
    drawn = rows(median_dots(found))
    assert [r["value"] for r in drawn] == [t.summary.p50 for t in found.timings]
    assert [r["high"] for r in drawn] == [t.summary.high for t in found.timings]
    assert latency_colours(found.timings) == {"Big": TEACHER, "Small": STUDENT}


def test_distribution(found):
    setting = next(iter(settings(found).values()))
    drawn = rows(distribution_chart(setting, latency_colours(found.timings)))
    for timing in setting:
        own = [r for r in drawn if r["series"] == timing.contender.title]
        times = np.asarray(timing.samples)
        assert own[-1]["share"] == 1 and own[-1]["ms"] == times.max()
        assert own[0]["ms"] == times.min()
        for row in own[::40]:
            assert row["share"] == pytest.approx((times <= row["ms"]).mean())


def test_threads(found):
    lines = over_threads(found, found.timings[0].contender)
    drawn = rows(thread_lines(lines, latency_colours(found.timings)))
    assert {(r["series"], r["x"]) for r in drawn} == {
        (m, k) for m in ("Big", "Small") for k in (1, 2)
    }
    one = replace(found, timings=found.timings[:1])
    assert over_threads(one, one.timings[0].contender) == []


def test_steps(found):
    drawn = rows(part_bars(whole_ways(found)))
    assert sum(r["share"] for r in drawn) == pytest.approx(2)
    assert {r["step"]: round(r["ms"], 6) for r in drawn[:4]} == {
        "decode": 2.0, "preprocess": 3.0, "network": 4.0, "softmax": 1.0,
    }  # fmt: skip
    head, *body = part_rows(found)
    assert head[-1] == "share" and sum(row[-1] for row in body) == pytest.approx(2)
    assert len(part_rows(replace(found, timings=found.timings[:2]))) == 1


def test_tables(found):
    head, *body = timing_rows(found)
    assert len(body) == len(found.timings) and {len(r) for r in body} == {len(head)}
    assert body[0][6].value == found.timings[0].summary.p50
    assert latex_table(timing_rows(found), METHOD).count(r"\\") >= len(body)
    assert "[" in compact_rows(found)[1][6]
    few = replace(found.timings[0], summary=replace(found.timings[0].summary, calls=99))
    assert compact_rows(replace(found, timings=(few,)))[1][8] == "too few calls"


def test_speed_ups(found):
    ratios = speed_ups(found)
    assert len(ratios) == 5 and ratios[0].times.value == pytest.approx(5, rel=0.05)
    assert ratios[0].times.low <= ratios[0].times.value <= ratios[0].times.high
    assert "times as fast as Big" in speed_up_sentence(ratios[0])
    turned = replace(ratios[0], one=ratios[0].other, other=ratios[0].one)
    assert "times as fast" in speed_up_sentence(turned)


def test_every_model_has_one_of_the_first_sentences(found):
    own = [
        replace(t, contender=replace(t.contender, model="tiny", title="Tiny"))
        for t in found.timings
        if t.contender.role == "student"
    ]
    ratios = first_speed_ups(replace(found, timings=(*found.timings, *own)), 4)
    assert [r.other.contender.title for r in ratios] == ["Small", "Tiny"] * 2
    assert ratios[0].other.contender.threads == ratios[1].other.contender.threads


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (1.1, 3, "is 2.0 [1.1, 3.0] times as fast"),
        (0.5, 0.9, "is slower than Big (2.0 [0.5, 0.9] times as fast): "),
        (0.9, 3, "** against **Big**: no difference shown (2.0 times as fast [0.9, 3.0]), "),
    ],
)
def test_the_sentence_follows_the_interval(found, low, high, words):
    ratio = speed_ups(found)[0]
    changed = replace(ratio, times=replace(ratio.times, value=2.0, low=low, high=high))
    assert words in speed_up_sentence(changed)


def test_no_ratio_without_intervals(found):
    ratio = speed_ups(found)[0]
    nan = float("nan")
    told = speed_up_sentence(replace(ratio, times=replace(ratio.times, low=nan, high=nan)))
    assert "too few calls" in told


def test_two_machines(found):
    slower = benchmark(seed=3, scale=2.0, machine={"processor": "Slow 1"})
    ratios = compare_benchmarks(slower, found)
    assert len(ratios) == len(found.timings)
    assert all(r.times.value == pytest.approx(2, rel=0.1) for r in ratios)
    assert all(r["value"] > 1 for r in rows(ratio_dots(ratios, "x")) if "series" in r)
    head, *body = comparison_rows(ratios, ("there", "here"))
    assert head[1:3] == ["there, p50 ms", "here, p50 ms"]
    assert {row[-1] for row in body} == {"the same"}
    facts = {row[0]: row[1:] for row in fact_rows({"there": slower, "here": found})}
    assert facts["processor"] == ["Slow 1", "Testing 9000"]
    assert facts["power"] == ["not told", "not told"] and facts["torch"] == ["2.0", "2.0"]
    assert compare_benchmarks(slower, replace(found, timings=())) == []


def test_titles(found):
    assert benchmark_title(found) == "2026-01-02 03:04 UTC · Testing 9000, 2 cores, 8 GB"
    assert benchmark_title(found, imported=True).endswith("imported")


def test_vector_files(found):
    for chart in (
        median_dots(found),
        part_bars(whole_ways(found)),
        ratio_dots(speed_ups(found), "x"),
    ):
        assert figure_bytes(chart, "svg", "note").startswith(b"<svg")
