"""The table of subgroups: numbers as computed, and why nothing is said where nothing is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kdcore.evaluate import Subgroups, subgroups
from kdcore.report.cells import csv_text
from kdcore.report.subgroups import subgroup_score_rows
from tests.evaluate.makers import make_predictions


@pytest.fixture(scope="module")
def found() -> Subgroups:
    predictions = make_predictions(400)
    values = np.array(["female"] * 180 + ["male"] * 200 + [""] * 20)
    return subgroups(replace(predictions, attributes={"sex": values}), "sex", n_boot=50)


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
