"""What readers answer: joined by a code, stored one answer at a time, changeable until finished.

A reader's order of cases and sides is stored when the reader begins, so that a return, and the
unblinding, never depend on how orders are drawn.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field

from kdcore.base import StudyError
from kdcore.study.database import transaction
from kdcore.study.folder import Study, now
from kdcore.study.order import Sight, draw_sights
from kdcore.study.questions import (
    HIGHEST,
    LONGEST_COMMENT,
    LOWEST,
    PREFERENCES,
    QUESTIONS,
    SIDES,
    check_code,
)


@dataclass(frozen=True)
class Answers:
    """What one reader has said of one case so far.

    Attributes
    ----------
    ratings : 1 to 5 by (side, question), those that were given
    comments : by side, those that are not empty
    preference : a key of `PREFERENCES`, None if not given
    changed : when each side was last changed, by side; "" the preference
    """

    ratings: dict[tuple[str, str], int] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    preference: str | None = None
    changed: dict[str, str] = field(default_factory=dict)

    def rated(self, side: str) -> bool:
        """Whether every question was answered for a side."""
        return all((side, question) in self.ratings for question in QUESTIONS)

    @property
    def complete(self) -> bool:
        """Whether both sides were rated and a preference was given; comments may be empty."""
        return self.preference is not None and all(map(self.rated, SIDES))


@dataclass(frozen=True)
class Reader:
    """One reader: code, when begun and finished (None before that), order, answers by case."""

    code: str
    started: str
    finished: str | None
    sights: tuple[Sight, ...]
    answers: dict[int, Answers]

    def of(self, case: int) -> Answers:
        """Return the answers on a case, empty ones if there are none."""
        return self.answers.get(case, Answers())

    @property
    def done(self) -> int:
        """How many cases were answered completely."""
        return sum(answers.complete for answers in self.answers.values())

    @property
    def first_open(self) -> int | None:
        """The first place in the reader's order that isn't complete; None where all are."""
        return next((s.place for s in self.sights if not self.of(s.case).complete), None)


def join(study: Study, code: str) -> Reader:
    """Return the reader of a code with all answers so far; a new code begins a new reader.

    Raises
    ------
    StudyError
        If the code can't be one, or the answers can't be read or written.
    """
    code = check_code(code)
    with transaction(study.answers, write=True) as db:
        new = db.execute("INSERT OR IGNORE INTO readers VALUES (?, ?, NULL)", (code, now()))
        if new.rowcount:
            sights = draw_sights(study.id, study.seed, code, len(study.cases))
            rows = [(code, s.place, s.case, s.first) for s in sights]
            db.executemany("INSERT INTO sights VALUES (?, ?, ?, ?)", rows)
        (found,) = _readers(db, code)
    return found


def list_readers(study: Study) -> list[Reader]:
    """Return all readers with their answers, by when they began; StudyError as `join`."""
    with transaction(study.answers) as db:
        return _readers(db)


def rate(study: Study, code: str, case: int, side: str, question: str, value: int) -> None:
    """Store one rating.

    Parameters
    ----------
    study : what is read
    code : of a reader that has joined
    case : number of the case, from 0
    side : "A" or "B"
    question : a key of `QUESTIONS`
    value : 1 (not at all) to 5 (fully)

    Raises
    ------
    StudyError
        If the reader has finished or never joined, or the answer can't be written.
    ValueError
        If side, question or value is none.
    """
    _check_side(side)
    if question not in QUESTIONS:
        raise ValueError(f"question: expected one of {', '.join(QUESTIONS)}, got {question!r}")
    if value not in range(LOWEST, HIGHEST + 1):
        raise ValueError(f"value: expected {LOWEST} to {HIGHEST}, got {value!r}")
    _store(study, code, lambda db: _set(db, (code, case, side), question, int(value)))


def comment(study: Study, code: str, case: int, side: str, text: str) -> None:
    """Store what a reader writes on one side of a case; an empty text takes it back.

    `code` and `case` are as `rate` has them; `text` has at most 1000 characters, more are cut.
    """
    _check_side(side)
    tidy = text.replace("\0", "").strip()[:LONGEST_COMMENT]
    _store(study, code, lambda db: _set(db, (code, case, side), "comment", tidy))


def prefer(study: Study, code: str, case: int, choice: str) -> None:
    """Store which side a reader prefers, a key of `PREFERENCES`; the rest is as `rate` has it.

    `study`, `code` and `case` say whose answer it is; ValueError if `choice` is none.
    """
    if choice not in PREFERENCES:
        raise ValueError(f"choice: expected one of {', '.join(PREFERENCES)}, got {choice!r}")
    row = (code, case, choice, now())
    _store(
        study,
        code,
        lambda db: db.execute("INSERT OR REPLACE INTO preferences VALUES (?, ?, ?, ?)", row),
    )


def finish(study: Study, code: str) -> None:
    """End a reader's part: nothing can be changed afterwards.

    Raises
    ------
    StudyError
        If a case is not complete, or as `rate`.
    """

    def end(db: sqlite3.Connection) -> None:
        (reader,) = _readers(db, code)
        if reader.done < len(study.cases):
            raise StudyError(
                f"{len(study.cases) - reader.done} of {len(study.cases)} cases are not complete.",
                "Answer all questions on them, then finish.",
            )
        db.execute("UPDATE readers SET finished = ? WHERE code = ?", (now(), code))

    _store(study, code, end)


def _check_side(side: str) -> None:
    if side not in SIDES:
        raise ValueError(f"side: expected one of {', '.join(SIDES)}, got {side!r}")


def _store(study: Study, code: str, write: Callable[[sqlite3.Connection], object]) -> None:
    """Let `write` store something of a reader who has joined and not finished."""
    with transaction(study.answers, write=True) as db:
        row = db.execute("SELECT finished FROM readers WHERE code = ?", (code,)).fetchone()
        if row is None:
            raise StudyError(f"Nobody reads this study as {code!r}.", "Enter a reader code first.")
        if row["finished"]:
            raise StudyError(
                f"{code} has finished this study, so nothing can be changed.",
                "Use another code to read it again.",
            )
        write(db)


def _set(
    db: sqlite3.Connection, where: tuple[str, int, str], column: str, value: int | str
) -> None:
    db.execute(  # the column is one of a few names of this module, never a reader's text
        f"INSERT INTO ratings (reader, case_no, side, {column}, changed) VALUES (?, ?, ?, ?, ?) "
        f"ON CONFLICT DO UPDATE SET {column} = excluded.{column}, changed = excluded.changed",
        (*where, value, now()),
    )


def _readers(db: sqlite3.Connection, code: str | None = None) -> list[Reader]:
    """Return the reader of a code, or all by when they began."""
    where, values = ("", ()) if code is None else ("WHERE code = ?", (code,))
    rows = db.execute(f"SELECT * FROM readers {where} ORDER BY started, code", values).fetchall()
    return [
        Reader(
            row["code"],
            row["started"],
            row["finished"],
            _sights(db, row["code"]),
            _answers(db, row["code"]),
        )
        for row in rows
    ]


def _sights(db: sqlite3.Connection, code: str) -> tuple[Sight, ...]:
    rows = db.execute("SELECT * FROM sights WHERE reader = ? ORDER BY place", (code,))
    return tuple(Sight(row["place"], row["case_no"], row["first"]) for row in rows)


def _answers(db: sqlite3.Connection, code: str) -> dict[int, Answers]:
    found: dict[int, Answers] = {}
    for row in db.execute("SELECT * FROM ratings WHERE reader = ?", (code,)):
        case = found.setdefault(row["case_no"], Answers())
        given = {(row["side"], q): row[q] for q in QUESTIONS if row[q] is not None}
        case.ratings.update(given)
        if row["comment"]:
            case.comments[row["side"]] = row["comment"]
        case.changed[row["side"]] = row["changed"]
    for row in db.execute("SELECT * FROM preferences WHERE reader = ?", (code,)):
        old = found.get(row["case_no"], Answers())
        changed = old.changed | {"": row["changed"]}
        found[row["case_no"]] = Answers(old.ratings, old.comments, row["choice"], changed)
    return found
