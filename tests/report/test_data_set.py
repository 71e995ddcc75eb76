"""Tables of a data set say what was counted, one row for each thing."""

from __future__ import annotations

from dataclasses import replace

from kdcore.data import CIFAR10, HAM10000, Sample
from kdcore.data.coverage import coverage
from kdcore.data.leaks import LeakReport, NearDuplicate, SharedGroup
from kdcore.report.data_set import class_rows, coverage_rows, leak_rows, part_rows, shared_rows


def sample(number: int, lesion: int, dx: str, age: float | None = 50.0) -> Sample:
    return Sample(f"ISIC_{number}", f"HAM_{lesion}", dx, HAM10000.classes.index(dx), age=age)


TRAIN = [sample(0, 0, "mel"), sample(1, 0, "mel", None), sample(2, 1, "nv")]
TEST = [sample(3, 0, "mel")]


def test_classes_and_parts() -> None:
    rows = class_rows(HAM10000, {"train": TRAIN, "test": TEST})
    assert rows[0] == ["class", "name", "train", "test"]
    assert rows[5] == ["mel", "melanoma", 2, 1]
    assert [row[2:] for row in rows[1:]] == [[0, 0]] * 4 + [[2, 1], [1, 0], [0, 0]]
    assert part_rows({"train": TRAIN, "test": TEST}) == [
        ["part", "images", "share", "lesions"],
        ["train", 3, 0.75, 2],
        ["test", 1, 0.25, 1],
    ]


def test_where_nothing_is_grouped_there_are_no_lesions() -> None:
    alone = [replace(s, lesion_id=s.image_id, dx="cat", label=3) for s in TRAIN]
    assert part_rows({"train": alone, "test": []}) == [
        ["part", "images", "share"],
        ["train", 3, 1.0],
        ["test", 0, 0.0],
    ]
    assert class_rows(CIFAR10, {"train": alone})[4] == ["cat", 3]


def test_metadata() -> None:
    rows = coverage_rows(coverage(TRAIN, ("mel", "nv")))
    assert rows[0] == ["class", "images", "age", "sex", "localization", "dx_type"]
    assert rows[1] == ["all", 3, 0.6667, 0, 0, 0]
    assert rows[2] == ["mel", 2, 0.5, 0, 0, 0]


def test_leaks() -> None:
    pair = NearDuplicate(TRAIN[0], TEST[0], ("train", "test"), 2, 0.91234, "mirrored")
    shared = (SharedGroup("HAM_0", (2, 0, 1)),)
    head, row = leak_rows(LeakReport(4, shared, (pair,)))
    expected = ["ISIC_0", "ISIC_3", "train", "test", "mel", "mel", "yes", 0.912, 2, "mirrored"]
    assert row == expected
    assert len(head) == len(row)
    assert shared_rows(shared) == [["lesion", "train", "val", "test"], ["HAM_0", 2, 0, 1]]
