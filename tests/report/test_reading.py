"""A reader study in tables and sentences: what they say where there is much, little or nothing."""

from __future__ import annotations

import numpy as np

from kdcore.evaluate.reading import ReadingResult, analyse_reading
from kdcore.report.cells import csv_text, spread
from kdcore.report.latex import latex_table
from kdcore.report.reading import (
    agreement_words,
    preference_table,
    preference_words,
    question_rows,
    question_texts,
    question_words,
    reading_note,
    warning_words,
)

TITLES = {"focus": "Focus"}


def result(teacher: float, student: float, readers: int = 2, cases: int = 12) -> ReadingResult:
    rng = np.random.default_rng(0)
    noise = rng.integers(-1, 2, (readers, cases, 2))
    values = np.clip(np.array([teacher, student]) + noise, 1, 5)
    chosen = np.full((readers, cases), np.sign(student - teacher))
    return analyse_reading({"focus": values}, chosen, n_boot=50)


def test_a_clear_difference_is_named() -> None:
    for teacher, student, better in ((2, 4, "student"), (4, 2, "teacher")):
        found = result(teacher, student)
        (words,) = question_words(found, TITLES)
        assert words.startswith("**Focus:** student − teacher = ")
        assert f"The {better}'s maps are rated higher (p " in words
        assert f"The {better}'s map is preferred" in preference_words(found)
        assert warning_words(found) == ""
        assert "Krippendorff's alpha (ordinal) is 0." in agreement_words(found)


def test_no_difference_is_not_called_one() -> None:
    found = result(3, 3)
    assert "A difference is not shown" in question_words(found, TITLES)[0]
    assert "In no case" in preference_words(found)


def test_too_little_is_said_to_be_too_little() -> None:
    found = result(2, 4, readers=1, cases=3)
    assert "Too few cases differ" in question_words(found, TITLES)[0]
    assert "Too few cases to say: even if all agreed, p would be 0.250" in preference_words(found)
    assert "one reader only; 3 cases only" in warning_words(found)
    assert "Too few readers" in agreement_words(found)
    nothing = analyse_reading({"focus": np.empty((0, 3, 2))}, np.empty((0, 3)), n_boot=10)
    assert "no case has ratings" in question_words(nothing, TITLES)[0]
    assert "No preference was given" in preference_words(nothing)
    assert "no reader yet; 0 cases only" in warning_words(nothing)
    equal = analyse_reading({"focus": np.full((2, 3, 2), 3.0)}, np.zeros((2, 3)), n_boot=10)
    assert "not defined" in agreement_words(equal)


def test_tables_are_as_long_as_their_heads_and_can_be_typeset() -> None:
    found = result(2, 4)
    for rows in (
        question_rows(found, TITLES),
        question_texts(found, TITLES),
        preference_table(found),
    ):
        assert len({len(row) for row in rows}) == 1
        assert latex_table(rows, reading_note(found)).count("tabular") == 2
        assert csv_text(spread(rows)).count("\n") == len(rows)
    assert preference_table(found)[1:] == [
        ["teacher", 0, 0],
        ["no difference", 0, 0],
        ["student", 24, 12],
    ]
    assert "2 readers, 12 cases" in reading_note(found)
