"""`Recipe`: the one description of a training run, typed and validated once."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from kdcore.base import RecipeError
from kdcore.data import SPLITS
from kdcore.models import ARCHITECTURES

ROLES = ("teacher", "student", "baseline")
CLASS_WEIGHTS = ("none", "inverse-sqrt")


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
        ARCHITECTURES.get(self.architecture)
        SPLITS.get(self.split)
        for field, good, expected in (
            ("role", self.role in ROLES, f"one of {', '.join(ROLES)}"),
            ("alpha", 0 <= self.alpha <= 1, "a number in [0, 1]"),
            ("temperature", self.temperature > 0, "a positive number"),
            ("beta", self.beta >= 0, "a number of at least 0"),
            ("input_size", 16 <= self.input_size <= 1024, "16 to 1024 pixels"),
            ("epochs", self.epochs >= 1, "at least 1"),
            ("batch_size", self.batch_size >= 2, "at least 2"),
            ("learning_rate", self.learning_rate > 0, "a positive number"),
            ("class_weights", self.class_weights in CLASS_WEIGHTS, " or ".join(CLASS_WEIGHTS)),
            ("label_smoothing", 0 <= self.label_smoothing < 1, "a number in [0, 1)"),
            ("mixup", 0 <= self.mixup <= 1, "a share in [0, 1]"),
            ("ema", 0 <= self.ema < 1, "a decay in [0, 1)"),
        ):
            if not good:
                raise RecipeError(
                    f"Recipe field {field!r}: expected {expected}, got {getattr(self, field)!r}.",
                    "Correct it and start again.",
                )
        if not self.teachers and (self.alpha < 1 or self.beta > 0):
            raise RecipeError(
                "The recipe weighs a teacher's terms (alpha < 1 or beta > 0) but names no teacher.",
                "Add `teachers`, or set alpha = 1 and beta = 0.",
            )

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Recipe:
        """Build a recipe from plain values; raises RecipeError for an unknown or missing field."""
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


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
