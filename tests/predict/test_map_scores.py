"""`MapScores`: what it refuses, and that a file gives back what was saved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kdcore.base import DataError
from kdcore.predict import map_scores
from kdcore.predict.map_scores import FLOORS, MapScores, load_all
from tests.evaluate.map_makers import make_scores


def same(one: MapScores, other: MapScores) -> bool:
    arrays = ("sample_ids", "group_ids", "labels", "target", "answer", "corruptions")
    plain = ("classes", "split", "method", "checkpoint", "checkpoint_hash", "teacher", "meta")
    return (
        all(np.array_equal(getattr(one, n), getattr(other, n)) for n in arrays)
        and all(getattr(one, n) == getattr(other, n) for n in plain)
        and list(one.columns) == list(other.columns)
        and all(np.array_equal(v, other.columns[k], equal_nan=True) for k, v in one.columns.items())
    )


def test_a_file_gives_back_the_record(tmp_path):
    record = make_scores()
    values = record.columns["pearson"].copy()
    values[3] = np.nan
    record = replace(record, columns={**record.columns, "pearson": values})
    record.save(tmp_path / "one.npz")
    assert same(MapScores.load(tmp_path / "one.npz"), record)
    empty = replace(record, columns={})
    empty.save(tmp_path / "two.npz")
    assert same(MapScores.load(tmp_path / "two.npz"), empty)
    assert [len(r) for r in load_all(tmp_path)] == [len(record)] * 2
    assert load_all(tmp_path / "nothing") == []


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 half"])
def test_a_broken_file_is_named(tmp_path, content):
    path = tmp_path / "broken.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.npz can't be read"):
        MapScores.load(path)


def test_a_half_written_or_foreign_file_is_named(tmp_path):
    path = tmp_path / "record.npz"
    make_scores().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"record\.npz"):
        MapScores.load(path)
    np.savez(path, logits=np.zeros(3))
    with pytest.raises(DataError, match=r"record\.npz"):
        MapScores.load(path)


def test_a_later_format_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(map_scores, "_FORMAT", 2)
    make_scores().save(tmp_path / "later.npz")
    monkeypatch.undo()
    with pytest.raises(DataError, match=r"later\.npz has format 2; .* reads format 1") as caught:
        MapScores.load(tmp_path / "later.npz")
    assert "make it again" in caught.value.hint


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"labels": np.zeros(3, np.int64)}, "labels"),
        ({"target": np.full(60, 7)}, "target"),
        ({"answer": np.full(60, -1)}, "answer"),
        ({"sample_ids": np.array(["a"] * 60)}, "unique"),
        ({"columns": {"pearson": np.zeros(59, np.float32)}}, "pearson"),
        ({"columns": {"pearson": np.full(60, np.inf, np.float32)}}, "pearson"),
        ({"columns": {"a b": np.zeros(60, np.float32)}}, "a b"),
    ],
)
def test_what_is_refused(change, word):
    with pytest.raises(ValueError, match=word):
        replace(make_scores(n=60), **change)


def test_an_image_may_come_again_corrupted():
    record = make_scores(n=10, stacks=("jpeg-1",))
    assert len(record) == 20
    assert len(record.take(record.corruptions == "jpeg-1")) == 10
    assert record.take([3, 1]).sample_ids.tolist() == ["image 3", "image 1"]


def test_floors_are_told_from_metrics():
    record = make_scores()
    assert record.metrics == ("pearson", "spearman", "cosine", "ssim", "iou", "deletion")
    assert record.floors("pearson") == ("mismatched", "mismatched_any", "centre")
    assert record.floors("deletion") == ("centre", "uniform")
    assert record.floors("drop") == ()
    alone = replace(record, columns={"depth_centre": record.columns["pearson"]})
    assert alone.metrics == ("depth_centre",)  # no floor without its metric
    assert all(name.isidentifier() for name in FLOORS)
