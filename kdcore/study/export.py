"""A study's answers as tables and JSON: one reader's own, blinded, or all of them, unblinded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.study.answers import Answers, Reader
from kdcore.study.folder import Study
from kdcore.study.order import ROLES
from kdcore.study.questions import NEITHER, QUESTIONS, SIDES

Rows = list[list[object]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ratings:
    """Answers of R readers on C cases as arrays, NaN where none was given.

    Attributes
    ----------
    readers : their R codes
    questions : (R, C, 2) by question: ratings 1 to 5 of the teacher's and the student's map
    preferences : (R, C): 1 for the student's map, −1 for the teacher's, 0 for no difference
    """

    readers: tuple[str, ...]
    questions: dict[str, Floats]
    preferences: Floats


def unblind(study: Study, readers: list[Reader]) -> Ratings:
    """Return all answers by role; the arrays' shapes are in `Ratings`."""
    shape = (len(readers), len(study.cases))
    questions = {question: np.full((*shape, len(ROLES)), np.nan) for question in QUESTIONS}
    preferences = np.full(shape, np.nan)
    for r, reader in enumerate(readers):
        for sight in reader.sights:
            given = reader.of(sight.case)
            for (side, question), value in given.ratings.items():
                questions[question][r, sight.case, ROLES.index(sight.role(side))] = value
            if given.preference == NEITHER:
                preferences[r, sight.case] = 0
            elif given.preference:
                student = sight.role(given.preference) == "student"
                preferences[r, sight.case] = 1 if student else -1
    return Ratings(tuple(r.code for r in readers), questions, preferences)


def own_rows(reader: Reader) -> Rows:
    """Return a reader's own answers, blinded: one row for each case and side, the first the head.

    No picture's id is in it: a diagnosis could be looked up by it.
    """
    body: Rows = []
    for sight in reader.sights:
        given = reader.of(sight.case)
        for side in SIDES:
            body.append([reader.code, sight.place + 1, side, *_said(given, side), given.preference])
    return [["reader", "case", "side", *QUESTIONS, "comment", "preference"], *body]


def rating_rows(study: Study, readers: list[Reader]) -> Rows:
    """Return one row for each reader, case and side with its role, the first of them the head."""
    head = ["study", "reader", "finished", "case", "image", "true class", "lesion", "explained"]
    head += ["place", "side", "role", *QUESTIONS, "comment", "changed (UTC)"]
    body: Rows = []
    for reader in readers:
        for sight in reader.sights:
            given, known = reader.of(sight.case), _known(study, reader, sight.case)
            for side in SIDES:
                shown = [sight.place + 1, side, sight.role(side)]
                body.append([*known, *shown, *_said(given, side), given.changed.get(side)])
    return [[*head], *body]


def preference_rows(study: Study, readers: list[Reader]) -> Rows:
    """Return one row for each reader and case: the side preferred, and its role."""
    head = ["study", "reader", "finished", "case", "image", "true class", "lesion", "explained"]
    head += ["place", "side preferred", "role preferred", "changed (UTC)"]
    body: Rows = []
    for reader in readers:
        for sight in reader.sights:
            given = reader.of(sight.case)
            side = given.preference
            role = sight.role(side) if side in SIDES else side
            known = _known(study, reader, sight.case)
            body.append([*known, sight.place + 1, side, role, given.changed.get("")])
    return [[*head], *body]


def study_json(study: Study, readers: list[Reader]) -> str:
    """Return the study and all answers, unblinded, as JSON."""
    cases = [
        {"case": c.number + 1, "image": c.image_id, "class": c.dx, "lesion": c.group}
        | {"explained": c.target, "picture_sha256": c.png_sha256, "maps_sha256": c.npz_sha256}
        for c in study.cases
    ]
    facts = {"id": study.id, "title": study.title, "created": study.created, "seed": study.seed}
    found = {"study": facts | study.about, "cases": cases, "readers": list(map(_told, readers))}
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _told(reader: Reader) -> dict[str, Any]:
    read = []
    for sight in reader.sights:
        given = reader.of(sight.case)
        sides = {
            side: {"role": sight.role(side), "comment": given.comments.get(side, "")}
            | {question: given.ratings.get((side, question)) for question in QUESTIONS}
            for side in SIDES
        }
        place = {"place": sight.place + 1, "case": sight.case + 1}
        read.append(place | {"sides": sides, "preference": given.preference})
    begun = {"code": reader.code, "started": reader.started, "finished": reader.finished}
    return begun | {"answers": read}


def _said(given: Answers, side: str) -> list[object]:
    ratings = [given.ratings.get((side, question)) for question in QUESTIONS]
    return [*ratings, _plain(given.comments.get(side, ""))]


def _known(study: Study, reader: Reader, case: int) -> list[object]:
    found = study.cases[case]
    of_case = [found.number + 1, found.image_id, found.dx, found.group, found.target]
    return [study.id, reader.code, "yes" if reader.finished else "no", *of_case]


def _plain(text: str) -> str:
    """Return a comment that a spreadsheet doesn't take for a formula; the JSON has it as it is."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
