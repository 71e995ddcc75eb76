"""Two pinned results: a difference only where it can be paired, and the reason where not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kdcore.report.pinned import (
    BY_IMAGES,
    BY_SEEDS,
    how_paired,
    pinned_rows,
    pinned_titles,
    why_unpaired,
)
from kdcore.report.published import published_results
from kdcore.report.results import SCORES, Result
from tests.report.test_results import result

MODEL = replace(result(1), origin="released", measured="one", data="HAM10000")
OTHER = replace(MODEL, key="other", measured="other", title="Other")
MEAN = replace(
    result(2), key="mean:s::kd:0, 1", origin="mean", sweep="s", measured="", data="HAM10000"
)
MEAN_2 = replace(MEAN, key="mean:s::full:0, 1")
PRINTED = published_results()[0]


@pytest.mark.parametrize(
    ("one", "other", "how", "why"),
    [
        (MODEL, OTHER, BY_IMAGES, ""),
        (MEAN, MEAN_2, BY_SEEDS, ""),
        (MODEL, MODEL, "", "one and the same"),
        (MODEL, PRINTED, "", "published"),
        (MODEL, replace(OTHER, data="CIFAR-10"), "", "different data"),
        (MODEL, replace(OTHER, part="val"), "", "different data"),
        (MODEL, MEAN, "", "neither"),
        (MEAN, replace(MEAN_2, sweep="t"), "", "neither"),
        (MEAN, replace(MEAN_2, key="mean:s:resnet18:full:0, 1"), "", "neither"),
    ],
)
def test_what_can_be_paired(one: Result, other: Result, how: str, why: str) -> None:
    assert how_paired(one, other) == how_paired(other, one) == how
    if not how:
        assert why in why_unpaired(one, other)


def test_both_stand_side_by_side() -> None:
    rows = pinned_rows(MODEL, PRINTED)
    by_name = {row[0]: row[1:] for row in rows[1:]}
    assert rows[0] == ["", MODEL.title, PRINTED.title]
    assert by_name["whose"] == ["released", "PUBLISHED, leaky split"]
    assert by_name["macro-F1"][1] == "0.834 [0.804, 0.861]"
    assert by_name["protocol"][0] == "" and "leaks" in str(by_name["protocol"][1])
    for name, title in SCORES.items():
        if title in by_name:
            assert bool(by_name[title][0]) == (name in MODEL.scores)
    heads = pinned_rows(MODEL, replace(MODEL, key="2", origin="run"))[0]
    assert len(set(heads)) == 3


def test_titles_that_are_alike_are_told_apart() -> None:
    assert pinned_titles(MODEL, OTHER) == (MODEL.title, OTHER.title)
    one, other = pinned_titles(MODEL, replace(MODEL, key="2", origin="run"))
    assert one == MODEL.title != other
