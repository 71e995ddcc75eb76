"""`Card`: what a checkpoint is, checked field by field when it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kdcore.base import CheckpointError, way_out, write_text
from kdcore.models.build import ARCHITECTURES, refused_sides

CARD = "card.json"
ADDED = ("", "imported", "promoted")
_HINT = "Correct that field, or restore card.json."
ROLES = ("teacher", "student", "baseline")


@dataclass(frozen=True)
class Card:
    """What a checkpoint is, in words and numbers that travel with its weights.

    `role` is "teacher", "student" or "baseline" (a student without a teacher). `input_size` is
    the side of the square input in pixels; `mean` and `std` normalise RGB on [0, 1].
    `temperature` calibrates the logits (fitted on validation). `members` lists the architectures
    of an ensemble. `train_groups` and `train_images` are SHA-256 prefixes of the lesions trained on
    and, where pictures have the same name everywhere, of their names, so that testing on one of
    them can be refused. `teachers` gives the SHA-256 of each teacher's weights by its
    name; older cards have none. `added` is "imported" or "promoted" where a person put the
    checkpoint among the others, who may delete it again; what is shipped has "".
    """

    name: str
    role: str
    architecture: str
    classes: tuple[str, ...]
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    title: str = ""
    temperature: float = 1.0
    members: tuple[str, ...] = ()
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    ood: dict[str, Any] = field(default_factory=dict)
    train_groups: tuple[str, ...] = ()
    train_images: tuple[str, ...] = ()
    provenance: str = ""
    licence: str = ""
    weights_sha256: str = ""
    teachers: dict[str, str] = field(default_factory=dict)
    added: str = ""

    @property
    def trained(self) -> tuple[str, ...]:
        """Every hash by which a picture that was trained on is known, by lesion or name."""
        return (*self.train_groups, *self.train_images)


def read_card(folder: Path) -> Card:
    """Read and check the card in `folder`; raises CheckpointError in words."""
    path = Path(folder) / CARD
    if not path.is_file():
        raise CheckpointError(
            f"{Path(folder).name!r} is not a checkpoint: it has no {CARD}.",
            "Name a folder that `python -m kdcore train` wrote.",
        )
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
        card = Card(**{k: v for k, v in fields.items() if k in Card.__dataclass_fields__})
    except OSError as error:
        raise CheckpointError(
            f"The card of {Path(folder).name!r} can't be read: {error.strerror}.", way_out(error)
        ) from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(
            f"The card of {Path(folder).name!r} can't be read: {error}.",
            "Restore card.json, or train again.",
        ) from error
    check_card(card, Path(folder).name)
    return card


def check_card(card: Card, of: str, hint: str = _HINT) -> None:
    """Raise CheckpointError, naming the checkpoint `of`, for the first field that can't be used."""
    for name, good, expected in _checks(card):
        if not good:
            raise CheckpointError(
                f"The card of {of!r} can't be used: expected {name!r} to be {expected}, got "
                f"{str(getattr(card, name))[:80]!r}.",
                hint,
            )


def write_card(folder: Path, card: Card) -> None:
    """Write `card.json`, whole or not at all."""
    plain = asdict(card)
    hashes = {name: plain.pop(name) for name in ("train_groups", "train_images")}
    # Thousands of short hashes: several in a line, and last, so that the rest can be read.
    lists = [f'  "{name}": {_listed(values)}' for name, values in hashes.items()]
    text = json.dumps(plain, indent=2, ensure_ascii=False).removesuffix("\n}")
    text = ",\n".join([text, *lists]) + "\n}\n"
    write_text(Path(folder) / CARD, text)


def _listed(values: tuple[str, ...]) -> str:
    rows = [", ".join(map(json.dumps, values[i : i + 6])) for i in range(0, len(values), 6)]
    return "[\n    " + ",\n    ".join(rows) + "\n  ]" if rows else "[]"


