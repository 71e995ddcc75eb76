"""The ablation's charts draw the sweep's own numbers."""

from __future__ import annotations

import pytest

from kdcore.charts.ablation import gain_dots, mean_dots
from kdcore.charts.figure import figure_bytes
from kdcore.evaluate import compare_methods
from kdcore.report.sweep_scores import method_title

FOUND = compare_methods(
    {
        "baseline": {0: 0.5, 1: 0.52, 2: 0.49},
        "kd": {0: 0.56, 1: 0.55, 2: 0.57},
        "mine": {0: 0.5, 1: 0.51, 2: 0.5},
    },
    ("baseline", "kd"),
)


def drawn(chart: object) -> list[dict]:
    tables = [t for t in chart.to_dict()["datasets"].values() if "label" in t[0]]  # type: ignore[attr-defined]
    return tables[0]


def test_means_with_their_deviation() -> None:
    rows = {row["label"]: row for row in drawn(mean_dots(FOUND, "macro-F1"))}
    assert set(rows) == {"no teacher", "KD", "mine"}
    for method in FOUND.methods:
        row = rows[method_title(method.method)]
        assert row["value"] == pytest.approx(method.mean.value)
        assert row["high"] - row["low"] == pytest.approx(2 * method.sd)


def test_gains_are_against_the_first_reference_only() -> None:
    rows = {row["label"]: row for row in drawn(gain_dots(FOUND, "macro-F1"))}
    assert set(rows) == {"KD", "mine"}
    comparison = FOUND.comparison("kd", "baseline")
    assert comparison is not None
    assert rows["KD"]["low"] == pytest.approx(comparison.difference.low)
    assert f"{comparison.p_holm:.3f}" in rows["KD"]["note"]


def test_they_can_be_saved_and_need_a_reference() -> None:
    assert figure_bytes(gain_dots(FOUND, "ECE"), "svg", "A note.").startswith(b"<svg")
    alone = compare_methods({"mine": {0: 0.5, 1: 0.6}})
    with pytest.raises(ValueError, match="reference"):
        gain_dots(alone, "macro-F1")
