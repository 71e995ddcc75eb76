"""What distillation brings: who is compared with whom, by how much, and which sweeps tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kdcore.base import results_folder
from kdcore.evaluate import compare_pair
from kdcore.models import Card, read_card
from kdcore.report.gains import gain_rows, sweeps_of, with_baselines
from kdcore.report.models import SCORES
from kdcore.report.pair import HEADLINE
from kdcore.report.sweep_scores import read_sweeps
from tests.conftest import REPO
from tests.evaluate.test_pair import make_pair

STUDENT = read_card(REPO / "checkpoints" / "resnet18-kd-at")
BASELINE = read_card(REPO / "checkpoints" / "resnet18-baseline")


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (BASELINE, [("s", "b")]),
        (replace(BASELINE, input_size=48), []),
        (replace(BASELINE, architecture="mobilenet_v2"), []),
        (replace(BASELINE, role="teacher"), []),
        (None, []),
    ],
)
def test_a_baseline_is_the_same_network_without_a_teacher(
    other: Card | None, named: list[tuple[str, str]]
) -> None:
    assert with_baselines({"s": STUDENT, "b": other, "nobody": None}) == named


def test_gains_are_the_student_less_the_baseline() -> None:
    found = compare_pair(*make_pair(n=90), n_boot=20).named("Alone", "Taught")
    head, row = gain_rows([found])
    assert row[:2] == ["Taught", "Alone"]
    for name in HEADLINE:
        delta = row[head.index(f"Δ {SCORES[name]}")]
        pair = found.metrics[name]
        assert delta == pair.delta
        assert delta.value == pytest.approx(pair.student.value - pair.teacher.value)


@pytest.mark.parametrize(
    ("card", "names"),
    [
        (STUDENT, [("ham10000-resnet18", "resnet18")]),
        (replace(STUDENT, input_size=48), [("ham10000-methods", "")]),
        (
            replace(STUDENT, architecture="mobilenet_v2", input_size=128),
            [("ham10000-students", "mobilenet_v2")],
        ),
        (replace(STUDENT, teachers={"another": "0" * 64}), []),
        (replace(STUDENT, recipe=STUDENT.recipe | {"split": "image-level (leaky)"}), []),
        (replace(STUDENT, recipe=STUDENT.recipe | {"split_seed": 1}), []),
        (replace(STUDENT, classes=("a", "b")), []),
    ],
)
def test_sweeps_are_of_the_same_network_input_teachers_data_and_split(
    card: Card, names: list[tuple[str, str]]
) -> None:
    sweeps, _ = read_sweeps([results_folder()])
    assert [(sweep.name, student) for sweep, student in sweeps_of(sweeps, card)] == names
    assert sweeps_of([replace(sweep, plan=None) for sweep in sweeps], card) == []
