"""`Recipe`: the one description of a training run, typed and validated once."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from kdcore.base import RecipeError, way_out
from kdcore.distill.fields import FIELDS
from kdcore.models import ARCHITECTURES, refused_sides

ALL_STAGES = 4


@dataclass(frozen=True)
class Recipe:
    """Everything a run depends on, the data's location aside.

    The loss is `α·CE + (1−α)·T²·KL(teacher ‖ student) + β·AT + λ·Align + hint·Hint`, its parts
    as `kdcore.distill.objective` computes them; without teachers it is CE alone. What each field
    means and which values it takes stands in `kdcore.distill.fields.FIELDS`.
    """

    name: str
    architecture: str
    role: str = "student"
    title: str = ""
    seed: int = 0
    dataset: str = "ham10000"
    split: str = "lesion-grouped"
    split_seed: int = 0
    limit: int = 0
    input_size: int = 128
    sizes: tuple[tuple[int, int], ...] = ()
    augmentation: str = "dermoscopy"
    sampling: str = "shuffled"
    mixup: float = 0.0
    init: str = ""
    init_mean: tuple[float, ...] = ()
    init_std: tuple[float, ...] = ()
    teachers: tuple[str, ...] = ()
    teacher_weights: tuple[float, ...] = ()
    teacher_views: int = 0
    alpha: float = 1.0
    class_weights: str = "inverse-sqrt"
    effective_beta: float = 0.999
    label_smoothing: float = 0.0
    focal_gamma: float = 0.0
    kd: str = "kl"
    kd_weighted: bool = False
    temperature: float = 4.0
    dkd_target: float = 1.0
    dkd_other: float = 8.0
    beta: float = 0.0
    at_weights: tuple[float, ...] = ()
    at_masked: bool = False
    mask_q: float = 0.3
    lam: float = 0.0
    align: str = "mse"
    align_stage: int = 1
    contrast_temperature: float = 0.1
    hint: float = 0.0
    hint_stage: int = 2
    schedules: tuple[tuple[str, str, float], ...] = ()
    epochs: int = 14
    batch_size: int = 32
    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.05
    lr_schedule: str = "cosine"
    warmup_epochs: float = 1.0
    step_epochs: int = 10
    step_factor: float = 0.1
    clip: float = 5.0
    ema: float = 0.999
    monitor: str = "macro_f1"
    patience: int = 0
    precision: str = "fp32"

    def __post_init__(self) -> None:
        """Raise RecipeError for the first field, or combination, that can't be used."""
        if isinstance(self.architecture, str):
            ARCHITECTURES.get(self.architecture)  # a miss names what is near
        for field in FIELDS:
            value = getattr(self, field.name)
            if not field.accepts(value):
                raise RecipeError(
                    f"Recipe field {field.name!r}: expected {field.expected}, got {value!r}.",
                    "Correct it and start again.",
                )
        for good, problem, hint in _combinations(self):
            if not good:
                raise RecipeError(problem, hint)

    @property
    def taught(self) -> bool:
        """Whether any term asks a teacher, at the start or by a schedule."""
        return bool(active_terms(vars(self)))

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Recipe:
        """Build a recipe from plain values; raises RecipeError for an unknown or missing field."""
        if not isinstance(values, dict):
            raise RecipeError("The recipe is no table of fields.", "Compare recipes/.")
        if {"base", "methods", "extends"} & set(values):
            raise RecipeError(
                "This is a sweep, which stands for many recipes.",
                "Run it with `python -m kdcore sweep`, or choose the file of one recipe.",
            )
        known = {f.name for f in fields(Recipe)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise RecipeError(
                f"The recipe has an unknown field {unknown[0]!r}.",
                f"Fields are {', '.join(sorted(known))}.",
            )
        try:
            return Recipe(**{k: _tuples(v) for k, v in values.items()})
        except TypeError as error:
            raise RecipeError(f"The recipe can't be read: {error}.", "Compare recipes/.") from error

    @staticmethod
    def read(path: Path) -> Recipe:
        """Read a `.toml` or `.json` recipe file; RecipeError says what is wrong with it."""
        return Recipe.from_dict(read_table(path))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that `from_dict` reads back."""
        return asdict(self)


def needed_stages(recipe: Recipe) -> int:
    """Return how many stages' maps `recipe` asks of its teachers, counted back from the last."""
    active = active_terms(vars(recipe))
    transfer = (len(recipe.at_weights) or ALL_STAGES) if "at" in active else 0
    return max(transfer, recipe.align_stage if "align" in active else 0)


def needs_masks(recipe: Recipe) -> bool:
    """Tell whether `recipe` uses the teachers' causal masks."""
    active = active_terms(vars(recipe))
    return "align" in active or ("at" in active and recipe.at_masked)


def active_terms(values: Mapping[str, Any]) -> set[str]:
    """Return which of kd, at, align and hint have a weight, at the start or by a schedule.

    `values` are a recipe's fields; those left out are as in a recipe without a teacher.
    """
    moving = {item[0] for item in values.get("schedules", ())}
    active = {
        "kd": values.get("alpha", 1) < 1 or "alpha" in moving,
        "at": values.get("beta", 0) > 0 or "beta" in moving,
        "align": values.get("lam", 0) > 0 or "lam" in moving,
        "hint": values.get("hint", 0) > 0,
    }
    return {name for name, is_active in active.items() if is_active}


def read_table(path: Path) -> Any:
    """Return what a `.toml` or `.json` file holds; RecipeError if it can't be read."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise RecipeError(
            f"There is no recipe {str(path)!r}.", "The shipped ones are in recipes/."
        ) from error
    except OSError as error:
        raise RecipeError(
            f"The recipe {str(path)!r} can't be read: {error.strerror}.", way_out(error)
        ) from error
    return parse_table(data, path.name)


def parse_table(data: bytes, name: str) -> Any:
    """Return what a file's bytes hold; `name` tells JSON (".json") from TOML.

    A byte-order mark, as some editors write it, is passed over. RecipeError if it can't be parsed.
    """
    try:
        text = data.decode("utf-8-sig")
        return json.loads(text) if name.lower().endswith(".json") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecipeError(
            f"{name} can't be parsed: {str(error)[:200]}.", "Correct it, or choose another file."
        ) from error


def _combinations(r: Recipe) -> Iterator[tuple[bool, str, str]]:
    """Yield whether fields fit each other, the problem if not, and the way out."""
    refused = refused_sides(r.architecture, [r.input_size, *(pixels for _, pixels in r.sizes)])
    yield (
        not refused,
        refused,
        "Change the input size or the growing sizes, or take another student.",
    )
    yield (
        bool(r.teachers) or not r.taught,
        "The recipe weighs a teacher's terms (alpha < 1, or beta, lam, hint or a schedule) but "
        "names no teacher.",
        "Add `teachers`, or set alpha = 1 and the others to 0.",
    )
    yield (
        len(r.teacher_weights) in (0, len(r.teachers)),
        f"The recipe has {len(r.teachers)} teachers and {len(r.teacher_weights)} weights of them.",
        "Give one weight for each teacher, or none.",
    )
    yield (
        not (r.mixup and (r.teacher_views or r.kd == "dkd" or needs_masks(r))),
        "A mixed picture has no single true class and is in no cache, so mixup excludes "
        "teacher_views, decoupled KD and causal masks.",
        "Set mixup = 0, or leave those out.",
    )
    yield (
        not (r.hint and r.teacher_views),
        "Whole feature maps are not cached, so hints need a live teacher.",
        "Set teacher_views = 0, or hint = 0.",
    )
    yield (
        not r.teacher_views or bool(r.teachers),
        "teacher_views caches what teachers say, and the recipe names no teacher.",
        "Add `teachers`, or set teacher_views = 0.",
    )


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list | tuple) else value
