"""Splits keep lesions together, keep proportions, and never change with the machine."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from kdcore.base import DataError, checkpoints_folder, group_hash
from kdcore.data import SPLITS, Ham10000, image_level_split, lesion_grouped_split, split_samples
from kdcore.data.ham10000 import published_parts
from kdcore.models import list_checkpoints


@pytest.fixture
def lesions(rng):
    groups = rng.integers(0, 1500, 3000)
    labels = rng.choice(7, 1500, p=[0.03, 0.05, 0.1, 0.02, 0.1, 0.68, 0.02])[groups]
    return labels.tolist(), [f"HAM_{g:07d}" for g in groups]


def test_no_lesion_is_in_two_parts(lesions):
    parts = lesion_grouped_split(*lesions)
    seen: dict[str, set[str]] = {}
    for group, part in zip(lesions[1], parts):
        seen.setdefault(group, set()).add(part)
    assert all(len(p) == 1 for p in seen.values())


def test_each_class_is_stratified(lesions):
    labels, groups = lesions
    parts = lesion_grouped_split(labels, groups)
    for label in range(7):
        share = (parts[np.array(labels) == label] == "test").mean()
        assert abs(share - 0.15) < 0.06


def test_order_of_rows_does_not_matter(lesions, rng):
    labels, groups = lesions
    parts = lesion_grouped_split(labels, groups)
    order = rng.permutation(len(labels))
    again = lesion_grouped_split([labels[i] for i in order], [groups[i] for i in order])
    assert (again == parts[order]).all()


def test_the_split_is_pinned():
    groups = [f"HAM_{i:07d}" for i in range(20)]
    parts = lesion_grouped_split([0] * 20, groups, seed=3)
    assert Counter(parts.tolist()) == {"train": 14, "val": 3, "test": 3}
    # A golden value: another machine, Python or NumPy must give the same lesions.
    assert [g for g, p in zip(groups, parts) if p == "test"] == [
        "HAM_0000001",
        "HAM_0000012",
        "HAM_0000015",
    ]


def test_seeds_differ(lesions):
    assert (lesion_grouped_split(*lesions) != lesion_grouped_split(*lesions, seed=1)).any()


def test_image_level_leaks(lesions):
    labels, groups = lesions
    ids = [str(i) for i in range(len(labels))]
    parts = image_level_split(labels, groups, ids)
    train = {g for g, p in zip(groups, parts) if p == "train"}
    assert any(g in train for g, p in zip(groups, parts) if p == "test")


def test_bad_arguments(lesions):
    with pytest.raises(ValueError, match="groups"):
        lesion_grouped_split([0, 1], ["a"])
    with pytest.raises(ValueError, match="fractions"):
        lesion_grouped_split(*lesions, fractions=(0.5, 0.2, 0.2))
    with pytest.raises(DataError, match="image-level"):
        SPLITS.get("image-level")


def test_published_lesions_keep_their_part_and_the_others_make_up_the_shares(lesions):
    labels, groups = lesions
    before = dict(zip(groups, lesion_grouped_split(labels, groups)))
    half = set(sorted(before)[::2])
    published = {group_hash(g): str(before[g]) for g in half}
    parts = lesion_grouped_split(labels, groups, published=published)
    assert all(part == before[g] for g, part in zip(groups, parts) if g in half)
    for label in range(7):
        share = (parts[np.array(labels) == label] == "test").mean()
        assert abs(share - 0.15) < 0.06
    everything = {group_hash(g): str(p) for g, p in before.items()}
    again = lesion_grouped_split(labels[::3], groups[::3], published=everything)
    assert again.tolist() == [before[g] for g in groups[::3]]


def test_the_published_parts_are_those_of_the_released_models():
    parts = published_parts()
    assert Counter(parts.values()) == {"train": 4723, "val": 1001, "test": 999}
    trained = {g for g, part in parts.items() if part == "train"}
    for card in list_checkpoints(checkpoints_folder()):
        assert set(card.train_groups) == trained, card.name
        assert len(card.train_images) == 6311, card.name


@pytest.mark.data
def test_the_published_parts_are_the_split_of_the_data(real_data: Ham10000):
    parts = real_data.parts()
    assert (parts == split_samples(real_data.samples)).all()
    train = {s.image_id for s, p in zip(real_data.samples, parts, strict=True) if p == "train"}
    for card in list_checkpoints(checkpoints_folder()):
        assert set(card.train_images) == {group_hash(name) for name in train}, card.name
