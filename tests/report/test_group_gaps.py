"""Gaps in words: who is named, what was adjusted, and that no gap is not equality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from kdcore.evaluate import GapDifference, Interval, Score, Subgroups, subgroups
from kdcore.report.cells import joined, percent_text, signed_text
from kdcore.report.group_gaps import (
    all_score_rows,
    difference_rows,
    difference_text,
    few_text,
    gap_text,
    gap_told_rows,
    subgroup_text,
)
from tests.evaluate.makers import make_predictions

NAN = float("nan")


@pytest.fixture(scope="module")
def found() -> Subgroups:
    values = np.array(["dark"] * 150 + ["middle"] * 130 + ["bright"] * 100 + [""] * 20)
    predictions = replace(make_predictions(400), attributes={"brightness": values})
    return subgroups(predictions, "brightness", n_boot=30)


def _with(found: Subgroups, gaps: Mapping[str, tuple[float, float, float, float]]) -> Subgroups:
    """Gaps of each group in accuracy and ECE: value, low, high and adjusted p."""
    groups = []
    for group in found.groups:
        value, low, high, p = gaps.get(group.name, (0.0, -0.1, 0.1, 1.0))
        few = "few" if group.name == "unknown" else ""
        gap = Interval(value, low, high)
        score = Score(Interval(0.8, 0.7, 0.9), gap, p, p, few, few)
        groups.append(replace(group, scores={"accuracy": score, "ece": score}))
    return replace(found, groups=tuple(groups))


def test_groups_apart_are_named_and_those_that_stay_so(found: Subgroups) -> None:
    gaps = {"dark": (-0.2, -0.3, -0.1, 0.01), "bright": (0.1, 0.01, 0.2, 0.2)}
    text = gap_text(_with(found, gaps), "accuracy")
    assert "dark (−0.200 [−0.300, −0.100]), bright (+0.100 [+0.010, +0.200])" in text
    assert "3 groups (Holm), p stays below 0.05 for dark." in text
    chance = {name: (*ends, 0.2) for name, (*ends, _) in gaps.items()}
    assert "none has p below 0.05" in gap_text(_with(found, chance), "accuracy")


def test_no_gap_and_nothing_to_tell(found: Subgroups) -> None:
    text = gap_text(_with(found, {}), "accuracy")
    assert "(3 groups large enough)" in text
    assert "does not show a difference, nor that there is none" in text
    unknown = replace(found, groups=found.groups[-1:])
    assert "No group is large enough" in gap_text(unknown, "accuracy")
    odd = {"unknown": (-0.5, -0.6, -0.4, NAN)}
    assert "unknown" not in gap_text(_with(found, odd), "accuracy")


def test_the_ece_is_said_not_to_be_adjusted(found: Subgroups) -> None:
    text = gap_text(_with(found, {"dark": (0.1, 0.05, 0.2, NAN)}), "ece")
    assert "dark (+0.100" in text
    assert "has no p value" in text


def test_a_class_of_few_images_in_a_group_is_named(found: Subgroups) -> None:
    support = {"akiec": 1, "df": 9, "mel": 10, "nv": 80, "vasc": 0}
    first, *rest = found.groups
    groups = (
        replace(first, name="abdomen", support=support),
        *(replace(g, support={"nv": 99, "df": 3 if g.name == "unknown" else 50}) for g in rest),
    )
    changed = replace(found, groups=groups)
    for score in ("macro_f1", "balanced_accuracy"):
        text = few_text(changed, score)
        assert text.endswith("by much: **abdomen** (akiec 1, df 9).")  # unknown is told nothing of
    assert few_text(changed, "accuracy") == ""
    assert few_text(replace(found, groups=groups[1:]), "macro_f1") == ""


def test_differences_of_gaps_as_rows_and_in_words() -> None:
    def made(name: str, p: float, small: str = "") -> GapDifference:
        return GapDifference(name, 0.1, -0.1, Interval(-0.2, -0.3, -0.1), p, p, small)

    few = made("unknown", NAN, "3 lesions, fewer than 50")
    both = [made("dark", 0.01), made("bright", 0.2), few]
    assert difference_text(both) == (
        "The gap differs for dark (−0.200 [−0.300, −0.100]) (of 2 groups large enough, p adjusted "
        "by Holm)."
    )
    assert difference_text(both[1:]).startswith("No group's gap is shown to differ")
    assert difference_text([few]) == "No group is large enough to compare the gaps of the two."
    head, *body = difference_rows(both, "light", ("A", "B"), shown=True)
    assert head[:4] == ["light", "gap of A", "gap of B", "difference of the gaps"]
    assert body[0] == ["dark", "+0.100", "−0.100", "−0.200 [−0.300, −0.100]", "0.010"]
    assert body[2][3:] == ["too small", "n/a"]
    plain = difference_rows(both, "light", ("A", "B"))
    assert plain[1][1:4] == [0.1, -0.1, both[0].difference]


def test_rows_of_several_models(found: Subgroups) -> None:
    both = {"A": found, "B": found}
    head, *body = gap_told_rows(both, "macro_f1")
    assert head[:5] == ["model", "brightness", "images", "lesions", "macro-F1"]
    assert [row[:2] for row in body] == [[m, g.name] for m in "AB" for g in found.groups]
    assert [row[5] == "too small" for row in body] == [False, False, False, True] * 2
    assert body[0][5] == signed_text(found.groups[0].scores["macro_f1"].gap)
    everything = all_score_rows(both)
    assert len(everything) == 1 + 2 * 4 * len(found.scores)
    assert {len(row) for row in everything} == {len(everything[0])}


def test_text_has_a_table_for_each_score(found: Subgroups) -> None:
    head, *tables, end = subgroup_text(found).split("\n\n")
    assert head == "By brightness, test part, 400 images of 280 lesions"
    assert end == f"Intervals: {found.interval_method}."
    assert len(tables) == len(found.scores)
    for score, table in zip(found.scores, tables, strict=True):
        _, *rows = gap_told_rows({"": found}, score)
        lines = table.splitlines()[1:]
        for line, row in zip(lines, rows, strict=True):
            assert line.split() == " ".join(map(str, row[1:])).split()
    without = subgroups(
        replace(make_predictions(300), attributes={"site": np.tile(["a", "b"], 150)}),
        "site",
        n_boot=0,
    )
    assert "[" not in subgroup_text(without)


@pytest.mark.parametrize(
    ("interval", "signed", "percent"),
    [
        (Interval(0.1, 0.05, 0.2), "+0.100 [+0.050, +0.200]", "10 % [5, 20]"),
        (Interval(0.5, NAN, NAN), "+0.500", "50 %"),
        (Interval(NAN, NAN, NAN), "n/a", "n/a"),
    ],
)
def test_intervals_as_texts(interval: Interval, signed: str, percent: str) -> None:
    assert signed_text(interval) == signed
    assert percent_text(interval) == percent


def test_a_difference_that_rounds_to_nothing_has_no_sign() -> None:
    assert signed_text(Interval(-0.0001, -0.1, 0.0001)) == "0.000 [−0.100, 0.000]"


def test_tables_of_one_head_are_joined_and_others_refused() -> None:
    one, other = [["a"], [1]], [["b"], [2]]
    assert joined({"x": one, "y": one}, "model") == [["model", "a"], ["x", 1], ["y", 1]]
    for tables in ({}, {"x": one, "y": other}):
        with pytest.raises(ValueError, match="tables"):
            joined(tables, "model")
