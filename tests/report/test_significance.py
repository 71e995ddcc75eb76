"""A sweep's tables hold the numbers of the comparison; captions say what those are."""

from __future__ import annotations

import csv
import io
import math

import pytest

from kdcore.evaluate import compare_methods
from kdcore.report.significance import (
    SweepTable,
    significance_caption,
    significance_csv,
    significance_latex,
    significance_markdown,
    significance_text,
)

SEEDS = 5
VALUES = {
    "baseline": (0.500, 0.510, 0.490, 0.505, 0.495),
    "kd": (0.520, 0.533, 0.509, 0.527, 0.512),
    "kd_at": (0.503, 0.520, 0.470, 0.525, 0.496),
}


def make_table(values=VALUES, metric="macro_f1", **changes):
    by_seed = {m: dict(enumerate(v)) for m, v in values.items()}
    result = compare_methods(by_seed, higher_is_better=metric != "nll")
    fields = {"result": result, "metric": metric, "split": "test", "n_images": 1349}
    return SweepTable(**fields | changes)


def test_text_has_the_numbers():
    table = make_table(student="resnet18")
    text = significance_text([table])
    c = table.result.comparison("kd", "baseline")
    row = next(line for line in text.splitlines() if line.startswith("kd "))
    for part in (
        "0.520 ± 0.010",
        f"+{c.difference.value:.3f} [+{c.difference.low:.3f}, +{c.difference.high:.3f}]",
        "<0.001" if c.p_holm < 0.001 else f"{c.p_holm:.3f}",
        "0.062*",
        f"+{c.d_z:.2f}",
        "5/0/0",
    ):
        assert part in row
    worse = table.result.comparison("kd_at", "kd").difference.value
    assert f"−{-worse:.3f}" in text
    assert "nan" not in text


def test_the_caption_says_what_was_measured_and_how():
    caption = significance_caption(make_table(student="resnet18", note="Calibrated."))
    for part in (
        "Test macro-F1 of resnet18, n = 1,349 images, seeds 0, 1, 2, 3, 4; higher is better",
        "Calibrated.",
        "paired t-test, two-sided, Holm-adjusted over the comparisons (2 with baseline)",
        "signed-rank test, two-sided, not adjusted; * marks the least it can be (0.0625)",
        "not of other images",
    ):
        assert part in caption
    single = {m: VALUES[m] for m in ("baseline", "kd")}
    assert "t-test, two-sided, not adjusted." in significance_caption(make_table(single))
    alone = significance_caption(make_table({"kd": (0.5,)}))
    assert "t-test" not in alone
    assert "lower is better" in significance_caption(make_table(metric="nll"))
    assert "Validation macro-F1, n" in significance_caption(make_table(split="val"))


def test_a_caption_that_two_tables_share_stands_once():
    text = significance_text([make_table(), make_table(metric="accuracy")])
    assert text.count("signed-rank") == 1
    assert text.count("mean ± sd") == 2
    assert significance_markdown([make_table(), make_table()]).count("signed-rank") == 2


def test_csv_reads_back():
    tables = [make_table(), make_table(split="val", student="a,b")]
    rows = list(csv.DictReader(io.StringIO(significance_csv(tables))))
    assert [(r["method"], r["reference"]) for r in rows[:4]] == [
        *(("baseline", ""), ("kd", "baseline")),
        *(("kd_at", "baseline"), ("kd_at", "kd")),
    ]
    c = tables[0].result.comparison("kd_at", "kd")
    assert float(rows[3]["p_t"]) == c.p_t
    assert float(rows[3]["p_t_holm"]) == c.p_holm
    assert float(rows[3]["difference_low"]) == c.difference.low
    assert rows[3]["seeds"] == "0 1 2 3 4"
    assert rows[0]["p_t"] == ""
    assert rows[4]["student"] == "a,b"


def test_latex_is_balanced_and_escaped():
    text = significance_latex(make_table())
    assert text.startswith(r"\begin{tabular}{lllllllllllll}")
    assert r"kd\_at & 5 & 0.503 $\pm$ 0.022" in text
    assert r"$\Delta$ to baseline [95 \%]" in text
    assert text.count("{") == text.count("}")
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {row.count(" & ") for row in rows} == {12}
    assert r"% \caption{Test macro-F1" in text
    assert text.isascii()


def test_markdown_is_a_table():
    lines = significance_markdown([make_table()]).splitlines()
    assert lines[0] == "## Test macro-F1, n = 1,349 images"
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + len(VALUES)
    assert {line.count("|") for line in table} == {14}


@pytest.mark.parametrize(
    "values", [{"baseline": (0.5,), "kd": (0.6,)}, {"baseline": (0.5, 0.5), "kd": (0.6, 0.6)}]
)
def test_what_is_not_defined(values):
    table = make_table(values)
    text = significance_text([table])
    assert "+0.100  " in text
    assert "n/a" in text
    assert "nan" not in text + significance_csv([table]) + significance_latex(table)


def test_a_method_without_a_value():
    table = make_table({"baseline": (0.5, 0.6), "broken": (math.nan, math.nan)})
    row = next(x for x in significance_text([table]).splitlines() if x.startswith("broken"))
    assert row.split()[1:3] == ["0", "n/a"]
