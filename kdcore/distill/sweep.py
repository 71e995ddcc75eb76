"""`Sweep`: one TOML file that stands for a grid of recipes, students by methods by seeds.

    name = "ham"
    seeds = [0, 1, 2]
    [base]                # fields of every recipe
    [students.resnet18]   # fields of one network's recipes; may be left out
    [methods.kd]          # fields of one method's recipes; they win over the student's

`init = "run:METHOD"` starts from the best weights that METHOD reached with the same student and
seed, so that more epochs of both can be compared at equal cost. `extends = "other.toml"` takes that
file, of the same folder, and changes in it what this one says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from kdcore.base import RecipeError
from kdcore.distill.recipe import Recipe, read_table

RUN_PREFIX = "run:"
_KEYS = ("name", "title", "seeds", "reference", "base", "students", "methods")
_OWN = ("name", "seed")  # of a recipe, made by the sweep
_IMAGES = ("dataset", "split", "split_seed", "limit")  # decide on which images it is trained
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Member:
    """One run of a sweep.

    Attributes
    ----------
    student : its key in the file's `students`; "" where the file has none
    method : its key in the file's `methods`
    seed : of the run
    recipe : named "<sweep>-<student>-<method>-s<seed>", without the student where there is one
    after : name of the member whose best weights it starts from; "" for none
    """

    student: str
    method: str
    seed: int
    recipe: Recipe
    after: str = ""

    @property
    def name(self) -> str:
        """The recipe's name, and that of the run's folder."""
        return self.recipe.name

    @property
    def label(self) -> str:
        """Student and method, without the seed."""
        return "/".join(part for part in (self.student, self.method) if part)


@dataclass(frozen=True)
class Sweep:
    """What a sweep's file says, validated with every recipe that it stands for.

    Attributes
    ----------
    name, title : of the sweep; the recipes are named after them
    base : fields of every recipe
    methods, students : fields that override the base, by name; a method's win over a student's
    seeds : of the runs, all different
    reference : the method that others are compared with first
    """

    name: str
    base: Fields
    methods: Mapping[str, Fields]
    students: Mapping[str, Fields] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    title: str = ""
    reference: str = "baseline"

    def __post_init__(self) -> None:
        """Raise RecipeError for what can't be used; that of a recipe names its member."""
        for good, problem in _checks(self):
            if not good:
                raise RecipeError(f"The sweep can't be used: {problem}.", "Correct its file.")
        self.waves()

    @staticmethod
    def from_dict(values: Any) -> Sweep:
        """Build a sweep from plain values; raises RecipeError for what can't be used."""
        if not isinstance(values, dict) or not {"name", "base", "methods"} <= set(values):
            raise RecipeError(
                "A sweep needs at least `name`, a table `base` and tables `methods.NAME`.",
                "Add what is missing.",
            )
        unknown = sorted(set(values) - set(_KEYS))
        if unknown:
            raise RecipeError(
                f"The sweep has an unknown field {unknown[0]!r}.", f"Fields are {', '.join(_KEYS)}."
            )
        if isinstance(values.get("seeds"), list):
            values = values | {"seeds": tuple(values["seeds"])}
        explicit = values.get("reference")
        if explicit is not None and explicit not in values["methods"]:
            raise RecipeError(
                f"The sweep's reference {explicit!r} is none of its methods.",
                f"Choose one of {', '.join(map(str, values['methods']))}.",
            )
        return Sweep(**values)

    @staticmethod
    def read(path: Path) -> Sweep:
        """Read a `.toml` or `.json` file; RecipeError says what is wrong with it."""
        return Sweep.from_dict(_extended(read_table(path), path.parent))

    @property
    def references(self) -> tuple[str, ...]:
        """The methods that others are compared with: the sweep's own and "kd", where present."""
        named = dict.fromkeys((self.reference, "kd"))
        return tuple(method for method in named if method in self.methods)

    def members(self) -> tuple[Member, ...]:
        """Return every run; one that starts from another's weights comes after it."""
        return tuple(member for wave in self.waves() for member in wave)

    def waves(self) -> tuple[tuple[Member, ...], ...]:
        """Return the runs in groups: those of one group need only the groups before it.

        Raises
        ------
        RecipeError
            If a recipe is not valid, or one starts from itself, from what isn't there, or from
            weights that other images trained.
        """
        grid = product(self.students or {"": {}}, self.methods, self.seeds)
        members = [self._member(*place) for place in grid]
        names = [member.name for member in members]
        by_name = dict(zip(names, members, strict=True))
        for member in members:
            if names.count(member.name) > 1:
                raise RecipeError(
                    f"Two members of the sweep are named {member.name}.", "Rename one."
                )
            if member.after and member.after not in names:
                raise RecipeError(
                    f"Member {member.name}: init = {member.recipe.init!r} names none of the "
                    "sweep's methods.",
                    f"Choose one of {', '.join(self.methods)}.",
                )
            if member.after and _images(member) != _images(by_name[member.after]):
                raise RecipeError(
                    f"Member {member.name} starts from a run of other training images.",
                    f"Let both have the same {', '.join(_IMAGES)}.",
                )
        return _in_waves(members)

    def differences(self) -> dict[str, dict[str, Any]]:
        """Return what sets the recipes apart, seed and names aside: fields by student and method.

        A field that all recipes agree on is left out. Keys are "student/method", or the method
        where there is no student.
        """
        recipes = {member.label: member.recipe.to_dict() for member in self.members()}
        first = next(iter(recipes.values()))
        apart = [
            name
            for name in first
            if name not in (*_OWN, "title")
            and any(recipe[name] != first[name] for recipe in recipes.values())
        ]
        return {label: {name: r[name] for name in apart} for label, r in recipes.items()}

    def _member(self, student: str, method: str, seed: int) -> Member:
        shown = student if len(self.students) > 1 else ""
        name = "-".join(part for part in (self.name, shown, method, f"s{seed}") if part)
        fields = {**self.base, **self.students.get(student, {}), **self.methods[method]}
        title = f"{self.title or self.name}: {shown} {method}, seed {seed}".replace("  ", " ")
        try:
            recipe = Recipe.from_dict({"title": title, **fields, "name": name, "seed": seed})
        except RecipeError as error:
            raise RecipeError(f"Member {name}: {error.problem}", error.hint) from error
        after = ""
        if recipe.init.startswith(RUN_PREFIX):
            other = recipe.init.removeprefix(RUN_PREFIX)
            after = "-".join(part for part in (self.name, shown, other, f"s{seed}") if part)
        return Member(student, method, seed, recipe, after)


