"""Floors of agreement: means of the record, the right study, none where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from kdcore.evaluate.agreement_floors import agreement_floors
from kdcore.predict.map_scores import AGREEMENT
from tests.evaluate.map_makers import make_baseline, make_scores

TEACHER, STUDENT = "a" * 64, "b" * 64


def study(split="test", **changes):
    teacher = make_scores(checkpoint="teacher", checkpoint_hash=TEACHER, split=split)
    return [teacher, make_scores(checkpoint_hash=STUDENT, split=split, **changes),
            make_baseline(split=split)]  # fmt: skip


def test_floors_are_means_over_clean_images():
    records = study(stacks=("jpeg-3",))
    found = agreement_floors([records], TEACHER, STUDENT, "grad-cam")
    clean = records[1].take(records[1].corruptions == "clean")
    for measure in AGREEMENT:
        mean = np.mean(clean.columns[measure], dtype=np.float64)
        floor = np.mean(clean.columns[f"{measure}_mismatched_any"], dtype=np.float64)
        alone = np.mean(records[2].columns[measure], dtype=np.float64)
        assert found.student[measure] == pytest.approx(mean)
        assert found.unrelated[measure] == pytest.approx(floor)
        assert found.baseline[measure] == pytest.approx(alone)
    assert (found.n, found.baseline_title) == (200, "The baseline")


def test_the_study_of_test_images_is_preferred():
    found = agreement_floors([study("val"), study("test")], TEACHER, STUDENT, "grad-cam")
    assert found.split == "test"
    assert agreement_floors([study("val")], TEACHER, STUDENT, "grad-cam").split == "val"


@pytest.mark.parametrize(
    "asked",
    [
        ("c" * 64, STUDENT, "grad-cam"),
        (TEACHER, "c" * 64, "grad-cam"),
        (TEACHER, STUDENT, "score-cam"),
        (TEACHER, TEACHER, "grad-cam"),
    ],
)
def test_other_weights_and_methods_have_none(asked):
    assert agreement_floors([study()], *asked) is None


def test_without_a_baseline_it_says_nothing_of_one():
    found = agreement_floors([study()[:2]], TEACHER, STUDENT, "grad-cam")
    assert found.baseline == {} and found.baseline_title == ""
    assert agreement_floors([], TEACHER, STUDENT, "grad-cam") is None
