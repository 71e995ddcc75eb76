"""Subgroups of several models in one score: a table to read, and what their gaps say in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kdcore.evaluate import GapDifference, Score, Subgroups
from kdcore.evaluate.subgroups import MIN_IMAGES
from kdcore.report.cells import Rows, columns, interval_text, joined, number, signed, signed_text
from kdcore.report.subgroups import TOO_SMALL, score_title, subgroup_score_rows

ATTRIBUTES = {
    "sex": "Sex",
    "age": "Age, years",
    "site": "Place on the body",
    "dx_type": "How the diagnosis was made",
    "brightness": "Brightness of the picture",
    "lesion_size": "Size of the lesion in the picture",
}
_SURE = 0.05
_MACRO = ("macro_f1", "balanced_accuracy")


def gap_told_rows(found: Mapping[str, Subgroups], score: str) -> Rows:
    """Return one row for each model and group: one score, its gap, and p, as texts.

    `found` has at least one model, all measured by the same attribute.
    """
    first = next(iter(found.values()))
    title = score_title(score, first.positive)
    head = ["model", first.by, "images", "lesions", title, "gap to all others", "p (Holm)", "note"]
    body: Rows = []
    for name, groups in found.items():
        for group in groups.groups:
            s = group.scores[score]
            cells = [interval_text(s.value), *_gap_cells(s), s.gap_too_small]
            body.append([name, group.name, group.n, group.lesions, *cells])
    return [[*head], *body]


def all_score_rows(found: Mapping[str, Subgroups]) -> Rows:
    """Return `subgroup_score_rows` of each model, with its name in front."""
    return joined({name: subgroup_score_rows(groups) for name, groups in found.items()}, "model")


def subgroup_text(found: Subgroups) -> str:
    """Return a table for each score, one line a group, and how the intervals were made."""
    blocks = [
        f"By {found.by}, {found.split or '?'} part, {found.n} images of {found.n_groups} lesions"
    ]
    for score in found.scores:
        rows = gap_told_rows({found.checkpoint: found}, score)
        blocks.append("\n".join(columns([list(map(str, row[1:])) for row in rows])))
    return "\n\n".join([*blocks, f"Intervals: {found.interval_method}."])


def gap_text(found: Subgroups, score: str) -> str:
    """Return which groups' gaps leave out 0 in one score, and which still do when adjusted."""
    told = [(g.name, s) for g in found.groups if not (s := g.scores[score]).gap_too_small]
    if not told:
        return "No group is large enough, beside others that are, to say anything."
    apart = [(name, s) for name, s in told if s.gap.low > 0 or s.gap.high < 0]
    if not apart:
        return (
            f"No gap's interval leaves out 0 ({_count(len(told))} large enough). That does "
            "not show a difference, nor that there is none."
        )
    listed = ", ".join(f"{name} ({signed_text(s.gap)})" for name, s in apart)
    return f"The interval of the gap leaves out 0 for {listed}. {_adjusted(apart, told, score)}"


def few_text(found: Subgroups, score: str) -> str:
    """Return which classes have few images in a group and count in full there, or "".

    That is so of macro means, of groups large enough to be told.
    """
    told = []
    for group in found.groups if score in _MACRO else ():
        few = [f"{name} {n}" for name, n in group.support.items() if 0 < n < MIN_IMAGES]
        if few and not group.scores[score].too_small:
            told.append(f"**{group.name}** ({', '.join(few)})")
    if not told:
        return ""
    return (
        f"Classes with fewer than {MIN_IMAGES} images in a group count in full there, so that one "
        f"answer moves its score, and its gap, by much: {'; '.join(told)}."
    )


def difference_rows(
    found: Sequence[GapDifference], by: str, titles: tuple[str, str], shown: bool = False
) -> Rows:
    """Return one row for each group: both models' gaps, and the second less the first.

    Parameters
    ----------
    found : of `gap_differences`
    by : the attribute
    titles : of the first and the second model
    shown : the difference as a text, to read; otherwise as an interval
    """
    head = [by, *(f"gap of {title}" for title in titles), "difference of the gaps"]
    body: Rows = []
    for d in found:
        cell = signed_text(d.difference) if shown else d.difference
        gaps = [signed(gap) if shown else gap for gap in (d.first, d.second)]
        body.append([d.name, *gaps, TOO_SMALL if d.too_small else cell, number(d.p_holm)])
    return [[*head, "p (Holm)"], *body]


def difference_text(found: Sequence[GapDifference]) -> str:
    """Return for which groups two models' gaps differ beyond chance, adjusted for looking at all.

    A group counts where p is below 0.05 after Holm's adjustment.
    """
    told = [d for d in found if not d.too_small]
    if not told:
        return "No group is large enough to compare the gaps of the two."
    sure = [f"{d.name} ({signed_text(d.difference)})" for d in told if d.p_holm < _SURE]
    looked = f"of {_count(len(told))} large enough, p adjusted by Holm"
    if not sure:
        return (
            f"No group's gap is shown to differ between the two ({looked}). That does not show "
            "that their gaps are the same."
        )
    return f"The gap differs for {', '.join(sure)} ({looked})."


def _adjusted(apart: list[tuple[str, Score]], told: list[tuple[str, Score]], score: str) -> str:
    if score == "ece":
        return (
            "The ECE has no p value, so nothing here is adjusted for the number of groups; "
            "“confidence − accuracy” has one."
        )
    sure = [name for name, s in apart if s.p_holm < _SURE]
    looked = f"Adjusted for having looked at {_count(len(told))} (Holm)"
    if not sure:
        return f"{looked}, none has p below {_SURE}: chance alone may do this."
    return f"{looked}, p stays below {_SURE} for {', '.join(sure)}."


def _gap_cells(score: Score) -> list[object]:
    if score.gap_too_small:
        return [TOO_SMALL, ""]
    return [signed_text(score.gap), number(score.p_holm)]


def _count(groups: int) -> str:
    return f"{groups} group{'' if groups == 1 else 's'}"
