"""Tables of two models on the same images: scores, classes, answers, who is right where.

Each is a list of rows, the first of them its head, for a page's table, `csv_text` and
`latex_table`. Numbers are as they were computed; what is not defined is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping

from kdcore.evaluate import QUADRANTS, Interval, PairComparison, ScorePair
from kdcore.evaluate.significance import holm
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


def class_gap_rows(comparison: PairComparison) -> Rows:
    """Return one row for each class: precision, recall and F1 of both, their Δ, the relative gap.

    Cells are `Interval`s; the relative gap is ΔF1 / F1 of the teacher, NaN where that is 0.
    """
    names = ("precision", "recall", "f1")
    head: list[object] = ["class", "images"]
    for name in names:
        title = TITLES[name]
        head += [f"{title}, teacher", f"{title}, student", f"Δ {title}"]
    body: Rows = []
    for row in comparison.per_class:
        cells: list[object] = [row.name, row.support]
        for pair in (row.scores[name] for name in names):
            cells += [pair.teacher, pair.student, pair.delta]
        body.append([*cells, row.scores["f1"].relative])
    return [[*head, "relative gap, ΔF1 / F1"], *body]


def pair_summary_rows(found: Mapping[str, PairComparison]) -> Rows:
    """Return one row for each model, by title, held against one teacher; cells are `Interval`s.

    McNemar's p is given as it is, and after Holm for all models of the table.
    """
    adjusted = holm([c.agreement.mcnemar.p for c in found.values()])
    body: Rows = []
    for (title, c), p_holm in zip(found.items(), adjusted, strict=True):
        both = c.agreement
        deltas = [c.metrics[name].delta for name in ("macro_f1", "accuracy")]
        alike = [c.retention, both.share, both.kappa, both.kl]
        test = [both.mcnemar.b, both.mcnemar.c, both.mcnemar.p, p_holm]
        body.append([title, *deltas, *alike, *test])
    head: list[object] = ["model", "Δ macro F1", "Δ accuracy", "macro F1 kept", "same answer"]
    head += ["Cohen's kappa", "KL(teacher ‖ model), nats", "only teacher right"]
    return [[*head, "only model right", "McNemar p", "p (Holm)"], *body]


def quadrant_summary_rows(found: Mapping[str, PairComparison]) -> Rows:
    """Return one row for each model, by title: the images of each key of `QUADRANTS`."""
    body: Rows = [
        [title, *(quadrant.count for quadrant in c.agreement.quadrants)]
        for title, c in found.items()
    ]
    return [["model", *QUADRANTS.values()], *body]
