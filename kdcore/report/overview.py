"""What holds of the checkpoints at hand, in words: the best, sizes, and gains over seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from kdcore.evaluate import Significance
from kdcore.models import Card, strength
from kdcore.models.size import parameter_count
from kdcore.report.cells import signed_text
from kdcore.report.checkpoints import score_text, taught_names, title_of
from kdcore.report.gains import is_of
from kdcore.report.sweep_scores import SweepScores, method_title

_ROLES = {"teacher": "a teacher", "student": "a student", "baseline": "a student without a teacher"}


def overview_texts(cards: Iterable[Card]) -> list[str]:
    """Return sentences in Markdown on checkpoints of one data set, those that hold of them.

    Which scores best on validation, which students are not smaller than their teacher, and which
    teachers taught none.
    """
    known = list(cards)
    return [text for text in (_best(known), _sizes(known), _taught_nothing(known)) if text]


def gain_texts(cards: Iterable[Card], sweeps: Iterable[SweepScores]) -> list[str]:
    """Return a sentence for each way that a sweep taught a student of `cards`, as `is_of` has it.

    What is said is the macro-F1 on test against the sweep's first reference that had no teacher,
    over the seeds that both have, not adjusted for several ways.
    """
    known = [card for card in cards if card.role == "student"]
    told = [_gain_text(sweep, *way) for sweep in sweeps for way in _gained(sweep, known)]
    return [text for text in told if text]


def _best(cards: list[Card]) -> str:
    scored = [card for card in cards if strength(card) >= 0]
    if len(scored) < 2:
        return ""
    best = max(scored, key=strength)
    role = _ROLES.get(best.role, "a model")
    text = f"Highest macro-F1 on validation: **{title_of(best)}**, {role}, with "
    own = [c for c in scored if c.name in taught_names(best)]
    beside = "".join(f"; its teacher **{title_of(c)}** has {score_text(c, 'val', 2)}" for c in own)
    test = score_text(best, "test", 2)
    there = f", and {test} on test" if test else ""
    return f"{text}{score_text(best, 'val', 2)}{there}{beside}."


def _sizes(cards: list[Card]) -> str:
    by_name = {card.name: card for card in cards}
    told = []
    for card in cards:
        teachers = [by_name[name] for name in taught_names(card) if name in by_name]
        if card.role != "student" or not 0 < len(teachers) == len(taught_names(card)):
            continue
        own, theirs = parameter_count(card), sum(map(parameter_count, teachers))
        if own >= theirs:
            whose = "its teacher" if len(teachers) == 1 else "its teachers together"
            told.append(f"**{title_of(card)}** ({_millions(own)}; {whose} {_millions(theirs)})")
    if not told:
        return ""
    return f"No smaller than what taught it, by parameters: {', '.join(told)}."


def _taught_nothing(cards: list[Card]) -> str:
    taught = {name for c in cards for name in taught_names(c)}
    idle = [c for c in cards if c.role == "teacher" and c.name not in taught]
    if not idle:
        return ""
    return f"No model here was taught by {' or '.join(f'**{title_of(c)}**' for c in idle)}."


def _millions(parameters: int) -> str:
    return f"{parameters / 1e6:.1f} million"


def _gained(sweep: SweepScores, students: list[Card]) -> Iterator[tuple[Significance, str, str]]:
    """Yield the comparison over seeds, method and reference, of each way one of them was taught."""
    members = sweep.plan.members() if sweep.plan else ()
    ways = {(m.student, m.method): m.recipe for m in members}
    references = sweep.plan.references if sweep.plan else ()
    run = {(r.student, r.method) for r in sweep.runs}
    for (student, method), recipe in ways.items():
        alone = (r for r in references if (student, r) in ways and not ways[student, r].teachers)
        reference = next(alone, "")
        known = {(student, method), (student, reference)} <= run
        if known and any(is_of(card, recipe) for card in students):
            yield sweep.between("macro_f1", student, reference, method), method, reference


def _gain_text(sweep: SweepScores, found: Significance, method: str, reference: str) -> str:
    """Return what a teacher brought over seeds, "" where fewer than two seeds have both."""
    comparison = found.comparison(method, reference)
    if comparison is None or math.isnan(comparison.difference.low):
        return ""
    gain, n = comparison.difference, len(comparison.seeds)
    shows = f"a difference is not shown by {n} seeds"
    if gain.low > 0 or gain.high < 0:
        shows = "better with a teacher" if gain.low > 0 else "worse with a teacher"
    mean = {m.method: m.mean.value for m in found.methods}
    return (
        f"**{sweep.title}**, {method_title(method)}: {signed_text(gain)} macro-F1, {shows} "
        f"(means of {n} seeds: {mean[method]:.3f} taught, {mean[reference]:.3f} without a teacher)."
    )
