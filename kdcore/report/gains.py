"""What distillation brings: students against the same network trained without a teacher.

Two kinds of intervals that speak of different things: over lesions, of other patients and these
very networks; over training seeds, of other runs of the same recipes and the same images.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kdcore.data import DATASETS
from kdcore.distill import Recipe
from kdcore.evaluate import PairComparison
from kdcore.models import Card
from kdcore.report.cells import Rows
from kdcore.report.checkpoints import taught_names
from kdcore.report.models import SCORES
from kdcore.report.pair import HEADLINE
from kdcore.report.sweep_scores import SweepScores


def with_baselines(cards: Mapping[str, Card | None]) -> list[tuple[str, str]]:
    """Return the names of each student and of its network at its input size without a teacher."""
    known = {name: card for name, card in cards.items() if card}
    return [
        (student, baseline)
        for student, one in known.items()
        for baseline, other in known.items()
        if (one.role, other.role) == ("student", "baseline") and _network(one) == _network(other)
    ]


def gain_rows(found: Sequence[PairComparison]) -> Rows:
    """Return one row for each student held against its baseline: Δ of `HEADLINE`, `Interval`s."""
    body: Rows = [
        [pair.student, pair.teacher, *(pair.metrics[name].delta for name in HEADLINE)]
        for pair in found
    ]
    return [["student", "baseline", *(f"Δ {SCORES[name]}" for name in HEADLINE)], *body]


def sweeps_of(sweeps: Iterable[SweepScores], card: Card) -> list[tuple[SweepScores, str]]:
    """Return each sweep, with its name of the student, that trained a student as `is_of` has it."""
    return [
        (sweep, student)
        for sweep in sweeps
        for student in sweep.students
        if sweep.plan
        and any(m.student == student and is_of(card, m.recipe) for m in sweep.plan.members())
    ]


def is_of(card: Card, recipe: Recipe) -> bool:
    """Whether a student's network, input, teachers, data and split are those of a recipe."""
    info = DATASETS.get(recipe.dataset)
    split = (card.recipe.get("split"), card.recipe.get("split_seed", 0))
    return (
        info is not None
        and (recipe.architecture, recipe.input_size) == (card.architecture, card.input_size)
        and (recipe.split, recipe.split_seed, info.classes) == (*split, card.classes)
        and set(taught_names(card)) == set(recipe.teachers) != set()
    )


def _network(card: Card) -> tuple[object, ...]:
    return card.architecture, card.members, card.input_size
