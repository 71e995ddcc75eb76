"""What readers said of two models' explanations: ratings, preferences, agreement.

Sources: Wilcoxon 1945 (signed ranks), Holm 1979 over the questions, Wilson 1927 (interval of a
share), the exact sign test, Krippendorff 2011 (alpha). The unit is the case everywhere: answers
of several readers on one picture are not independent, so they are averaged, or drawn, by case. A
result speaks of other cases read by these readers, not of other readers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from kdcore.evaluate.bootstrap import LEVEL, Interval, mean_interval
from kdcore.evaluate.krippendorff import alpha_interval
from kdcore.evaluate.significance import holm, signed_rank

Floats = NDArray[np.float64]
_DECIMALS = 12  # as `significance` has it: rounding errors get no rank
FEW_CASES = 10  # fewer give percentile intervals that are too narrow
ALPHA = 0.05


@dataclass(frozen=True)
class QuestionResult:
    """One question's ratings.

    Attributes
    ----------
    teacher, student : mean ratings
    difference : mean of student − teacher, over readers and cases that have both
    p, p_holm : two-sided signed-rank test on the case means of the difference, and after Holm
    p_floor : the least that `p` could be with so many cases
    cases : those with a difference
    ratings : how many were given to either
    alpha : Krippendorff's, of the readers; NaN below two
    """

    teacher: Interval
    student: Interval
    difference: Interval
    p: float
    p_holm: float
    p_floor: float
    cases: int
    ratings: int
    alpha: Interval

    @property
    def too_few(self) -> bool:
        """Whether no answers on these cases could have shown a difference."""
        return not self.p_floor <= ALPHA


@dataclass(frozen=True)
class PreferenceResult:
    """Which map was preferred.

    Attributes
    ----------
    teacher, neither, student : answers
    cases_teacher, cases_even, cases_student : cases by the majority of their answers
    share : of the cases with a majority, those for the student, with Wilson's interval
    p : two-sided exact sign test on those cases
    p_floor : the least that it could be with so many
    """

    teacher: int
    neither: int
    student: int
    cases_teacher: int
    cases_even: int
    cases_student: int
    share: Interval
    p: float
    p_floor: float

    @property
    def too_few(self) -> bool:
        """Whether no answers on these cases could have shown a preference."""
        return not self.p_floor <= ALPHA


@dataclass(frozen=True)
class ReadingResult:
    """All questions by name, the preferences, and what they are of.

    Attributes
    ----------
    questions : `QuestionResult` by question
    preference : of the pairwise question
    n_readers, n_cases : with at least one rating
    interval_method : how the intervals of ratings and alpha were made, one sentence
    """

    questions: dict[str, QuestionResult]
    preference: PreferenceResult
    n_readers: int
    n_cases: int
    interval_method: str


def analyse_reading(
    questions: Mapping[str, ArrayLike],
    preferences: ArrayLike,
    levels: int = 5,
    n_boot: int = 1000,
    seed: int = 0,
) -> ReadingResult:
    """Analyse a reader study.

    Parameters
    ----------
    questions : (R, C, 2) ratings by question: readers × cases × (teacher, student), whole numbers
        1 to `levels`, NaN where missing
    preferences : (R, C): 1 student, −1 teacher, 0 no difference, NaN where missing
    levels : of the scale
    n_boot, seed : of the bootstrap, which draws cases

    Raises
    ------
    ValueError
        If there is no question, a shape or a value is another.
    """
    chosen = np.asarray(preferences, dtype=np.float64)
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in questions.items()}
    for name, values in arrays.items():
        if values.shape != (*chosen.shape, 2):
            raise ValueError(f"questions[{name!r}]: expected (R, C, 2), got {values.shape}")
    if not arrays:
        raise ValueError("questions: expected at least one, got none")
    raw = {name: _question(values, levels, n_boot, seed) for name, values in arrays.items()}
    adjusted = holm(result.p for result in raw.values())
    given = np.any([~np.isnan(values).all(-1) for values in arrays.values()], axis=0)  # (R, C)
    return ReadingResult(
        {name: replace(r, p_holm=p) for (name, r), p in zip(raw.items(), adjusted, strict=True)},
        _preference(chosen),
        int(given.any(1).sum()),
        int(given.any(0).sum()),
        f"95 % percentile bootstrap of {n_boot} resamples of cases (seed {seed})",
    )


def _question(values: Floats, levels: int, n_boot: int, seed: int) -> QuestionResult:
    readers, cases, _ = values.shape
    case = np.tile(np.arange(cases), readers)  # of each row of (R × C)
    teacher, student = values.reshape(-1, 2).T
    difference = student - teacher
    by_case = _means(difference.reshape(readers, cases))
    p, floor = signed_rank(by_case)
    return QuestionResult(
        teacher=mean_interval(teacher, case, n_boot, seed),
        student=mean_interval(student, case, n_boot, seed),
        difference=mean_interval(difference, case, n_boot, seed),
        p=p,
        p_holm=float("nan"),
        p_floor=floor,
        cases=len(by_case),
        ratings=int((~np.isnan(values)).sum()),
        # Each map is a thing that was rated; both maps of a case are drawn together.
        alpha=alpha_interval(
            values.reshape(readers, 2 * cases), np.repeat(np.arange(cases), 2), levels, n_boot, seed
        ),
    )


def _means(values: Floats) -> Floats:
    """Return the means over readers of (R, C), (c,) for the c cases that have any."""
    given = ~np.isnan(values)
    some = given.any(0)
    sums = np.where(given, values, 0.0).sum(0)
    return np.asarray(np.round(sums[some] / given.sum(0)[some], _DECIMALS), dtype=np.float64)


def _preference(chosen: Floats) -> PreferenceResult:
    known = chosen[~np.isnan(chosen)]
    if not np.isin(known, (-1, 0, 1)).all():
        raise ValueError("preferences: expected -1, 0, 1 or NaN")
    majority = np.sign(_means(chosen))
    answers, cases = _tally(known), _tally(majority)
    decided, students = cases[0] + cases[2], cases[2]
    if not decided:
        nothing = Interval(float("nan"), float("nan"), float("nan"))
        return PreferenceResult(*answers, *cases, nothing, 1.0 if len(known) else np.nan, 1.0)
    test = stats.binomtest(students, decided)
    ends = test.proportion_ci(LEVEL, method="wilson")
    share = Interval(students / decided, float(ends.low), float(ends.high))
    floor = min(1.0, 2.0 ** (1 - decided))
    return PreferenceResult(*answers, *cases, share, float(test.pvalue), floor)


def _tally(sides: Floats) -> tuple[int, int, int]:
    """Return how many are for the teacher, for neither and for the student."""
    teacher, neither, student = (int((sides == side).sum()) for side in (-1, 0, 1))
    return teacher, neither, student
