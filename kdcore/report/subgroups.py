"""The table of subgroups: one row for each group and score, its first row the head."""

from __future__ import annotations

from kdcore.evaluate import Subgroups
from kdcore.evaluate.subgroups import OF_CLASS
from kdcore.report.cells import Rows
from kdcore.report.tables import TITLES

TOO_SMALL = "too small"


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


def score_title(score: str, positive: str) -> str:
    """Return a score's title; one of the class `positive` names it."""
    return f"{TITLES[score]} ({positive})" if score in OF_CLASS else TITLES[score]
