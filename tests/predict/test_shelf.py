"""The shelf: what lies on it, under names and titles of their own, and what can't be read."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from kdcore.base import DataError, runs_folder
from kdcore.predict.shelf import FOREIGN, foreign_folder, list_measured
from tests.conftest import write_tiny_checkpoint
from tests.evaluate.makers import make_predictions


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path))
    return tmp_path


def _put(folder, role="student", parts=("test",), **card):
    write_tiny_checkpoint(folder, role, "cnn2", **card)
    for part in parts:
        make_predictions(20).save(folder / f"predictions-{part}.npz")


def test_a_promoted_run_and_the_run_itself_can_be_told_apart(kept):
    _put(kept / "kd", title="KD")
    _put(runs_folder() / "first" / "checkpoint", name="kd", title="KD")
    found, problems = list_measured()
    assert not problems
    assert [m.name for m in found] == ["kd", "first"]
    assert [m.title for m in found] == ["KD", "KD (first)"]


def test_an_imported_model_called_as_another_is_titled_has_a_title_of_its_own(kept):
    _put(kept / "a", title="KD")
    make_predictions(10).save(foreign_folder() / "KD-test.npz")
    found, _ = list_measured()
    assert [(m.name, m.title) for m in found] == [("a", "KD"), ("KD", "KD (imported)")]


def test_what_has_no_predictions_is_not_on_it(kept):
    _put(kept / "b", role="teacher", parts=("val", "test"))
    _put(kept / "none", parts=())
    found, _ = list_measured()
    assert [(m.name, set(m.files)) for m in found] == [("b", {"val", "test"})]
    with pytest.raises(DataError, match="no saved predictions on the train part"):
        found[0].load("train")


def test_predictions_of_other_weights_are_refused(kept):
    _put(kept / "a")
    model = list_measured()[0][0]
    with pytest.raises(DataError, match="test predictions of a were made with other weights"):
        model.load("test")
    own = make_predictions(20, checkpoint_hash=model.card.weights_sha256)
    own.save(kept / "a" / "predictions-test.npz")
    assert len(model.load("test")) == 20


def test_imported_ones_come_last_and_a_broken_card_is_told(kept):
    _put(kept / "a")
    _put(kept / "broken")
    (kept / "broken" / "card.json").write_text("{")
    make_predictions(10).save(foreign_folder() / "theirs-test.npz")
    make_predictions(10).save(foreign_folder() / "a-val.npz")
    found, problems = list_measured()
    assert [(m.name, m.role) for m in found] == [
        ("a", "student"), ("a (2)", FOREIGN), ("theirs", FOREIGN),
    ]  # fmt: skip
    assert found[1].temperature == 1.0 and len(found[2].load("test")) == 10
    assert len(problems) == 1 and "broken" in str(problems[0])


def test_a_folder_that_may_not_be_read_is_told(kept, monkeypatch):
    _put(kept / "a")
    _put(kept / "closed")
    is_file = Path.is_file

    def refuse(path: Path) -> bool:  # as the system does to those who are not root
        if path.parent.name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refuse)
    found, problems = list_measured()
    assert [m.name for m in found] == ["a"]
    assert "closed" in problems[0].problem and problems[0].hint.startswith("Change who")
