"""Studies of heatmaps summed up: means by a loop, floors, and the answer on constructed cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kdcore.base import DataError
from kdcore.evaluate import QUADRANTS
from kdcore.evaluate.bootstrap import mean_interval
from kdcore.evaluate.explanations import (
    evaluate_explanations,
    floor_lifts,
    lowest_agreement,
)
from kdcore.evaluate.map_means import MIN_LESIONS, part_means, parts_of
from kdcore.evaluate.transfer import (
    MARGIN,
    NO,
    PARTLY,
    UNSURE,
    YES,
    baseline_record,
    differences,
    transfer,
)
from kdcore.predict.map_scores import AGREEMENT
from tests.evaluate.map_makers import make_baseline, make_scores


def test_means_are_those_of_the_bootstrap_by_lesion():
    record = make_scores()
    [found] = part_means(
        {"pearson": record.columns["pearson"]},
        {("all", ""): np.ones(len(record), bool)},
        record.group_ids,
        n_boot=200,
        seed=4,
    )
    expected = mean_interval(record.columns["pearson"], record.group_ids, 200, 4)
    assert found.mean.value == pytest.approx(expected.value)
    assert (found.mean.low, found.mean.high) == pytest.approx((expected.low, expected.high))
    assert (found.n, found.lesions) == (200, len(set(record.group_ids.tolist())))


def test_what_is_not_defined_is_left_out():
    values = np.array([1.0, np.nan, 3.0])
    parts = {("all", ""): np.ones(3, bool), ("class", "a"): np.array([False, True, False])}
    whole, one = part_means({"x": values}, parts, ["l", "l", "m"], n_boot=10)
    assert (whole.mean.value, whole.n, whole.lesions) == (2, 2, 2)
    assert np.isnan(one.mean.value) and one.n == 0 and np.isnan(one.p)


def test_parts_are_classes_and_quadrants_by_a_loop():
    record = make_scores(stacks=("jpeg-1",))
    parts = parts_of(record)
    assert parts["all", ""].sum() == 200
    for i in range(len(record)):
        clean = record.corruptions[i] == "clean"
        truth, teacher, own = record.labels[i], record.target[i], record.answer[i]
        if teacher == truth:
            name = "both_right" if own == truth else "teacher_only"
        elif own == truth:
            name = "student_only"
        else:
            name = "same_mistake" if own == teacher else "other_mistake"
        inside = {key for key, where in parts.items() if where[i]}
        expected = {("all", ""), ("class", record.classes[truth]), ("quadrant", name)}
        assert inside == (expected if clean else set())
    assert {name for scope, name in parts if scope == "quadrant"} <= set(QUADRANTS)
    teacher = replace(record, checkpoint="teacher")
    assert not any(scope == "quadrant" for scope, _ in parts_of(teacher))


def test_lifts_are_paired_differences_from_the_floors():
    record = make_scores()
    lifts = floor_lifts(record, n_boot=100)
    assert set(lifts) == {"mismatched", "mismatched_any", "centre", "uniform"}
    row = next(r for r in lifts["mismatched"] if r.metric == "ssim")
    paired = record.columns["ssim"] - record.columns["ssim_mismatched"]
    assert row.mean.value == pytest.approx(paired.mean(), abs=1e-6)
    assert row.mean.low > 0 and row.p < 0.05
    assert {r.metric for r in lifts["uniform"]} == {"deletion"}


def test_a_student_that_looks_as_its_teacher_is_said_to():
    alike = dict.fromkeys(AGREEMENT, np.ones(200, np.float32))
    student = make_scores()
    student = replace(student, columns={**student.columns, **alike}, answer=student.target)
    found = transfer(student, make_baseline(level=0.5))
    assert found.verdict == YES
    own = found.particular.mean
    assert own.low < own.value == pytest.approx(0.5, abs=0.02) and own.low > 0
    assert found.student_mean.mean.value == found.student_mean.mean.low == 1
    assert found.gain.mean.value == pytest.approx(0.5, abs=0.02)
    assert found.same_answers.n == int((make_baseline().answer == make_baseline().target).sum())


def test_a_student_that_looks_where_its_teacher_usually_looks_is_told_apart():
    """A gain that is as large beside the teacher's map of another image is not about the image."""
    baseline = make_baseline()
    student = replace(make_scores(), columns=dict(baseline.columns))
    own, floor = student.columns["pearson"] + np.float32(0.2), "pearson_mismatched"

    def answer(beside):
        columns = {**student.columns, "pearson": own, floor: np.float32(beside)}
        return transfer(replace(student, columns=columns), baseline)

    found = answer(student.columns[floor] + 0.2)
    assert found.gain.mean.low > 0 and found.same_answers.mean.low > 0
    assert found.particular.mean.value == pytest.approx(0, abs=1e-6)
    assert found.particular.n == found.same_answers.n
    assert found.verdict == PARTLY
    found = answer(student.columns[floor] + 0.1)
    assert found.verdict == YES and found.particular.mean.value == pytest.approx(0.1, abs=1e-6)
    wide = 0.2 + np.random.default_rng(1).normal(size=len(student)).astype(np.float32)
    found = answer(student.columns[floor] + wide)
    assert found.particular.mean.low < 0 < MARGIN < found.particular.mean.high
    assert found.verdict == UNSURE, "no evidence against it is no evidence"
    found = answer(np.full(len(student), np.nan))
    assert found.particular is None and found.verdict == YES
    assert found.as_dict()["particular"] is None


