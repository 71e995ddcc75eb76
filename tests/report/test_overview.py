"""What is said of checkpoints follows from their cards, and gains from the sweeps that match."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from kdcore.base import results_folder
from kdcore.data import HAM10000
from kdcore.models import Card
from kdcore.report.overview import gain_texts, overview_texts
from kdcore.report.sweep_scores import SeedScores, SweepScores, read_sweeps

SWEEPS = {sweep.name: sweep for sweep in read_sweeps([results_folder()])[0]}
STUDENTS = SWEEPS["ham10000-students"]
MEAN = STD = (0.5, 0.5, 0.5)


def card(name: str, role: str, network: str, score: float | None = None, *teachers: str) -> Card:
    metrics = {} if score is None else {"val": {"macro_f1": {"value": score}}}
    made = Card(name, role, network, HAM10000.classes, 128, MEAN, STD, name.title())
    recipe = {"split": "lesion-grouped"}
    return replace(made, metrics=metrics, recipe=recipe, teachers=dict.fromkeys(teachers, "0" * 64))


BIG = card("big", "teacher", "resnet50", 0.6)
SMALL = card("small", "student", "mobilenet_v2", 0.5, "big")
TAUGHT = card("taught", "student", "mobilenet_v2", None, "mobilenet_v2-teacher-144")


def test_the_best_by_validation_and_its_teacher() -> None:
    (said,) = overview_texts([SMALL, BIG])
    assert said == "Highest macro-F1 on validation: **Big**, a teacher, with 0.60."
    better = replace(SMALL, metrics={"val": {"macro_f1": {"value": 0.7}}})
    (said,) = overview_texts([BIG, better])
    assert said.endswith("**Small**, a student, with 0.70; its teacher **Big** has 0.60.")
    both = {"val": {"macro_f1": {"value": 0.7}}, "test": {"macro_f1": {"value": 0.65}}}
    (said,) = overview_texts([BIG, replace(better, metrics=both)])
    assert said.endswith("with 0.70, and 0.65 on test; its teacher **Big** has 0.60.")
    assert overview_texts([replace(BIG, metrics={}), replace(SMALL, metrics={})]) == []
    assert overview_texts([]) == []


def test_a_student_no_smaller_than_its_teachers() -> None:
    pair = [card("a", "teacher", "mobilenet_v2"), card("b", "teacher", "mobilenet_v2")]
    of_one = card("one", "student", "resnet18", None, "a")
    of_two = card("two", "student", "mobilenet_v2", None, "a", "b")
    (said,) = overview_texts([*pair, of_one, of_two])
    assert said.startswith("No smaller than what taught it, by parameters: **One** (11.2 million;")
    assert said.endswith("its teacher 2.2 million).")
    assert "Two" not in said  # smaller than both together
    assert overview_texts([of_one, card("b", "teacher", "resnet50")])[0].startswith("No model")


def test_teachers_of_no_student() -> None:
    other = card("other", "teacher", "resnet18", None, "big")
    assert overview_texts([SMALL, other, replace(BIG, metrics={})]) == [
        "No model here was taught by **Other**."
    ]
    assert overview_texts([other])[-1] == "No model here was taught by **Other**."


def test_the_gain_is_the_paired_t_interval_of_the_seeds() -> None:
    (said,) = gain_texts([TAUGHT], SWEEPS.values())
    by = {(r.method, r.seed): r.scores["macro_f1"] for r in STUDENTS.runs}
    gains = np.array([by["kd-at", s] - by["baseline", s] for s in (0, 1, 2)])
    low, high = stats.t.interval(0.95, 2, gains.mean(), stats.sem(gains))
    signed = [f"{v:+.3f}".replace("-", "−") for v in (gains.mean(), low, high)]
    title = f"**{STUDENTS.title}**, KD + attention transfer"
    assert f"{title}: {signed[0]} [{signed[1]}, {signed[2]}]" in said
    assert ("a difference is not shown by 3 seeds" in said) == (low <= 0 <= high)


@pytest.mark.parametrize(
    "other",
    [
        replace(TAUGHT, role="baseline"),
        replace(TAUGHT, architecture="resnet18"),
        replace(TAUGHT, input_size=96),
        replace(TAUGHT, classes=tuple("abcdefg")),
        replace(TAUGHT, teachers={}),
        replace(TAUGHT, recipe={"split": "image-level (leaky)"}),
        SMALL,
    ],
)
def test_another_student_has_no_sweep(other: Card) -> None:
    assert gain_texts([other], [STUDENTS]) == []


@pytest.mark.parametrize(("sign", "word"), [(1, "better"), (-1, "worse")])
def test_a_gain_and_a_loss_are_said(sign: int, word: str) -> None:
    def scored(method: str, seed: int) -> dict[str, float]:
        gain = 0.1 * sign + 0.001 * seed if method == "kd-at" else 0.0
        return {"macro_f1": 0.5 + gain}

    runs = tuple(replace(r, scores=scored(r.method, r.seed)) for r in STUDENTS.runs)
    (said,) = gain_texts([TAUGHT], [replace(STUDENTS, runs=runs)])
    assert f"{word} with a teacher" in said


def test_sweeps_that_cannot_tell() -> None:
    def kept(keep: Callable[[SeedScores], bool]) -> SweepScores:
        return replace(STUDENTS, runs=tuple(filter(keep, STUDENTS.runs)))

    assert gain_texts([TAUGHT], [replace(STUDENTS, plan=None)]) == []
    assert gain_texts([TAUGHT], [kept(lambda r: r.seed == 0)]) == []
    assert gain_texts([TAUGHT], [kept(lambda r: r.method == "kd-at")]) == []
