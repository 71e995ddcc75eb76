"""Exports: all answers with their roles, a reader's own without, and arrays that agree."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from kdcore.report.cells import csv_text
from kdcore.study import (
    QUESTIONS,
    Study,
    comment,
    finish,
    join,
    list_readers,
    own_rows,
    prefer,
    preference_rows,
    rate,
    rating_rows,
    study_json,
    unblind,
)
from tests.study.makers import answer_all, make_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Two readers: one has finished, one has begun."""
    study = make_study(4, tmp_path)
    answer_all(study, join(study, "R-1"))
    comment(study, "R-1", 2, "A", "=1+1")
    prefer(study, "R-1", 3, "none")
    finish(study, "R-1")
    sight = join(study, "R-2").sights[0]
    rate(study, "R-2", sight.case, "A", "focus", 5)
    return study


def as_dicts(rows: list[list[object]]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_text(rows))))


def test_one_row_for_each_reader_case_and_side(study: Study) -> None:
    rows = as_dicts(rating_rows(study, list_readers(study)))
    assert len(rows) == len({(r["reader"], r["case"], r["side"]) for r in rows}) == 2 * 4 * 2
    done = [r for r in rows if r["reader"] == "R-1"]
    assert all(r["focus"] == {"student": "4", "teacher": "2"}[r["role"]] for r in done)
    assert {r["image"] for r in done} == {f"secret-{n}" for n in range(4)}
    (said,) = [r for r in done if r["comment"]]
    assert (said["case"], said["side"], said["comment"]) == ("3", "A", "'=1+1")
    begun = [r for r in rows if r["reader"] == "R-2" and r["focus"]]
    assert [(r["finished"], r["place"], r["side"], r["focus"]) for r in begun] == [
        ("no", "1", "A", "5")
    ]


def test_preferences_name_the_role(study: Study) -> None:
    rows = as_dicts(preference_rows(study, list_readers(study)))
    assert len(rows) == 2 * 4
    assert {r["role preferred"] for r in rows if r["reader"] == "R-1" and r["case"] != "4"} == {
        "student"
    }
    assert [r["side preferred"] for r in rows if r["case"] == "4"] == ["none", ""]


def test_a_readers_own_answers_stay_blinded(study: Study) -> None:
    text = csv_text(own_rows(join(study, "R-1")))
    assert text.count("\n") == 1 + 4 * 2
    for telling in ("teacher", "student", "secret", "mel", "nv", "lesion", "net"):
        assert telling not in text


def test_json_has_everything(study: Study) -> None:
    found = json.loads(study_json(study, list_readers(study)))
    assert found["study"]["teacher"]["name"] == "big-net"
    assert [c["image"] for c in found["cases"]] == [f"secret-{n}" for n in range(4)]
    first = found["readers"][0]
    assert first["code"] == "R-1" and first["finished"]
    sides = [side for read in first["answers"] for side in read["sides"].values()]
    assert all(s["usefulness"] == {"student": 4, "teacher": 2}[s["role"]] for s in sides)
    assert "=1+1" in {s["comment"] for s in sides}
    assert found["readers"][1]["answers"][1]["preference"] is None


def test_arrays_agree_with_the_rows(study: Study) -> None:
    found = unblind(study, list_readers(study))
    assert found.readers == ("R-1", "R-2")
    assert set(found.questions) == set(QUESTIONS)
    for row in as_dicts(rating_rows(study, list_readers(study))):
        at = (found.readers.index(row["reader"]), int(row["case"]) - 1)
        role = ("teacher", "student").index(row["role"])
        for question, values in found.questions.items():
            expected = float(row[question]) if row[question] else np.nan
            np.testing.assert_equal(values[*at, role], expected)
    np.testing.assert_array_equal(found.preferences[0], [1, 1, 1, 0])
    assert np.isnan(found.preferences[1]).all()
    nobody = unblind(study, [])
    assert nobody.preferences.shape == (0, 4) and nobody.questions["focus"].shape == (0, 4, 2)