def strength(card: Card) -> float:
    """Return the card's macro-F1 on validation; −1, below every score, where it has none."""
    found: Any = card.metrics
    for key in ("val", "macro_f1", "value"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if _is_number(found) else -1.0


def card_order(card: Card) -> tuple[int, bool, float, str]:
    """Return a sort key: teachers, students, baselines; in each the strongest on validation first.

    Ensembles come after the single networks of their role, since they cost what their members do.
    """
    order = {role: index for index, role in enumerate(ROLES)}
    return order.get(card.role, len(ROLES)), bool(card.members), -strength(card), card.name


def list_checkpoints(root: Path) -> list[Card]:
    """Return the cards of the checkpoints directly under `root`, by `card_order`."""
    return sorted((read_card(p.parent) for p in Path(root).glob(f"*/{CARD}")), key=card_order)


def _checks(card: Card) -> Iterator[tuple[str, bool, str]]:
    """Yield field, whether it can be used, and what was expected; the first miss ends it."""
    for name in ("name", "title", "role", "architecture", "provenance", "licence"):
        yield name, isinstance(getattr(card, name), str), "text"
    yield "weights_sha256", isinstance(card.weights_sha256, str), "text"
    yield "added", card.added in ADDED, "imported, promoted or empty"
    folder = card.name not in ("", ".", "..") and not set(card.name) & set("/\\\0")
    yield "name", folder, "a name without / or \\"
    yield "role", card.role in ROLES, f"one of {', '.join(ROLES)}"
    known = ARCHITECTURES.names()
    yield "members", _are_texts(card.members) and set(card.members) <= set(known), "architectures"
    single = f"one of {', '.join(known)}"
    yield "architecture", bool(card.members) or card.architecture in known, single
    distinct = _are_texts(card.classes) and len(set(card.classes)) == len(card.classes) >= 2
    yield "classes", distinct, "two or more different names"
    pixels = type(card.input_size) is int and 16 <= card.input_size <= 1024
    yield "input_size", pixels, "16 to 1024 pixels"
    refused = pixels and refused_sides(card.architecture, [card.input_size])
    yield "input_size", not refused, f"a size of its network: {refused}"
    yield "mean", _are_three(card.mean), "three numbers"
    yield "std", _are_three(card.std) and min(card.std) > 0, "three positive numbers"
    warm = _is_number(card.temperature) and card.temperature > 0
    yield "temperature", warm, "a positive number"
    for name in ("train_groups", "train_images"):
        yield name, _are_texts(getattr(card, name)), "a list of texts"
    for name in ("recipe", "metrics", "ood", "teachers"):
        yield name, isinstance(getattr(card, name), dict), "a mapping"
    yield "teachers", _are_texts(tuple(card.teachers.values())), "names and SHA-256"
    yield (
        "recipe",
        _is_recipe(card.recipe),
        "a table whose split is text, split_seed a whole number, teachers a list of texts",
    )
    rate = card.ood.get("false_alarm_rate")
    share = rate is None or (_is_number(rate) and 0 <= rate <= 1)
    yield "ood", share, "a mapping whose false_alarm_rate is in [0, 1]"


def _is_recipe(recipe: dict[str, Any]) -> bool:
    """Tell whether what is read of a recipe, beside its table, is of the right kind."""
    split, seed = recipe.get("split"), recipe.get("split_seed")
    teachers = recipe.get("teachers") or ()
    return (
        (split is None or isinstance(split, str))
        and (seed is None or (type(seed) is int and seed >= 0))
        and isinstance(teachers, list | tuple)
        and _are_texts(tuple(teachers))
    )


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e30  # neither NaN nor infinite, nor a whole number too long for a float


def _are_three(values: object) -> bool:
    return isinstance(values, tuple) and len(values) == 3 and all(map(_is_number, values))


def _are_texts(values: object) -> bool:
    return isinstance(values, tuple) and all(isinstance(value, str) for value in values)
