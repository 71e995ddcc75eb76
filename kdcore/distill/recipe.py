"""`Recipe`: the one description of a training run, typed and validated once."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from kdcore.base import RecipeError
from kdcore.data import SPLITS
from kdcore.models import ARCHITECTURES

ROLES = ("teacher", "student", "baseline")
CLASS_WEIGHTS = ("none", "inverse-sqrt")
PIXELS = (16, 1024)


@dataclass(frozen=True)
class Recipe:
    """Everything a run depends on, the data's location aside.

    The loss is `α·CE + (1−α)·T²·KL(teacher ‖ student) + β·AT`; without teachers it is CE alone.

    Attributes
    ----------
    name, title, role : the checkpoint's folder name, its name for people, one of `ROLES`
    architecture : a registered name
    init : "" for random weights, "imagenet", or the path of a local file, `~` and `$VARIABLES`
        expanded
    init_mean, init_std : normalisation that the initial weights expect; empty for the data's own
    teachers : checkpoint folders, relative to the checkpoints' root; their logits are averaged
    alpha, temperature, beta : α in [0, 1], T > 0, β ≥ 0
    split, split_seed : a registered split and its seed
    input_size : side in pixels; `sizes` gives (first epoch, size) pairs for progressive resizing
    epochs, batch_size, learning_rate, weight_decay, warmup_epochs : AdamW under a cosine
    class_weights : "none" or "inverse-sqrt" of the class counts
    label_smoothing : in [0, 1)
    mixup : share of batches that are mixed
    ema : decay per step of the averaged weights that are evaluated and released
    clip : largest gradient norm
    seed : of weights, order and views
    """

    name: str
    architecture: str
    role: str = "student"
    title: str = ""
    init: str = ""
    init_mean: tuple[float, ...] = ()
    init_std: tuple[float, ...] = ()
    teachers: tuple[str, ...] = ()
    alpha: float = 1.0
    temperature: float = 4.0
    beta: float = 0.0
    split: str = "lesion-grouped"
    split_seed: int = 0
    input_size: int = 128
    sizes: tuple[tuple[int, int], ...] = ()
    epochs: int = 14
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup_epochs: float = 1.0
    class_weights: str = "inverse-sqrt"
    label_smoothing: float = 0.0
    mixup: float = 0.0
    ema: float = 0.999
    clip: float = 5.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise RecipeError for the first field that can't be used."""
        for field, good, expected in _checks(self):
            if not good:
                raise RecipeError(
                    f"Recipe field {field!r}: expected {expected}, got {getattr(self, field)!r}.",
                    "Correct it and start again.",
                )
        ARCHITECTURES.get(self.architecture)
        SPLITS.get(self.split)
        if not self.teachers and (self.alpha < 1 or self.beta > 0):
            raise RecipeError(
                "The recipe weighs a teacher's terms (alpha < 1 or beta > 0) but names no teacher.",
                "Add `teachers`, or set alpha = 1 and beta = 0.",
            )

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Recipe:
        """Build a recipe from plain values; raises RecipeError for an unknown or missing field."""
        if not isinstance(values, dict):
            raise RecipeError("The recipe is no table of fields.", "Compare recipes/.")
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
        """Read a `.toml` or `.json` recipe file."""
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
            values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        except OSError as error:
            raise RecipeError(
                f"There is no recipe {str(path)!r}.", "The shipped ones are in recipes/."
            ) from error
        except ValueError as error:
            raise RecipeError(f"{path.name} can't be parsed: {error}.", "Correct it.") from error
        return Recipe.from_dict(values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that `from_dict` reads back."""
        return asdict(self)


def _checks(r: Recipe) -> Iterator[tuple[str, bool, str]]:
    """Yield field, whether it can be used, and what was expected."""
    for name in ("name", "architecture", "title", "init", "split"):
        yield name, isinstance(getattr(r, name), str), "text"
    yield "name", r.name not in ("", ".", "..") and not set(r.name) & set("/\\"), "a folder's name"
    yield "role", r.role in ROLES, f"one of {', '.join(ROLES)}"
    yield "class_weights", r.class_weights in CLASS_WEIGHTS, " or ".join(CLASS_WEIGHTS)
    texts = isinstance(r.teachers, tuple) and all(isinstance(t, str) for t in r.teachers)
    yield "teachers", texts, "a list of checkpoint folders"
    for name, least in (("init_mean", -1e6), ("init_std", 1e-6)):
        values = getattr(r, name)
        three = isinstance(values, tuple) and len(values) in (0, 3)
        yield name, three and all(_number(v, least, 1e6) for v in values), "three numbers, or none"
    for name, least in (("epochs", 1), ("batch_size", 2), ("seed", 0), ("split_seed", 0)):
        yield name, _whole(getattr(r, name), least), f"a whole number of at least {least}"
    yield "input_size", _whole(r.input_size, *PIXELS), "16 to 1024 pixels"
    sizes = isinstance(r.sizes, tuple) and all(_is_stage(pair) for pair in r.sizes)
    yield "sizes", sizes, "pairs of a first epoch, from 0, and 16 to 1024 pixels"
    for name in ("alpha", "mixup"):
        yield name, _number(getattr(r, name), 0, 1), "a number in [0, 1]"
    for name in ("label_smoothing", "ema"):
        value = getattr(r, name)
        yield name, _number(value, 0, 1) and value < 1, "a number in [0, 1)"
    for name in ("temperature", "learning_rate", "clip"):
        value = getattr(r, name)
        yield name, _number(value, 0, 1e9) and value > 0, "a positive number"
    for name in ("beta", "weight_decay", "warmup_epochs"):
        yield name, _number(getattr(r, name), 0, 1e9), "a number of at least 0"


def _whole(value: object, low: int, high: int = 10**9) -> bool:
    return type(value) is int and low <= value <= high


def _number(value: object, low: float, high: float) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and low <= value <= high  # type: ignore[operator]


def _is_stage(pair: object) -> bool:
    two = isinstance(pair, tuple) and len(pair) == 2
    return two and _whole(pair[0], 0) and _whole(pair[1], *PIXELS)  # type: ignore[index]


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
