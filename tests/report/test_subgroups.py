"""Tables of subgroups: a row a group, numbers as computed, "too small" where nothing is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kdcore.evaluate import Subgroups, subgroups
from kdcore.report import csv_text, gap_rows, subgroup_rows, subgroup_score_rows
from tests.evaluate.makers import make_predictions


@pytest.fixture(scope="module")
def found() -> Subgroups:
    predictions = make_predictions(400)
    values = np.array(["female"] * 180 + ["male"] * 200 + [""] * 20)
    return subgroups(replace(predictions, attributes={"sex": values}), "sex", n_boot=50)


def test_rows_to_read(found: Subgroups) -> None:
    head, *body = subgroup_rows(found)
    assert head[:4] == ["sex", "images", "lesions", "mel"]
    assert head[-2:] == ["recall (mel)", "AUC (mel)"]
    assert [row[:2] for row in body] == [["male", 200], ["female", 180], ["unknown", 20]]
    value = found.groups[0].scores["accuracy"].value
    assert body[0][4] == f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"
    assert set(body[2][4:]) == {"too small"}
    assert {len(row) for row in body} == {len(head)}


def test_gaps_are_signed_and_starred(found: Subgroups) -> None:
    score = found.groups[0].scores["accuracy"]
    for p, star in ((0.01, True), (0.2, False), (float("nan"), False)):
        changed = replace(found.groups[0], scores={**found.groups[0].scores})
        changed.scores["accuracy"] = replace(score, p_holm=p)  # type: ignore[index]
        _, row = gap_rows(replace(found, groups=(changed,)))
        text = str(row[2])
        assert text.endswith("*") == star
        assert float(text.split()[0]) == pytest.approx(score.gap.value, abs=5e-4)
        assert text.startswith("+") == (score.gap.value > 0)
    assert set(gap_rows(found)[-1][2:]) == {"too small"}


def test_rows_to_compute_with_hold_every_number(found: Subgroups) -> None:
    head, *body = subgroup_score_rows(found)
    assert len(body) == 3 * len(found.scores)
    first = dict(zip(head, body[0], strict=True))
    score = found.groups[0].scores["accuracy"]
    assert (first["value"], first["gap low"], first["p"]) == (
        score.value.value, score.gap.low, score.p
    )  # fmt: skip
    assert "fewer than 50" in str(dict(zip(head, body[-1], strict=True))["too small"])
    assert csv_text([head, *body]).count("\n") == 1 + len(body)


def test_without_resamples_there_are_no_brackets() -> None:
    predictions = make_predictions(300)
    values = np.array(["a"] * 150 + ["b"] * 150)
    one = subgroups(replace(predictions, attributes={"site": values}), "site", n_boot=0)
    cells = [row[4] for row in subgroup_rows(one)[1:]] + [row[2] for row in gap_rows(one)[1:]]
    assert not any("[" in str(cell) for cell in cells)
