"""Tables of two models on the same images: scores, classes, answers, who is right where.

Each is a list of rows, the first of them its head, for a page's table, `csv_text` and
`latex_table`. Numbers are as they were computed; what is not defined is NaN.
"""

from __future__ import annotations

from kdcore.evaluate import QUADRANTS, Interval, PairComparison, ScorePair
from kdcore.report.tables import TITLES

Rows = list[list[object]]

_SCORES = ("teacher", "student", "Δ", "Δ low", "Δ high", "relative Δ")


def pair_rows(comparison: PairComparison) -> Rows:
    """Return one row for each overall score: both models, student − teacher, and that relative."""
    body: Rows = [[TITLES[name], *_cells(pair)] for name, pair in comparison.metrics.items()]
    return [["score", *_SCORES], *body]


def pair_class_rows(comparison: PairComparison, score: str = "f1") -> Rows:
    """Return one row for each class, with one `score` of `kdcore.evaluate.BY_CLASS`.

    Columns are those of `pair_rows` after the class and its images.

    Raises
    ------
    ValueError
        If there is no such score.
    """
    known = comparison.per_class[0].scores
    if score not in known:
        raise ValueError(f"score: expected one of {', '.join(known)}, got {score!r}")
    body: Rows = [
        [row.name, row.support, *_cells(row.scores[score])] for row in comparison.per_class
    ]
    return [["class", "images", *_SCORES], *body]


def agreement_rows(comparison: PairComparison) -> Rows:
    """Return one row for each figure of both models together; McNemar's p has no interval."""
    found = comparison.agreement
    named = {
        "macro F1 kept (student / teacher)": comparison.retention,
        "same answer": found.share,
        "Cohen's kappa": found.kappa,
        "KL(teacher ‖ student), nats": found.kl,
    }
    body: Rows = [[name, *_ends(interval)] for name, interval in named.items()]
    p = f"McNemar's exact p ({found.mcnemar.b} against {found.mcnemar.c} images)"
    return [["figure", "value", "low", "high"], *body, [p, found.mcnemar.p, None, None]]


def quadrant_rows(comparison: PairComparison) -> Rows:
    """Return one row for each quadrant: its images, and their share with its interval."""
    body: Rows = [
        [QUADRANTS[quadrant.name], quadrant.count, *_ends(quadrant.share)]
        for quadrant in comparison.agreement.quadrants
    ]
    return [["answers", "images", "share", "low", "high"], *body]


def answer_rows(comparison: PairComparison) -> Rows:
    """Return how often each answer of the teacher (row) met each of the student (column)."""
    names = [row.name for row in comparison.per_class]
    counts = comparison.agreement.answers.tolist()
    body: Rows = [[name, *row] for name, row in zip(names, counts, strict=True)]
    return [["teacher / student", *names], *body]


def _cells(pair: ScorePair) -> list[object]:
    return [pair.teacher.value, pair.student.value, *_ends(pair.delta), pair.relative]


def _ends(interval: Interval) -> list[float]:
    return [interval.value, interval.low, interval.high]
