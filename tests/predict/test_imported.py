"""Predictions from elsewhere: kept, found on the shelf, named, refused and forgotten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kdcore.base import DataError
from kdcore.predict import Predictions, read_foreign, to_csv
from kdcore.predict.imported import example_csv, forget_foreign, keep_foreign
from kdcore.predict.probabilities import softmax
from kdcore.predict.shelf import foreign_folder, list_measured
from tests.evaluate.makers import make_predictions


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILSCOPE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path / "none"))


@pytest.fixture
def own() -> Predictions:
    sex = np.array(["f", "m"] * 20)
    return replace(make_predictions(n=40), attributes={"sex": sex})


def without_lesions(predictions: Predictions) -> bytes:
    lines = [line.split(",") for line in to_csv(predictions).splitlines()]
    return "\n".join(",".join([line[0], *line[2:]]) for line in lines).encode()


def test_what_is_written_comes_back_on_the_shelf(own: Predictions) -> None:
    (found,) = keep_foreign({"ours.csv": to_csv(own).encode()}, "Their net-2", "test")
    (model,), problems = list_measured()
    assert problems == []
    assert (model.name, model.role, list(model.files)) == ("Their net-2", "foreign", ["test"])
    loaded = model.load("test")
    for p in (found, loaded):
        np.testing.assert_allclose(softmax(p.logits), softmax(own.logits), atol=1e-6)
        assert (p.checkpoint, p.split) == ("Their net-2", "test")
    assert loaded.group_ids.tolist() == own.group_ids.tolist()


def test_lesions_and_attributes_are_those_of_like(own: Predictions) -> None:
    like = replace(own, attributes={"age": np.array([str(i) for i in range(40)])})
    (found,) = keep_foreign({"a.csv": without_lesions(own)}, "theirs", "val", like=like)
    assert found.group_ids.tolist() == own.group_ids.tolist()
    assert found.attributes["age"].tolist() == like.attributes["age"].tolist()
    assert found.attributes["sex"].tolist() == own.attributes["sex"].tolist()


def test_both_parts_under_one_name_and_forgotten_together(own: Predictions) -> None:
    for part in ("val", "test"):
        keep_foreign({"a.csv": to_csv(own).encode()}, "theirs", part)
    (model,), _ = list_measured()
    assert list(model.files) == ["val", "test"]
    with pytest.raises(DataError, match="There is a model theirs already"):
        keep_foreign({"a.csv": to_csv(own).encode()}, "Theirs", "test")
    forget_foreign(model)
    forget_foreign(model)  # gone already
    assert list_measured() == ([], [])
    with pytest.raises(ValueError, match="expected imported predictions"):
        forget_foreign(replace(model, role="teacher"))


def test_one_of_two_sessions_that_add_one_name_is_refused(
    own: Predictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_have_read = threading.Barrier(2)

    def read(*arguments: object) -> tuple[Predictions, ...]:
        found = read_foreign(*arguments)
        both_have_read.wait()
        return found

    monkeypatch.setattr("kdcore.predict.imported.read_foreign", read)
    data = {"a.csv": to_csv(own).encode()}
    with ThreadPoolExecutor(2) as pool:
        added = [pool.submit(keep_foreign, data, name, "test") for name in ("theirs", "Theirs")]
        problems = [one.exception() for one in added]
    (refused,) = [problem for problem in problems if problem]
    assert isinstance(refused, DataError) and "There is a model" in str(refused)
    assert len(list_measured()[0]) == 1


@pytest.mark.parametrize("name", ["", " x", "../x", "a/b", "a,b", ".hidden", "x" * 61, "a\n"])
def test_names_that_are_no_file_names(own: Predictions, name: str) -> None:
    with pytest.raises(DataError, match="can't name a model"):
        keep_foreign({"a.csv": to_csv(own).encode()}, name, "test")
    assert not foreign_folder().exists()


def test_errors_name_the_file_and_leave_nothing(own: Predictions) -> None:
    with pytest.raises(DataError, match=r"^broken\.csv, row 1"):
        keep_foreign({"../broken.csv": b"id,label\nx,0\n"}, "theirs", "test", like=own)
    with pytest.raises(ValueError, match="part: expected one of val, test"):
        keep_foreign({"a.csv": b""}, "theirs", "train")
    assert list_measured() == ([], [])


def test_several_files_are_kept_together_or_not_at_all(own: Predictions) -> None:
    good = to_csv(own).encode()
    for name, bad, said in (
        ("b.csv", b"id,label\nx,0\n", r"^b\.csv, row 1"),
        ("A.csv", good, "Two of the files have one name"),
        ("b,c.csv", good, "can't name a model"),
    ):
        with pytest.raises(DataError, match=said):
            keep_foreign({"a.csv": good, name: bad}, "", "test", like=own)
        assert list_measured() == ([], [])
    with pytest.raises(ValueError, match="files: expected one or more"):
        keep_foreign({}, "", "test")
    keep_foreign({"a.csv": good, "b.csv": good}, "not used", "test")
    found, _ = list_measured()
    assert [model.name for model in found] == ["a", "b"]


def test_a_full_disk_keeps_none_of_several(
    own: Predictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Predictions.save

    def save(self: Predictions, path: Path) -> None:
        if path.name.startswith("b"):
            raise OSError(28, "No space left on device")
        real(self, path)

    monkeypatch.setattr(Predictions, "save", save)
    good = to_csv(own).encode()
    with pytest.raises(OSError, match="No space left"):
        keep_foreign({"a.csv": good, "b.csv": good}, "", "test")
    assert list_measured() == ([], [])


def test_logits_are_kept_as_they_are(own: Predictions) -> None:
    text = to_csv(own).replace("prob_", "logit_").encode()
    (found,) = keep_foreign({"a.csv": text}, "theirs", "test", logits=True)
    np.testing.assert_allclose(found.logits, softmax(own.logits), atol=1e-6)


def test_the_example_can_be_read(own: Predictions, tmp_path: Path) -> None:
    path = tmp_path / "example.csv"
    path.write_text(example_csv(own))
    (found,) = read_foreign(path)
    assert found.sample_ids.tolist() == own.sample_ids[:3].tolist()
    assert found.labels.tolist() == own.labels[:3].tolist()
