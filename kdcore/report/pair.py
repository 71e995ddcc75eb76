"""Tables of two models on the same images: scores, classes, answers, who is right where.

The heads have the names of the two, as `PairComparison.named` gives them. Each is a list of
rows, the first of them its head, for a page's table, `csv_text` and `latex_table`. Numbers are
as they were computed; what is not defined is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping

from kdcore.evaluate import QUADRANTS, Interval, PairComparison, ScorePair
from kdcore.evaluate.significance import holm
from kdcore.report.cells import Rows
from kdcore.report.models import SCORES
from kdcore.report.tables import TITLES

HEADLINE = ("macro_f1", "balanced_accuracy", "accuracy", "ece")  # of a pair, in words and tables
_KEPT = f"{TITLES['macro_f1']} kept"


def quadrant_titles(one: str, other: str) -> dict[str, str]:
    """Return `QUADRANTS` of two models by their names."""
    return {
        **QUADRANTS,
        "teacher_only": f"only right: {one}",
        "student_only": f"only right: {other}",
    }


def pair_rows(comparison: PairComparison) -> Rows:
    """Return one row for each overall score: both models, Δ = the second − the first, relative Δ.

    Δ is an `Interval`, the relative Δ is Δ / the first's score.
    """
    body: Rows = [[TITLES[name], *_cells(pair)] for name, pair in comparison.metrics.items()]
    return [["score", *_heads(comparison)], *body]


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
    return [["class", "images", *_heads(comparison)], *body]


def agreement_rows(comparison: PairComparison) -> Rows:
    """Return one row for each figure of both models together; McNemar's p has no interval."""
    found, one, other = comparison.agreement, comparison.teacher, comparison.student
    named = {
        f"{_KEPT} ({other} / {one})": comparison.retention,
        "same answer": found.share,
        "Cohen's kappa": found.kappa,
        f"KL({one} ‖ {other}), nats": found.kl,
    }
    body: Rows = [[name, interval] for name, interval in named.items()]
    b, c = found.mcnemar.b, found.mcnemar.c
    p = f"McNemar's exact p ({b} images only {one} right, {c} only {other})"
    return [["figure", "value"], *body, [p, found.mcnemar.p]]


def quadrant_rows(comparison: PairComparison) -> Rows:
    """Return one row for each quadrant: its images, and their share with its interval."""
    titles = quadrant_titles(comparison.teacher, comparison.student)
    body: Rows = [
        [titles[quadrant.name], quadrant.count, *_ends(quadrant.share)]
        for quadrant in comparison.agreement.quadrants
    ]
    return [["answers", "images", "share", "low", "high"], *body]


def answer_rows(comparison: PairComparison) -> Rows:
    """Return how often each answer of the first (row) met each of the second (column)."""
    names = [row.name for row in comparison.per_class]
    counts = comparison.agreement.answers.tolist()
    body: Rows = [[name, *row] for name, row in zip(names, counts, strict=True)]
    return [[f"{comparison.teacher} (rows) / {comparison.student} (columns)", *names], *body]


def _heads(comparison: PairComparison) -> list[object]:
    return [comparison.teacher, comparison.student, "Δ", "relative Δ"]


def _cells(pair: ScorePair) -> list[object]:
    return [pair.teacher.value, pair.student.value, pair.delta, pair.relative]


def _ends(interval: Interval) -> list[float]:
    return [interval.value, interval.low, interval.high]


def class_gap_rows(comparison: PairComparison) -> Rows:
    """Return precision, recall and F1 of each class in a row: both models, Δ, and the relative Δ.

    Cells are `Interval`s; the relative Δ is Δ / the first's score, NaN where that is 0.
    """
    head: list[object] = ["class", "images", "score", comparison.teacher, comparison.student]
    body: Rows = [
        [row.name, row.support, TITLES[name], pair.teacher, pair.student, pair.delta, pair.relative]
        for row in comparison.per_class
        for name, pair in ((name, row.scores[name]) for name in ("precision", "recall", "f1"))
    ]
    return [[*head, "Δ", "relative Δ"], *body]


def pair_summary_rows(found: Mapping[str, PairComparison]) -> Rows:
    """Return one row for each model, by title, held against one and the same; with `Interval`s.

    McNemar's p is given as it is, and after Holm for all models of the table.
    """
    adjusted = holm([c.agreement.mcnemar.p for c in found.values()])
    body: Rows = []
    for (title, c), p_holm in zip(found.items(), adjusted, strict=True):
        both = c.agreement
        deltas = [c.metrics[name].delta for name in HEADLINE]
        alike = [c.retention, both.share, both.kappa, both.kl]
        test = [both.mcnemar.b, both.mcnemar.c, both.mcnemar.p, p_holm]
        body.append([title, *deltas, *alike, *test])
    one = next(iter(found.values())).teacher
    head: list[object] = ["model", *(f"Δ {SCORES[name]}" for name in HEADLINE), _KEPT]
    head += ["same answer", "Cohen's kappa", f"KL({one} ‖ model), nats", f"only {one} right"]
    return [[*head, "only the model right", "McNemar p", "p (Holm)"], *body]


def quadrant_summary_rows(found: Mapping[str, PairComparison]) -> Rows:
    """Return one row for each model, by title: the images of each key of `QUADRANTS`."""
    body: Rows = [
        [title, *(quadrant.count for quadrant in c.agreement.quadrants)]
        for title, c in found.items()
    ]
    one = next(iter(found.values())).teacher
    return [["model", *quadrant_titles(one, "the model").values()], *body]
