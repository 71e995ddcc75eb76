"""A card's figures against recomputed ones: each number counts, words do not."""

from __future__ import annotations

import math

import pytest

from kdcore.evaluate import compare_figures

CARD = {
    "split": "test",
    "n": 40,
    "ece": {"value": 0.25, "low": None, "high": 0.5},
    "per_class": [{"class": "mel", "f1": 0.5}, {"class": "nv", "f1": 0.75}],
    "confusion": [[3, 1], [0, 36]],
}


def _with(**changes):
    return {**CARD, **changes}


def test_the_same():
    found = compare_figures(CARD, _with(split="other words", more=1))
    assert (found.figures, found.largest, found.figure, found.same) == (10, 0.0, "", True)


@pytest.mark.parametrize(
    ("changes", "largest", "figure"),
    [
        ({"n": 41}, 1, "n"),
        ({"ece": {"value": 0.25 + 2e-6, "low": None, "high": 0.5}}, 2e-6, "ece.value"),
        ({"ece": {"value": 0.25, "low": 0.1, "high": 0.5}}, math.inf, "ece.low"),
        ({"ece": {"value": math.nan, "low": None, "high": 0.5}}, math.inf, "ece.value"),
        ({"ece": 0.25}, math.inf, "ece.value"),
        ({"per_class": CARD["per_class"][:1]}, math.inf, "per_class.0.f1"),
        ({"per_class": [{"f1": 0.5}, {"f1": 0.5}]}, 0.25, "per_class.1.f1"),
        ({"confusion": [[3, 1], [1, 35]]}, 1, "confusion.1.0"),
    ],
)
def test_what_differs_is_found(changes, largest, figure):
    found = compare_figures(CARD, _with(**changes))
    assert found.largest == pytest.approx(largest) and found.figure == figure
    assert not found.same


def test_rounding_is_allowed():
    assert compare_figures({"nll": 0.5}, {"nll": 0.5 + 5e-7}).same


@pytest.mark.parametrize(("card", "figures"), [({"split": "test"}, 0), ({}, 0), (3, 1)])
def test_a_card_without_figures_is_not_given_again(card, figures):
    found = compare_figures(card, CARD)
    assert found.figures == figures and not found.same
