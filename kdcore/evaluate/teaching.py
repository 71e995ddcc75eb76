"""Five cases that teach how a student relates to its teacher, chosen by rule among many.

Of agreement and error the surest answers are taken, so that nobody says the networks merely
hesitated, and a class that holds most of the images comes last: it is what everybody has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MOST = 0.5  # of the images; a class with more comes last


@dataclass(frozen=True)
class _Answers:
    """Right or not, same or not, and how sure: the less sure of the two, and the teacher; (N,)."""

    teacher_right: NDArray[np.bool_]
    student_right: NDArray[np.bool_]
    same: NDArray[np.bool_]
    sure: NDArray[np.float64]
    teacher_sure: NDArray[np.float64]


# What each kind wants, by how much; rows at 0 are not of the kind. `sure` is at most 1, so that a
# teacher that is right comes before any that is sure.
_KINDS: Mapping[str, Callable[[_Answers], NDArray[np.float64]]] = {
    "agree": lambda a: (a.teacher_right & a.student_right) * a.sure,
    "part": lambda a: (~a.same) * (a.sure + a.teacher_right),
    "err": lambda a: (a.same & ~a.teacher_right) * a.sure,
    "doubt": lambda a: 1.0 - a.teacher_sure,
    "worsen": lambda a: (a.teacher_right & a.student_right) * (1.0 - a.sure),
}
KINDS = tuple(_KINDS)
_SCARCE_FIRST = ("err", "part", "doubt", "agree", "worsen")


def teaching_cases(
    labels: ArrayLike, teacher: Sequence[ArrayLike], student: Sequence[ArrayLike]
) -> dict[str, int]:
    """Return a row for each kind of case that there is, each row once, in the order of `KINDS`.

    "agree": both are right. "part": they answer differently, the teacher rightly if there is such
    a row. "err": both give the same wrong answer. "doubt": the teacher is least sure. "worsen":
    both are right, but not sure: a worse picture may change that. A row of a class with more than
    half of the images is taken only where there is no other.

    Parameters
    ----------
    labels : (N,) true classes
    teacher, student : N times (C,), probabilities

    Raises
    ------
    ValueError
        If the lengths differ.
    """
    truth = np.asarray(labels, dtype=np.int64)
    probs = [np.asarray(list(one), dtype=np.float64) for one in (teacher, student)]
    if not len(truth) == len(probs[0]) == len(probs[1]):
        lengths = ", ".join(str(len(rows)) for rows in (truth, *probs))
        raise ValueError(f"labels, teacher, student: expected equal lengths, got {lengths}")
    if not len(truth):
        return {}
    answers = _compare(truth, *probs)
    rare = np.where(np.bincount(truth)[truth] > _MOST * len(truth), 0.0, 1.0)
    found: dict[str, int] = {}
    for kind in _SCARCE_FIRST:
        wanted = _KINDS[kind](answers)
        order = np.lexsort((-wanted, -rare))
        rows = [int(row) for row in order if wanted[row] > 0 and row not in found.values()]
        found |= {kind: rows[0]} if rows else {}
    return {kind: found[kind] for kind in KINDS if kind in found}


def _compare(
    truth: NDArray[np.int64], teacher: NDArray[np.float64], student: NDArray[np.float64]
) -> _Answers:
    one, other = teacher.argmax(1), student.argmax(1)
    sure = np.minimum(teacher.max(1), student.max(1))
    return _Answers(one == truth, other == truth, one == other, sure, teacher.max(1))
