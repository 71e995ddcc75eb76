"""A reader study's analysis as tables and sentences.

Tables are lists of rows, the first of them the head; cells are numbers or `Interval`s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from kdcore.evaluate.reading import ALPHA, FEW_CASES, QuestionResult, ReadingResult
from kdcore.report.cells import Rows, interval_text, number, percent_text, signed_text


def question_rows(result: ReadingResult, titles: Mapping[str, str]) -> Rows:
    """Return one row for each question: both means, their difference, tests, agreement.

    `titles` says what each question is called.
    """
    head: list[object] = ["question", "ratings", "teacher", "student", "student − teacher"]
    head += ["cases", "p (signed rank)", "p (Holm)", "Krippendorff's alpha"]
    body: Rows = [
        [titles[name], r.ratings, r.teacher, r.student, r.difference, r.cases, r.p, r.p_holm]
        + [r.alpha]
        for name, r in result.questions.items()
    ]
    return [head, *body]


def question_texts(result: ReadingResult, titles: Mapping[str, str]) -> Rows:
    """Return what of `question_rows` (same `titles`) fits on a screen, as short texts."""
    body: Rows = [
        [
            titles[name],
            interval_text(r.teacher, 2),
            interval_text(r.student, 2),
            signed_text(r.difference, 2),
            number(r.p_holm),
            interval_text(r.alpha, 2),
        ]
        for name, r in result.questions.items()
    ]
    return [["question", "teacher", "student", "student − teacher", "p (Holm)", "alpha"], *body]


def preference_table(result: ReadingResult) -> Rows:
    """Return how often each map was preferred: in all answers, and by the majority of a case's."""
    found = result.preference
    return [
        ["preferred", "answers", "cases"],
        ["teacher", found.teacher, found.cases_teacher],
        ["no difference", found.neither, found.cases_even],
        ["student", found.student, found.cases_student],
    ]


def reading_note(result: ReadingResult) -> str:
    """Return what the figures are of, and how intervals and tests were made."""
    return (
        f"{_count(result.n_readers, 'reader')}, {_count(result.n_cases, 'case')}. Intervals: "
        f"{result.interval_method}. Tests: two-sided signed-rank test on the means of the cases, "
        "Holm's correction over the questions. They speak of other cases, not of other readers."
    )


def question_words(result: ReadingResult, titles: Mapping[str, str]) -> tuple[str, ...]:
    """Return what each question's ratings say, one sentence each; `titles` as in the rows."""
    return tuple(f"**{titles[name]}:** {_said(r)}" for name, r in result.questions.items())


def preference_words(result: ReadingResult) -> str:
    """Return what the preferences say."""
    found = result.preference
    decided = found.cases_teacher + found.cases_student
    if not found.teacher + found.neither + found.student:
        return "No preference was given yet."
    if not decided:
        return "In no case was either map preferred by more answers than the other."
    share = percent_text(found.share)
    said = (
        f"Of {_count(decided, 'case')} with a majority, {found.cases_student} are for the "
        f"student: {share} (Wilson's interval), p {_p(found.p)} (exact sign test). "
    )
    if found.too_few:
        return (
            f"{said}Too few cases to say: even if all agreed, p would be {number(found.p_floor)}."
        )
    if found.p > ALPHA:
        return f"{said}No preference for either could be shown."
    side = "student" if found.share.value > 0.5 else "teacher"
    return f"{said}The {side}'s map is preferred."


def agreement_words(result: ReadingResult) -> str:
    """Return how far the readers agree, with what the number means."""
    if result.n_readers < 2:
        return "Too few readers to say how far they agree: alpha needs two who rated the same map."
    found = [r.alpha.value for r in result.questions.values() if not math.isnan(r.alpha.value)]
    if not found:
        return "No map was rated differently, or by two readers: alpha is not defined."
    lowest, highest = (number(end, 2).replace("-", "−") for end in (min(found), max(found)))
    span = lowest if lowest == highest else f"{lowest} to {highest}"
    return (
        f"Krippendorff's alpha (ordinal) is {span}: 1 is full agreement, 0 what chance gives. "
        "Krippendorff asks for 0.8, and 0.667 where conclusions are tentative."
    )


def warning_words(result: ReadingResult) -> str:
    """Return why little can be said yet, or nothing where there are readers and cases enough."""
    few = []
    if result.n_readers < 2:
        few.append("one reader only" if result.n_readers else "no reader yet")
    if result.n_cases < FEW_CASES:
        few.append(f"{_count(result.n_cases, 'case')} only, so intervals come out too narrow")
    return f"Little can be said yet: {'; '.join(few)}." if few else ""


def _said(found: QuestionResult) -> str:
    if not found.cases:
        return "no case has ratings of both maps yet."
    delta = f"student − teacher = {signed_text(found.difference, 2)}"
    if found.too_few:
        return f"{delta}. Too few cases differ to say whether that is chance."
    if found.p_holm > ALPHA:
        return f"{delta}. A difference is not shown (p {_p(found.p_holm)} after Holm)."
    better = "student" if found.difference.value > 0 else "teacher"
    return f"{delta}. The {better}'s maps are rated higher (p {_p(found.p_holm)} after Holm)."


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {number(value, 3)}"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