def _images(member: Member) -> list[Any]:
    return [getattr(member.recipe, name) for name in _IMAGES]


def _extended(values: Any, folder: Path) -> Any:
    """Return `values` laid over the file that they extend: tables key by key, the rest whole."""
    if not isinstance(values, dict) or "extends" not in values:
        return values
    name = values["extends"]
    if not isinstance(name, str) or Path(name).name != name:
        raise RecipeError(
            f"The sweep extends {name!r}, which is no file of its own folder.",
            'Name one, as in extends = "other.toml".',
        )
    under = read_table(folder / name)
    if not isinstance(under, dict) or "extends" in under:
        raise RecipeError(
            f"{name} can't be extended: it is no table, or extends another file itself.",
            "Extend a sweep that stands alone.",
        )
    over = {key: value for key, value in values.items() if key != "extends"}
    return _laid_over(under, over)


def _laid_over(under: Fields, over: Fields) -> dict[str, Any]:
    both = {
        key: _laid_over(under[key], value)
        for key, value in over.items()
        if isinstance(value, dict) and isinstance(under.get(key), dict)
    }
    return {**under, **over, **both}


def _checks(sweep: Sweep) -> Iterable[tuple[bool, str]]:
    """Yield whether a part is as expected, and what is wrong if not."""
    text = isinstance(sweep.name, str) and sweep.name.strip() != ""
    yield text, f"expected a text as `name`, got {sweep.name!r}"
    yield isinstance(sweep.title, str), f"expected a text as `title`, got {sweep.title!r}"
    seeds = sweep.seeds
    whole = isinstance(seeds, tuple) and all(type(s) is int and s >= 0 for s in seeds)
    distinct = whole and 0 < len(seeds) == len(set(seeds))
    yield distinct, f"expected `seeds` to be different whole numbers from 0 on, got {seeds!r}"
    yield _are_fields(sweep.base), _not_fields("base", sweep.base)
    for kind, tables in (("methods", sweep.methods), ("students", sweep.students)):
        yield isinstance(tables, dict), f"expected tables [{kind}.NAME], got {tables!r}"
        for name, table in tables.items():
            yield _are_fields(table), _not_fields(f"{kind}.{name}", table)
    yield bool(sweep.methods), "it has no table [methods.NAME]"


def _are_fields(table: object) -> bool:
    return isinstance(table, dict) and not set(table) & set(_OWN)


def _not_fields(where: str, table: object) -> str:
    if isinstance(table, dict):
        return f"[{where}] sets {' or '.join(_OWN)} of a recipe, which the sweep makes itself"
    return f"expected a table of recipe fields as [{where}], got {table!r}"


def _in_waves(members: Sequence[Member]) -> tuple[tuple[Member, ...], ...]:
    waves: list[tuple[Member, ...]] = []
    done: set[str] = set()
    left = list(members)
    while left:
        wave = tuple(m for m in left if not m.after or m.after in done)
        if not wave:
            raise RecipeError(
                f"Member {left[0].name}: init = {left[0].recipe.init!r} leads back to itself.",
                'Let one of the methods in that circle start without "run:".',
            )
        waves.append(wave)
        done |= {m.name for m in wave}
        left = [m for m in left if m.name not in done]
    return tuple(waves)