def test_unrelated_students_are_not():
    for seed in range(3):
        found = transfer(make_scores(seed=2 + seed), make_baseline())
        assert found.verdict == NO  # so many images leave out a gain of MARGIN
        assert abs(found.gain.mean.value) < MARGIN
    few = transfer(make_scores(n=60, noise=0.6), make_baseline(n=60, noise=0.6))
    assert few.verdict == UNSURE
    worse = transfer(make_scores(level=0.2), make_baseline(level=0.5))
    assert worse.verdict == NO and worse.gain.mean.high < 0


def test_a_gain_that_the_answers_explain_is_no_transfer():
    student, baseline = make_scores(seed=2), make_baseline()
    same = (student.answer == student.target) & (baseline.answer == student.target)
    lifted = {**student.columns, "pearson": student.columns["pearson"] + np.where(same, 0, 0.5)}
    found = transfer(
        replace(student, columns={k: np.float32(v) for k, v in lifted.items()}), baseline
    )
    assert found.gain.mean.low > 0
    assert found.verdict == NO


def test_too_few_lesions_or_no_interval_settle_nothing():
    n = MIN_LESIONS - 5
    found = transfer(make_scores(n=n, level=0.9), make_baseline(n=n, level=0.1))
    assert found.verdict == UNSURE and np.isnan(found.gain.p)
    assert transfer(make_scores(level=0.9), make_baseline(), n_boot=0).verdict == UNSURE
    student = make_scores()
    never = replace(student, answer=(student.target + 1) % 7)
    alone = transfer(never, make_baseline())
    assert alone.same_answers is None and alone.verdict == UNSURE


def test_differences_are_by_image_and_by_corruption():
    student, baseline = make_scores(stacks=("jpeg-1",)), make_baseline(stacks=("jpeg-1",))
    found = {(d.scope, d.name, d.metric): d for d in differences(student, baseline, n_boot=50)}
    gap = student.columns["iou"] - baseline.columns["iou"]
    assert found["all", "", "iou"].mean.value == pytest.approx(gap[:200].mean(), abs=1e-6)
    spoilt = found["corruption", "jpeg-1", "iou"]
    assert (spoilt.mean.value, spoilt.n) == (pytest.approx(gap[200:].mean(), abs=1e-6), 200)
    assert found["corruption", "clean", "iou"].n == 200
    assert ("corruption", "jpeg-1", "deletion") not in found
    with pytest.raises(DataError, match="different sample_ids"):
        differences(student, baseline.take(np.arange(399, -1, -1)))
    with pytest.raises(ValueError, match="measure"):
        transfer(student, baseline, "deletion")


def test_the_baseline_is_the_same_network_without_a_teacher():
    student, baseline = make_scores(), make_baseline()
    other = make_baseline(checkpoint="other", meta={"role": "baseline", "architecture": "resnet18"})
    assert baseline_record(student, [student, other, baseline]) is baseline
    assert baseline_record(student, [student, other]) is None
    assert baseline_record(baseline, [student, baseline]) is None


def test_a_baseline_that_teaches_the_maps_is_no_student_s_own():
    student, baseline = (make_scores(teacher="baseline"), make_baseline(teacher="baseline"))
    teacher = replace(baseline, columns={"deletion": baseline.columns["deletion"]})
    assert baseline_record(student, [teacher, student]) is None
    found = evaluate_explanations([teacher, student], n_boot=5)
    assert found.transfers == () and found.differences == {}


def test_the_least_agreement_comes_first():
    record = make_scores(stacks=("jpeg-1",))
    values = record.columns["pearson"].copy()
    values[[7, 30]], values[8], values[250] = (-1, -0.9), np.nan, -2
    found = lowest_agreement(
        replace(record, columns={**record.columns, "pearson": values}), count=3
    )
    assert found[:2].tolist() == [7, 30]
    assert 250 not in lowest_agreement(record, count=1000) and len(found) == 3


def test_a_study_of_all():
    records = [
        make_scores(
            seed=5, checkpoint="teacher", meta={"role": "teacher"},
            columns={"deletion": make_scores().columns["deletion"]},
        ),
        make_scores(),
        make_baseline(),
    ]  # fmt: skip
    found = evaluate_explanations(records, n_boot=50, cases=4)
    assert found.titles == {
        "teacher": "teacher", "student": "The student", "baseline": "The baseline",
    }  # fmt: skip
    assert [t.student for t in found.transfers] == ["student"]
    assert {r.metric for r in found.means["teacher"]} == {"deletion"}
    assert set(found.lowest) == {"student", "baseline"} and len(found.lowest["student"]) == 4
    assert found.corrupted["student"] == ()
    assert found.as_dict()["transfers"][0]["verdict"] == found.transfers[0].verdict
    assert "200" not in found.interval_method and "lesions" in found.interval_method


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"checkpoint": "student"}, "one model"),
        ({"teacher": "another"}, "differ in teacher"),
        ({"method": "score-cam"}, "differ in method"),
        ({"n": 100}, "different sample_ids"),
    ],
)
def test_other_studies_are_refused(changes, word):
    with pytest.raises(DataError, match=word):
        evaluate_explanations([make_scores(), make_baseline(**changes)], n_boot=0)
    with pytest.raises(DataError, match="no study"):
        evaluate_explanations([])
