"""Tables of subgroups: one row a group to read, one row a score and group to compute with.

Each is a list of rows, the first of them its head, for a page's table and for `csv_text`.
"""

from __future__ import annotations

from kdcore.evaluate import Score, Subgroups
from kdcore.report.cells import interval_text, number
from kdcore.report.tables import TITLES

Rows = list[list[object]]
TOO_SMALL = "too small"


def subgroup_rows(found: Subgroups) -> Rows:
    """Return one row for each group: its size, then each score with its interval."""
    titles = [score_title(score, found.positive) for score in found.scores]
    size = ["images", "lesions", *([found.positive] if found.positive else [])]
    body: Rows = []
    for group in found.groups:
        counts = [group.n, group.lesions, *([group.positives] if found.positive else [])]
        scores = [group.scores[key] for key in found.scores]
        cells = [TOO_SMALL if s.too_small else interval_text(s.value) for s in scores]
        body.append([group.name, *counts, *cells])
    return [[found.by, *size, *titles], *body]


def gap_rows(found: Subgroups) -> Rows:
    """Return one row for each group: how far each score lies from that of all others.

    A gap whose adjusted p is below 0.05 is marked by a star.
    """
    titles = [score_title(score, found.positive) for score in found.scores]
    body: Rows = [
        [group.name, group.n, *(_gap(group.scores[key]) for key in found.scores)]
        for group in found.groups
    ]
    return [[found.by, "images", *titles], *body]


def subgroup_score_rows(found: Subgroups) -> Rows:
    """Return one row for each group and score, numbers as they are, with what is too small."""
    values = ["value", "low", "high", "gap", "gap low", "gap high", "p", "p (Holm)"]
    head = [found.by, "images", "lesions", "score", *values, "too small", "gap too small"]
    body: Rows = []
    for group in found.groups:
        for key in found.scores:
            s = group.scores[key]
            numbers = [s.value.value, s.value.low, s.value.high]
            numbers += [s.gap.value, s.gap.low, s.gap.high, s.p, s.p_holm]
            named = [group.name, group.n, group.lesions, score_title(key, found.positive)]
            body.append([*named, *numbers, s.too_small, s.gap_too_small])
    return [[*head], *body]


def _gap(score: Score) -> str:
    if score.gap_too_small:
        return TOO_SMALL
    gap = score.gap
    sign = "+" if gap.value > 0 else ""
    star = " *" if score.p_holm < 0.05 else ""
    if number(gap.low) == "n/a":
        return sign + number(gap.value)
    return f"{sign}{number(gap.value)} [{number(gap.low)}, {number(gap.high)}]{star}"


def score_title(score: str, positive: str) -> str:
    """Return a score's title; one of the class `positive` names it."""
    return f"{TITLES[score]} ({positive})" if score in ("recall", "auc") else TITLES[score]
