"""The verdict: the right map passes, maps that ignore the network fail, each check can fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kdcore.base import Cancelled
from kdcore.explain import check_map, judge, random_map
from kdcore.explain.baseline_maps import centre_map
from kdcore.explain.map_question import MapQuestion
from kdcore.explain.sensitivity import sensitivity
from kdcore.models import build_model
from tests.explain.quadrants import (
    Quadrants,
    answer,
    assert_unchanged,
    noise_picture,
    quadrant,
    state_of,
)

ONES = (1.0, 1.0, 1.0)
NAMES = ["insertion", "deletion", "steady", "shuffled", "other class", "energy"]


@pytest.fixture(scope="module")
def right():
    model, image = Quadrants(), noise_picture()
    before = state_of(model)
    question = MapQuestion(model, image, 2, answer)
    result = check_map(question, question.answer(), ONES, lesion=quadrant(2))
    assert_unchanged(model, before)
    return result


def failed(result):
    return [check.name for check in result.checks if not check.passed]


def test_the_right_map_passes_everything(right):
    assert [check.name for check in right.checks] == NAMES
    assert failed(right) == []
    assert right.verdict == "passes"
    assert right.summary.startswith("6 of 6 checks passed")
    assert right.left_out == ()
    assert all(value > 0.1 for value in right.lift.values())
    assert list(right.lift) == ["insertion", "deletion", "energy"]


@pytest.mark.parametrize(
    "ignorant",
    [
        lambda model, tensor, target: centre_map(tensor.shape[-2:]),
        lambda model, tensor, target: random_map(tensor.shape[-2:], 77),
        lambda model, tensor, target: np.ones(tensor.shape[-2:], np.float32),
        lambda model, tensor, target: np.zeros(tensor.shape[-2:], np.float32),
    ],
    ids=["centre", "random", "uniform", "zeros"],
)
def test_a_map_that_ignores_the_network_fails(ignorant):
    model, image = Quadrants(), noise_picture()
    question = MapQuestion(model, image, 2, ignorant)
    result = check_map(question, question.answer(), ONES)
    assert result.verdict == "fails"
    assert result.left_out[-1].startswith("The lesion was not compared")
    if np.ptp(question.answer()) == 0:
        assert [check.name for check in result.checks] == NAMES[:2]
        assert [told.split(":")[0] for told in result.left_out[:-1]] == ["The map is empty"]
        return
    assert {"shuffled", "other class"} <= set(failed(result))
    assert next(c for c in result.checks if c.name == "steady").passed
    assert [check.name for check in result.checks] == NAMES[:-1]
    assert len(result.left_out) == 1


def test_the_map_of_another_class_is_not_this_ones():
    model, image = Quadrants(), noise_picture()
    question = MapQuestion(model, image, 2, answer)
    wrong = check_map(question, answer(model, image, 1), ONES)
    assert {"insertion", "deletion"} <= set(failed(wrong))
    assert wrong.verdict == "fails"


@pytest.mark.parametrize("name", NAMES)
def test_each_check_turns_at_its_threshold(right, name):
    one = {check.name: check for check in right.checks}[name]
    better = -1 if name in ("deletion", "steady", "shuffled", "other class") else 1
    assert one.passed is ((one.value - one.threshold) * better > 0)
    worse = _spoiled(right, name, one.threshold - better * 1e-3)
    assert failed(worse) == [name]
    assert worse.verdict == ("fails" if name == "shuffled" else "mixed")
    assert failed(_spoiled(right, name, one.threshold + better * 1e-3)) == []


def _spoiled(trust, name, value):
    """Return the verdict with the number behind one check set to `value`."""
    faithful, places = dict(trust.faithfulness), dict(trust.localisation)
    steady, shuffled, classes = trust.sensitivity, trust.randomisation, trust.other_classes
    level = np.full(17, value)
    if name == "insertion":
        faithful["map"] = replace(faithful["map"], insertion=level)
    elif name == "deletion":
        faithful["map"] = replace(faithful["map"], deletion=level)
    elif name == "steady":
        steady = replace(steady, changes=np.array([0.0, value]))
    elif name == "shuffled":
        shuffled = replace(shuffled, spearman=value)
    elif name == "other class":
        classes = replace(
            classes, similarities=(replace(classes.similarities[0], spearman=value),) * 3
        )
    else:
        places["map"] = replace(places["map"], energy=value)
    return judge(faithful, places, steady, shuffled, classes)


def test_a_method_without_a_class_is_not_asked_for_one():
    torch.manual_seed(0)
    model = build_model("cnn2", 4).eval()
    image, seen = noise_picture(), []
    before = state_of(model)
    result = check_map(
        MapQuestion(model, image, 0, "attention"),
        random_map((32, 32)),
        ONES,
        lesion=np.zeros((32, 32), bool),  # the lesion lies outside of the square
        progress=lambda done, total: seen.append((done, total)),
    )
    assert result.other_classes is None
    assert [check.name for check in result.checks] == NAMES[:4]
    assert len(result.left_out) == 2
    assert "energy" not in result.lift
    assert seen == sorted(seen) and seen[-1] == (17, 17)
    assert_unchanged(model, before)


def test_the_same_seed_gives_the_same_numbers():
    question = MapQuestion(Quadrants(), noise_picture(), 1, answer)
    given = (question, question.answer(), ONES)
    first, again = (check_map(*given, lesion=quadrant(1), seed=4) for _ in range(2))
    assert first.checks == again.checks


@pytest.mark.parametrize("after", [0, 2, 8, 16, 18])
def test_it_can_be_cancelled_at_any_time(after):
    question, asked = MapQuestion(Quadrants(), noise_picture(), 1, answer), []

    def stop():
        asked.append(1)
        return len(asked) > after

    with pytest.raises(Cancelled):
        check_map(question, random_map((32, 32)), ONES, cancelled=stop)


def test_a_wrong_lesion_is_said_before_the_network_runs():
    def never(model, tensor, target):
        raise AssertionError("the map was asked for")

    question = MapQuestion(Quadrants(), noise_picture(), 1, never)
    with pytest.raises(ValueError, match="heatmap"):
        check_map(question, random_map((32, 32)), ONES, lesion=quadrant(1)[:16])


def test_an_empty_map_of_the_shuffled_network_tells_nothing(right):
    found = _spoiled(right, "shuffled", 0.0)
    assert [check.name for check in found.checks] == [n for n in NAMES if n != "shuffled"]
    assert found.left_out[0].startswith("Shuffled weights told nothing")
    assert found.verdict == "passes"


def test_empty_maps_of_the_other_classes_tell_nothing(right):
    found = _spoiled(right, "other class", 0.0)
    assert [check.name for check in found.checks] == [n for n in NAMES if n != "other class"]
    assert found.left_out[0].startswith("Other classes told nothing")


def test_an_empty_map_has_no_sensitivity():
    question = MapQuestion(Quadrants(), noise_picture(), 1, lambda *_: np.zeros((32, 32), "f4"))
    assert np.isnan(sensitivity(question, std=ONES).worst)
