"""Saved predictions come back as they were, and nothing else passes for them."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from kdcore.base import DataError
from kdcore.predict import Predictions, predictions


def make(**changes) -> Predictions:
    fields = {
        "logits": np.array([[1.5, -2.0, 0.25], [0.0, 3.0, 1e-3]], np.float32),
        "labels": np.array([0, 2]),
        "sample_ids": np.array(["a", "ü"]),
        "group_ids": np.array(["L1", "L1"]),
        "classes": ("mel", "nv", "vasc"),
        "split": "test",
        "checkpoint_hash": "0" * 64,
        "checkpoint": "student",
        "corruption": "blur 3",
        "meta": {"device": "cpu"},
    }
    return Predictions(**fields | changes)


def test_round_trip(tmp_path: Path):
    before = make()
    before.save(tmp_path / "sub" / "p.npz")
    after = Predictions.load(tmp_path / "sub" / "p.npz")
    assert after.logits.dtype == np.float32
    assert after.labels.dtype == np.int64
    for name in ("logits", "labels", "sample_ids", "group_ids"):
        assert np.array_equal(getattr(before, name), getattr(after, name)), name
    for name in ("classes", "split", "checkpoint_hash", "checkpoint", "corruption", "meta"):
        assert getattr(before, name) == getattr(after, name), name
    assert len(after) == 2


def test_attributes_round_trip(tmp_path: Path):
    columns = {"sex": np.array(["", "female"]), "site": np.array(["upper extremity", "ü"])}
    make(attributes=columns).save(tmp_path / "p.npz")
    after = Predictions.load(tmp_path / "p.npz").attributes
    assert {k: v.tolist() for k, v in after.items()} == {k: v.tolist() for k, v in columns.items()}
    with np.load(tmp_path / "p.npz") as arrays:  # readable without this package
        assert arrays["attribute_sex"].tolist() == ["", "female"]


def test_a_file_from_before_there_were_attributes_has_none(tmp_path: Path):
    make(attributes={"sex": np.array(["", "female"])}).save(tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz") as arrays:
        older = {name: arrays[name] for name in arrays if not name.startswith("attribute_")}
    np.savez(tmp_path / "p.npz", **older)
    after = Predictions.load(tmp_path / "p.npz")
    assert after.attributes == {}
    assert np.array_equal(after.logits, make().logits)


def test_no_images_round_trip(tmp_path: Path):
    none = np.array([], dtype=np.str_)
    logits, labels = np.zeros((0, 3), np.float32), np.zeros(0, np.int64)
    make(logits=logits, labels=labels, sample_ids=none, group_ids=none).save(tmp_path / "p.npz")
    assert len(Predictions.load(tmp_path / "p.npz")) == 0


def _write_bad(path: Path, kind: str) -> None:
    if kind == "truncated":
        make().save(path)
        path.write_bytes(path.read_bytes()[:300])
    elif kind == "damaged":
        make().save(path)
        data = bytearray(path.read_bytes())
        data[60:90] = bytes(30)
        path.write_bytes(data)
    elif kind == "other arrays":
        np.savez(path, a=np.zeros(3))
    elif kind == "one array":
        with open(path, "wb") as file:
            np.save(file, np.zeros(3))
    elif kind == "pickle":
        with open(path, "wb") as file:
            np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    elif kind == "encrypted":  # by the flags of the archive's members
        make().save(path)
        data = bytearray(path.read_bytes())
        for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = -1
            while (at := data.find(signature, at + 1)) >= 0:
                data[at + flags] |= 1
        path.write_bytes(bytes(data))
    elif kind == "text":
        path.write_text("not predictions")
    elif kind == "empty":
        path.write_bytes(b"")


@pytest.mark.parametrize(
    "kind",
    [
        "missing",
        "empty",
        "text",
        "truncated",
        "damaged",
        "other arrays",
        "one array",
        "pickle",
        "encrypted",
    ],
)
def test_bad_file_is_a_data_error(tmp_path: Path, kind: str):
    path = tmp_path / "p.npz"
    _write_bad(path, kind)
    with pytest.raises(DataError, match=r"p\.npz") as caught:
        Predictions.load(path)
    assert "predict" in caught.value.hint
    assert "pickle" not in caught.value.problem and "context manager" not in caught.value.problem


def test_a_file_that_may_not_be_read_is_not_called_broken(tmp_path: Path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "p.npz"))

    monkeypatch.setattr(np, "load", refuse)
    with pytest.raises(DataError, match=r"predictions: Permission denied\. Change who"):
        Predictions.load(tmp_path / "p.npz")


def test_a_later_format_is_told(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(predictions, "_FORMAT", 2)
    make().save(tmp_path / "later.npz")
    monkeypatch.undo()
    with pytest.raises(DataError, match=r"later\.npz has format 2; .* reads format 1") as caught:
        Predictions.load(tmp_path / "later.npz")
    assert "make it again" in caught.value.hint


@pytest.mark.parametrize(
    ("array", "values", "expected"),
    [
        ("logits", [[0.0, 0.0, 0.0], [1.0, np.nan, 0.0]], "got nan in row 1 (ü), column 1"),
        ("logits", [[0.0, 0.0, -np.inf], [0.0, 0.0, 0.0]], "got -inf in row 0 (a), column 2"),
        ("logits", [[0.0, 0.0, 0.0]], "sample_ids: expected shape (1,) as the logits, got (2,)"),
        ("logits", [0.0, 0.0], "logits: expected shape (N, C)"),
        ("logits", [[0.0, 1.0], [0.0, 1.0]], "classes: expected 2 names, got 3"),
        ("logits", [["a", "b", "c"]] * 2, "could not convert"),
        ("labels", [0, 3], "labels: expected values in [0, 3), got 3 in row 1 (ü)"),
        ("labels", [-1, 0], "got -1 in row 0 (a)"),
        ("labels", [0.5, 0.0], "labels: expected whole numbers, got float64"),
        ("labels", [0], "labels: expected shape (2,) as the logits, got (1,)"),
        ("group_ids", [["L1"], ["L1"]], "group_ids: expected shape (2,) as the logits"),
        ("sample_ids", ["a", "a"], "got a again in row 1"),
        ("attribute_sex", ["", "", ""], "attributes['sex']: expected shape (2,)"),
        ("attribute_sex", [1, 2], "attributes['sex']: expected a plain name and texts"),
    ],
)
def test_a_file_with_wrong_content_is_told_by_file_and_row(tmp_path: Path, array, values, expected):
    path = tmp_path / "p.npz"
    make().save(path)
    with np.load(path) as arrays:
        content = dict(arrays)
    np.savez(path, **content | {array: np.array(values)})
    with pytest.raises(DataError, match=r"^p\.npz") as caught:
        Predictions.load(path)
    assert expected in caught.value.problem


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"logits": np.zeros((2, 3, 1))}, "logits"),
        ({"logits": np.array([[0, 0, np.nan], [0, 0, 0]])}, "logits"),
        ({"labels": np.array([0, 3])}, "labels"),
        ({"labels": np.array([0])}, "labels"),
        ({"classes": ("mel", "nv")}, "classes"),
        ({"classes": (1, 2, 3)}, "classes"),
        ({"split": 3}, "split"),
        ({"checkpoint_hash": None}, "checkpoint_hash"),
        ({"group_ids": np.array(["L1"])}, "group_ids"),
        ({"sample_ids": np.array(["a", "a"])}, "sample_ids"),
        ({"attributes": {"sex": np.array(["male"])}}, "sex"),
        ({"attributes": {"a b": np.array(["", ""])}}, "a b"),
    ],
)
def test_what_does_not_fit_raises_by_name(changes, name):
    with pytest.raises(ValueError, match=name):
        make(**changes)
