"""Images of lesions that were trained on are found and refused."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest

from kdcore.base import DataError, group_hash
from kdcore.data import Sample, picture_name
from kdcore.evaluate import refuse_training_images, seen_by, seen_text, trained_on, unseen_samples
from kdcore.models import Card
from tests.evaluate.makers import make_predictions


def test_hash_is_the_start_of_sha256():
    assert group_hash("HAM_0000001") == hashlib.sha256(b"HAM_0000001").hexdigest()[:12]


def test_images_of_trained_lesions_are_found():
    images, groups = ["1", "2", "3", "4"], ["c", "a", "b", "a"]
    assert trained_on(images, groups, (group_hash("a"), group_hash("z"))).tolist() == [1, 3]
    assert trained_on(images, groups, ()).tolist() == []
    assert trained_on([], [], ("abc",)).tolist() == []


def test_pictures_of_the_archive_are_known_by_name_wherever_they_lie():
    images = ["train/nv/ISIC_0024306.jpg", "ISIC_0024307", "nv/ISIC_0024308.jpg", "nv/1.jpg"]
    known = (group_hash("ISIC_0024306"), group_hash("ISIC_0024307"), group_hash("1"))
    assert trained_on(images, images, known).tolist() == [0, 1]
    predictions = dataclasses.replace(make_predictions(n=4), sample_ids=np.array(images))
    with pytest.raises(DataError, match="2 of 4 images"):
        refuse_training_images(predictions, known)


def test_what_no_network_knows_is_left_in_its_order():
    samples = [Sample(f"i{k}", lesion, "nv", 0) for k, lesion in enumerate("cabad")]
    one, two, three = (
        Card(name, "student", "cnn2", ("a", "b"), 32, (0.5,) * 3, (0.5,) * 3, train_groups=groups)
        for name, groups in (
            ("one", (group_hash("a"),)),
            ("two", (group_hash("d"), group_hash("z"))),
            ("three", (group_hash("b"), group_hash("c"))),
        )
    )
    assert unseen_samples(samples, []) == tuple(samples)
    assert [s.image_id for s in unseen_samples(samples, [one])] == ["i0", "i2", "i4"]
    assert [s.image_id for s in unseen_samples(samples, [one, two])] == ["i0", "i2"]
    with pytest.raises(DataError, match="None of these 5 images is new to one and two and three"):
        unseen_samples(samples, [one, two, three])


def test_who_saw_a_picture_is_told():
    knows, new = (
        Card("n", "student", "cnn2", ("a", "b"), 32, (0.5,) * 3, (0.5,) * 3, train_images=images)
        for images in ((group_hash("ISIC_0024306"),), (group_hash("ISIC_0024307"),))
    )
    cards = {"teacher": knows, "student": new, "other": knows}
    assert seen_by("isic_0024306 (2).png", cards) == ["teacher", "other"]
    assert seen_by("me.png", cards) == []
    told = seen_text("isic_0024306.png", ["teacher", "student"])
    assert "ISIC_0024306. The teacher and the student were trained on it" in told
    assert "The student was trained" in seen_text("ISIC_0024306", ["student"])


@pytest.mark.parametrize(
    ("image_id", "name"),
    [
        ("ISIC_0024306", "ISIC_0024306"),
        ("mel/ISIC_0024306_downsampled.jpg", "ISIC_0024306"),
        ("ISIC_0000001/copy of ISIC_0024306.png", "ISIC_0024306"),
        ("ISIC_002430.jpg", ""),
        ("ISIC_00243061.jpg", ""),
        ("aISIC_0024306", ""),
        ("isic_0024306.JPG", "ISIC_0024306"),
        ("", ""),
    ],
)
def test_names_of_the_archive(image_id, name):
    assert picture_name(image_id) == name


def test_training_images_are_refused_unless_allowed():
    predictions = make_predictions(n=20)
    known = (group_hash(predictions.group_ids[0]),)
    expected = np.flatnonzero(predictions.group_ids == predictions.group_ids[0])
    with pytest.raises(DataError, match=f"{len(expected)} of 20 images") as caught:
        refuse_training_images(predictions, known)
    assert "kdcore predict" in caught.value.hint
    assert np.array_equal(refuse_training_images(predictions, known, allow=True), expected)
    assert not len(refuse_training_images(predictions, (group_hash("other"),)))
