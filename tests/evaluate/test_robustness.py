"""The robustness table against loops over images, scikit-learn, and what must hold of any grid."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score

from kdcore.base import DataError
from kdcore.evaluate.bootstrap import draw_groups, index_groups, mean_interval
from kdcore.evaluate.calibration import ece, nll
from kdcore.evaluate.robustness import MapCell, Robustness, corruption_of, robustness
from tests.evaluate.makers import CLASSES, make_predictions, subset

STACKS = ("clean", "jpeg-1", "jpeg-2", "hair-1")
TEMPERATURES = {"teacher": 1.3, "student": 0.8}


def make_grid(n: int = 150, **changes):
    def cell(model: str, stack: str):
        signal = {"teacher": 3.0, "student": 2.0}[model] - 0.7 * STACKS.index(stack)
        base = make_predictions(n, seed=5, **changes)  # the same labels and lesions in each cell
        noise = make_predictions(n, seed=7, signal=0).logits * (1 + STACKS.index(stack) / 4)
        logits = noise + signal * np.eye(7, dtype=np.float32)[base.labels]
        return dataclasses.replace(base, logits=logits, checkpoint=model, corruption=stack)

    return {model: {stack: cell(model, stack) for stack in STACKS} for model in TEMPERATURES}


@pytest.fixture(scope="module")
def grid():
    return make_grid()


@pytest.fixture(scope="module")
def found(grid):
    return robustness(grid, TEMPERATURES, "teacher", n_boot=60, seed=3)


def test_every_cell_is_what_other_libraries_say(grid, found):
    assert [(c.model, c.corruption) for c in found.cells] == [(m, s) for m in grid for s in STACKS]
    for cell in found.cells:
        own = grid[cell.model][cell.corruption]
        clean, teacher = grid[cell.model]["clean"], grid["teacher"][cell.corruption]
        temperature = TEMPERATURES[cell.model]
        answers = own.logits.argmax(1)
        error = 1 - balanced_accuracy_score(own.labels, answers)
        base = 1 - balanced_accuracy_score(clean.labels, clean.logits.argmax(1))
        theirs = 1 - balanced_accuracy_score(teacher.labels, teacher.logits.argmax(1))
        probs = softmax(own.logits.astype(float) / temperature, axis=1)
        expected = {
            "balanced_error": error,
            "nll": nll(own.logits, own.labels, temperature),
            "ece": ece(probs, own.labels),
            "agreement": np.mean(answers == teacher.logits.argmax(1)),
            "flips": np.mean(answers != clean.logits.argmax(1)),
            "to_clean": error - base,
            "to_teacher": error - theirs,
            "relative_to_clean": error / base,
            "relative_to_teacher": error / theirs,
        }
        assert {k: getattr(cell, k).value for k in expected} == pytest.approx(expected)


def test_intervals_are_those_of_whole_lesions_drawn_anew(grid, found):
    cell = next(c for c in found.cells if (c.model, c.corruption) == ("student", "jpeg-2"))
    own, clean = grid["student"]["jpeg-2"], grid["student"]["clean"]
    index, groups = index_groups(own.group_ids)
    errors, costs = [], []
    for counts in np.concatenate(list(draw_groups(groups, 60, 3))):
        rows = np.repeat(np.arange(len(own)), counts[index].astype(int))
        labels = own.labels[rows]
        both = [1 - balanced_accuracy_score(labels, p.logits.argmax(1)[rows]) for p in (own, clean)]
        errors.append(both[0])
        costs.append(both[0] - both[1])
    for interval, drawn in ((cell.balanced_error, errors), (cell.to_clean, costs)):
        assert (interval.low, interval.high) == pytest.approx(
            tuple(np.quantile(drawn, [0.025, 0.975]))
        )


def test_severities_and_corruptions_are_averaged_each_once(found):
    cells = {(c.model, c.corruption): c for c in found.cells}
    means = {(c.model, c.corruption): c for c in found.means}
    jpeg = np.mean([cells["student", f"jpeg-{s}"].balanced_error.value for s in (1, 2)])
    hair = cells["student", "hair-1"].balanced_error.value
    assert means["student", "jpeg"].balanced_error.value == pytest.approx(jpeg)
    assert means["student", "all"].balanced_error.value == pytest.approx((jpeg + hair) / 2)
    assert means["student", "clean"] == cells["student", "clean"]


def test_only_what_is_asked_for_is_summed(grid):
    found = robustness(grid, teacher="teacher", n_boot=0, summed=("hair",))
    means = {(c.model, c.corruption): c for c in found.means}
    for model in grid:
        assert means[model, "all"].nll.value == means[model, "hair"].nll.value
    assert "none" in found.interval_method and np.isnan(means["student", "all"].nll.low)


def test_a_model_is_its_own_equal(found):
    for cell in found.cells:
        if cell.corruption == "clean":
            assert cell.flips.value == 0 and cell.to_clean == dataclasses.replace(
                cell.to_clean, value=0.0, low=0.0, high=0.0
            )
        if cell.model == "teacher":
            assert cell.agreement.value == 1 and cell.to_teacher.high == 0


def test_without_a_teacher_nothing_is_compared_with_one(grid):
    cell = robustness({"student": grid["student"]}, n_boot=5).cells[1]
    assert np.isnan(
        [cell.agreement.value, cell.to_teacher.value, cell.relative_to_teacher.low]
    ).all()
    assert np.isfinite(cell.to_clean.value)


def test_edges():
    everything_right = make_grid(12)
    for cells in everything_right.values():
        for stack, p in cells.items():
            logits = 9 * np.eye(7, dtype=np.float32)[p.labels]
            cells[stack] = dataclasses.replace(p, logits=logits)
    cell = robustness(everything_right, teacher="teacher", n_boot=5).cells[-1]
    assert cell.balanced_error.value == 0 and np.isnan(cell.relative_to_clean.value)  # 0 / 0
    one = {"a": {"clean": subset(make_predictions(20), np.array([3]))}}
    single = robustness(one, n_boot=50)
    assert single.n_groups == 1 and np.isnan(single.cells[0].balanced_error.low)
    assert [c.corruption for c in single.means] == ["clean"]


def test_what_does_not_fit_is_refused(grid):
    lacking = {**grid, "student": {s: p for s, p in grid["student"].items() if s != "hair-1"}}
    other = {m: dict(cells) for m, cells in grid.items()}
    keep = np.arange(149)
    other["student"]["jpeg-1"] = subset(grid["student"]["jpeg-1"], keep)
    for bad, teacher, words in (
        ({}, "", "no model"),
        (grid, "nobody", "'nobody'"),
        (lacking, "", "same corruptions"),
        (other, "", "student on jpeg-1 was measured on other pictures"),
    ):
        with pytest.raises(DataError, match=words):
            robustness(bad, teacher=teacher, n_boot=0)
    with pytest.raises(ValueError, match="n_boot: expected 0 or more, got -1"):
        robustness(grid, n_boot=-1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": CLASSES[::-1]}, "other classes apart than teacher, or in another order"),
        ({"labels": np.zeros(150, np.int64)}, "other labels than teacher"),
        ({"group_ids": np.full(150, "one")}, "other lesions than teacher"),
    ],
)
def test_the_same_pictures_told_differently_are_refused(grid, changes, words):
    student = {s: dataclasses.replace(p, **changes) for s, p in grid["student"].items()}
    with pytest.raises(DataError, match=f"student on clean .*{words}"):
        robustness({**grid, "student": student}, teacher="teacher", n_boot=0)


def test_no_picture_is_refused(grid):
    nothing = {"clean": subset(grid["student"]["clean"], np.arange(0))}
    with pytest.raises(DataError, match="no picture"):
        robustness({"student": nothing}, n_boot=5)


def test_as_json_and_back(found):
    maps = (MapCell("student", "jpeg-1", mean_interval([0.5, 0.7], ["a", "b"]), 2),)
    with_maps = dataclasses.replace(found, maps=maps, map_method="grad-cam")
    text = json.dumps(with_maps.as_dict(), allow_nan=False)
    assert Robustness.from_dict(json.loads(text)).as_dict() == with_maps.as_dict()
    for bad in ({}, [], {**with_maps.as_dict(), "cells": [{"model": "x"}]}):
        with pytest.raises(DataError, match="robustness"):
            Robustness.from_dict(bad)


def test_models_with_other_weights_are_named(found):
    assert found.weights == {"teacher": "0" * 64, "student": "0" * 64}
    assert found.stale({}) == () and found.stale(found.weights) == ()
    assert found.stale({"student": "1" * 64, "another": "1" * 64}) == ("student",)
    older = {key: value for key, value in found.as_dict().items() if key != "weights"}
    assert Robustness.from_dict(older).stale({"student": "1" * 64}) == ()
    assert Robustness.from_dict(found.as_dict()).weights == found.weights


@pytest.mark.parametrize(
    ("stack", "name"),
    [
        ("clean", "clean"),
        ("jpeg-3", "jpeg"),
        ("edge_noise-1", "edge_noise"),
        ("a-1+b-2", "a-1+b-2"),
    ],
)
def test_the_name_without_the_severity(stack, name):
    assert corruption_of(stack) == name


def test_means_by_lesion():
    values, lesions = np.array([1.0, 3.0, np.nan, 8.0]), np.array(["a", "a", "b", "c"])
    found = mean_interval(values, lesions, n_boot=400)
    assert found.value == 4.0 and found.low == 2.0 and found.high == 8.0  # all of a, or all of c
    assert np.isnan(mean_interval([np.nan], ["a"]).value)
    alone = mean_interval([2.0, 4.0], ["a", "a"])
    assert alone.value == 3.0 and np.isnan(alone.low)
