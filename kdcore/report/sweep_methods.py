"""What each method of a sweep is, in a line of words from the settings of its recipes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from kdcore.distill import Recipe
from kdcore.distill.recipe import active_terms
from kdcore.distill.sweep import Member
from kdcore.evaluate import Significance
from kdcore.report.sweep_scores import SweepScores, method_title

# Fields that words speak of, or that say nothing of how a method teaches.
_WORDED = {
    *("name", "title", "seed", "role", "alpha", "temperature", "kd", "beta", "at_masked", "lam"),
    *("align", "hint", "teacher_views", "schedules", "at_weights", "hint_stage"),
}


def student_name(sweep: SweepScores, student: str) -> str:
    """Return the network that a sweep trained, of several its `student`; "" where none is told."""
    return next((m.recipe.architecture for m in _members(sweep, student)), student)


def method_lines(sweep: SweepScores, found: Significance, student: str) -> dict[str, str]:
    """Return the words of each method compared, by its title; none where the plan isn't here.

    Parameters
    ----------
    sweep : whose methods they are
    found : its methods compared
    student : a key of the sweep's students, "" where it has one
    """
    recipes = {m.method: m.recipe for m in _members(sweep, student)}
    shown = {m.method: recipes[m.method] for m in found.methods if m.method in recipes}
    apart = _apart([recipe for recipe in shown.values() if recipe.taught])
    return {method_title(method): recipe_words(recipe, apart) for method, recipe in shown.items()}


def recipe_words(recipe: Recipe, also: Sequence[str] = ()) -> str:
    """Return what a recipe's loss is made of, and its fields named in `also`, in words."""
    if not recipe.taught:
        return "the labels alone"
    more = (f"{name} = {_plain(getattr(recipe, name))}" for name in also)
    return "; ".join([*_terms(recipe), _looks(recipe), *more])


def _plain(value: object) -> str:
    return " + ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _members(sweep: SweepScores, student: str) -> list[Member]:
    return [m for m in (sweep.plan.members() if sweep.plan else ()) if m.student == student]


def _terms(recipe: Recipe) -> Iterator[str]:
    active = active_terms(vars(recipe))
    if "kd" in active:
        parts = ", in two parts: the true class, and the others" if recipe.kd == "dkd" else ""
        yield (
            f"the labels weigh {_weight(recipe, 'alpha', 'α')}, the teacher's answers the rest, "
            f"softened at {_weight(recipe, 'temperature', 'T')}{parts}"
        )
    if "at" in active:
        where = ", inside the causal mask" if recipe.at_masked else ""
        yield f"attention maps as the teacher's, {_weight(recipe, 'beta', 'β')}{where}"
    if "align" in active:
        how = "told apart from other images'" if recipe.align == "contrastive" else "matched"
        weight = _weight(recipe, "lam", "λ")
        yield f"attention inside the causal mask {how}, {weight}"
    if "hint" in active:
        yield f"a feature map as the teacher's, weight {recipe.hint:g}"


def _looks(recipe: Recipe) -> str:
    if not recipe.teacher_views:
        return "the teacher is asked about the very image that the student sees"
    looks = f"{recipe.teacher_views} look{'s' if recipe.teacher_views > 1 else ''}"
    return f"the teacher's answers are kept, of {looks} at each image"


def _weight(recipe: Recipe, name: str, sign: str) -> str:
    """Return a weight as "α = 0.1", or where a schedule takes it."""
    told = f"{sign} = {getattr(recipe, name):g}"
    ends = [(kind, end) for moved, kind, end in recipe.schedules if moved == name]
    for kind, end in ends:
        told += f" after {end:g} epochs" if kind == "warm-up" else f" at first, {end:g} at last"
    return told


def _apart(recipes: Sequence[Recipe]) -> list[str]:
    """Return the fields that set recipes apart and that no words speak of."""
    rows = [asdict(recipe) for recipe in recipes]
    names = rows[0] if rows else ()
    return [
        name for name in names
        if name not in _WORDED and any(row[name] != rows[0][name] for row in rows)
    ]  # fmt: skip
