"""Studies on disk: whole or not there, hashes checked, damage told, deleted for good."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kdcore.base import Cancelled, StudyError
from kdcore.study import NewCase, create_study, delete_study, join, list_studies, read_study
from kdcore.study.folder import studies_folder
from tests.study.makers import LEVEL, make_study, new_case

ABOUT = {what: {"name": what} for what in ("teacher", "student", "method")}


def test_a_study_is_read_as_it_was_stored(tmp_path: Path) -> None:
    study = make_study(3, tmp_path)
    assert read_study(study.folder) == study
    assert [c.image_id for c in study.cases] == ["secret-0", "secret-1", "secret-2"]
    for case in range(3):
        assert study.picture(case).getpixel((5, 5)) == (40 * case, 90, 60)
        for role, level in LEVEL.items():
            np.testing.assert_array_equal(
                study.heatmap(case, role), np.full((8, 8), level, np.float32)
            )
    manifest = json.loads((study.folder / "manifest.json").read_text())
    assert manifest["cases"][0]["explanation"]["teacher"]["weights_sha256"] == "a" * 64
    assert sorted(p.name for p in study.folder.iterdir()) == [
        "answers.sqlite", *(f"case-00{n}.{kind}" for n in range(3) for kind in ("npz", "png")),
        "manifest.json",
    ]  # fmt: skip


def test_studies_are_in_the_state_folder_the_newest_first() -> None:
    assert list_studies() == ([], [])
    first, second = make_study(1, title="One"), make_study(1, title="Two")
    assert first.folder.parent == studies_folder()
    assert {s.title for s in list_studies()[0]} == {"One", "Two"}
    delete_study(first)
    assert [s.title for s in list_studies()[0]] == ["Two"]
    assert [p.name for p in studies_folder().iterdir()] == [second.id]
    with pytest.raises(StudyError, match="can't be written"):
        delete_study(first)


def test_what_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    def cases() -> Iterator[NewCase]:
        yield new_case(0)
        assert list(tmp_path.glob(".new-*/case-000.png"))
        assert list_studies(tmp_path) == ([], []), "what is half made is not offered"
        raise Cancelled()

    with pytest.raises(Cancelled):
        create_study("Pilot", 0, cases(), ABOUT, tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StudyError, match="at least one case"):
        create_study("Pilot", 0, [], ABOUT, tmp_path)
    with pytest.raises(StudyError, match="title"):
        create_study(" ", 0, [new_case(0)], ABOUT, tmp_path)
    with pytest.raises(KeyError, match="name"):
        create_study("Pilot", 0, [new_case(0)], ABOUT | {"method": {}}, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("values", [np.full((4, 4), 1.5), np.full((4, 4), np.nan), np.zeros(4)])
def test_heatmaps_out_of_their_domain_are_refused(tmp_path: Path, values: np.ndarray) -> None:
    bad = new_case(0, heatmaps={"teacher": np.zeros((4, 4)), "student": values})
    with pytest.raises(ValueError, match="student"):
        create_study("Pilot", 0, [bad], ABOUT, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_changed_or_lost_files_are_told(tmp_path: Path) -> None:
    study = make_study(2, tmp_path)
    npz = study.folder / "case-000.npz"
    npz.write_bytes((study.folder / "case-001.npz").read_bytes() + b" ")
    with pytest.raises(StudyError, match=r"case-000\.npz .* was changed"):
        study.heatmap(0, "teacher")
    (study.folder / "case-001.png").unlink()
    with pytest.raises(StudyError, match=r"case-001\.png .* is gone"):
        study.picture(1)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[" * 5000, '{"format": 1}', '{"format": 9}', "\udcff"]
)
def test_a_broken_manifest_is_told_and_the_others_are_listed(tmp_path: Path, text: str) -> None:
    good, bad = make_study(1, tmp_path), make_study(1, tmp_path)
    (bad.folder / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    found, problems = list_studies(tmp_path)
    assert found == [good]
    assert len(problems) == 1 and bad.id in problems[0].problem
    assert (bad.folder / "answers.sqlite").is_file()


def test_a_deleted_study_takes_no_answers(tmp_path: Path) -> None:
    study = make_study(1, tmp_path)
    delete_study(study)
    with pytest.raises(StudyError, match="gone"):
        join(study, "R-1")
    assert not study.folder.exists(), "nothing was made anew"


def test_a_full_disk_while_a_study_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StudyError, match="No space left"):
        make_study(1, tmp_path)
    assert list(tmp_path.iterdir()) == []
