"""Two sets of predictions are brought into one order, or refused with what differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kdcore.base import DataError
from kdcore.evaluate import align, align_all
from kdcore.evaluate.align import take
from tests.evaluate.makers import CLASSES, make_predictions


@pytest.fixture(scope="module")
def teacher():
    return make_predictions(n=50, seed=1, checkpoint="big", checkpoint_hash="1" * 64)


@pytest.fixture(scope="module")
def student(teacher):
    logits = make_predictions(n=50, seed=2).logits
    return replace(teacher, logits=logits, checkpoint="small", checkpoint_hash="2" * 64)


def test_the_second_takes_the_order_of_the_first(teacher, student):
    order = np.random.default_rng(0).permutation(50)
    one, other = align(teacher, take(student, order))
    for name in ("sample_ids", "labels", "group_ids"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    assert np.array_equal(one.logits, teacher.logits)
    assert np.array_equal(other.logits, student.logits)
    assert (one.checkpoint, other.checkpoint_hash) == ("big", "2" * 64)


def test_attributes_go_with_their_images(teacher, student):
    known = {"number": np.array([str(i) for i in range(50)])}
    order = np.random.default_rng(0).permutation(50)
    shuffled = take(replace(student, attributes=known), order)
    assert shuffled.attributes["number"].tolist() == [str(i) for i in order]
    _, other = align(take(teacher, range(40)), shuffled, common=True)
    assert other.attributes["number"].tolist() == [str(i) for i in range(40)]


def test_images_of_one_only_are_told_by_count_and_first_id(teacher, student):
    with pytest.raises(DataError) as raised:
        align(take(teacher, range(5, 50)), take(student, range(48)))
    told = str(raised.value)
    assert "big has 2 that small lacks (first image 48)" in told
    assert "small has 5 that big lacks (first image 0)" in told
    with pytest.raises(DataError, match="small has 1 that big lacks") as raised:
        align(take(teacher, range(49)), student)
    assert "big has" not in str(raised.value)


def test_the_common_images_are_those_of_both(teacher, student):
    one, other = align(take(teacher, range(5, 50)), take(student, range(48)), common=True)
    assert (
        one.sample_ids.tolist() == other.sample_ids.tolist() == [f"image {i}" for i in range(5, 48)]
    )
    assert np.array_equal(other.logits, student.logits[5:48])


@pytest.mark.parametrize("common", [False, True])
def test_at_least_one_image_is_common(teacher, student, common):
    with pytest.raises(DataError, match="no image in common"):
        align(take(teacher, range(10)), take(student, range(10, 20)), common)
    with pytest.raises(DataError, match="no image in common"):
        align(take(teacher, []), take(student, []), common)


def test_other_labels_lesions_and_classes_are_refused(teacher, student):
    labels = teacher.labels.copy()
    labels[7] = (labels[7] + 1) % 7
    expected = f"1 images, first image 7: {CLASSES[teacher.labels[7]]} and {CLASSES[labels[7]]}"
    with pytest.raises(DataError, match=expected):
        align(teacher, replace(student, labels=labels))
    groups = teacher.group_ids.copy()
    groups[3] = "X"
    with pytest.raises(DataError, match="different lesions for 1 images, first image 3: HAM_"):
        align(teacher, replace(student, group_ids=groups))
    with pytest.raises(DataError, match="big and small tell different classes"):
        align(teacher, replace(student, classes=CLASSES[::-1]))


def test_one_model_under_two_conditions_is_told_apart(teacher):
    with pytest.raises(DataError, match=r"big \(first\) has 1 that big \(second\) lacks"):
        align(teacher, take(teacher, range(49)))


def test_all_are_brought_to_the_images_of_all(teacher, student):
    third = replace(student, checkpoint="third")
    parts = [take(teacher, range(5, 50)), take(student, range(48)[::-1]), take(third, range(9, 40))]
    found = align_all(parts, common=True)
    wanted = [f"image {i}" for i in range(9, 40)]
    assert [p.sample_ids.tolist() for p in found] == [wanted] * 3
    assert [p.checkpoint for p in found] == ["big", "small", "third"]
    assert np.array_equal(found[1].logits, student.logits[9:40])
    with pytest.raises(DataError, match="big has 2 that small lacks"):
        align_all(parts)
    assert align_all([teacher]) == (teacher,)
    whole = align_all([teacher, take(student, range(50)[::-1])])
    assert np.array_equal(whole[1].logits, student.logits)


def test_attributes_stay_with_their_images(teacher):
    known = replace(teacher, attributes={"sex": np.array([f"s{i}" for i in range(50)])})
    assert take(known, [7, 3]).attributes["sex"].tolist() == ["s7", "s3"]
