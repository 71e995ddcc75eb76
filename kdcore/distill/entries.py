"""A recipe's entries in a form: lists as one line of text ("0:64, 8:96"), steps of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kdcore.base import RecipeError
from kdcore.distill.fields import Field
from kdcore.distill.recipe import Recipe

EXAMPLES = {
    "texts": "one, two",
    "numbers": "1, 0.5, 0.25",
    "three": "0.485, 0.456, 0.406",
    "sizes": "0:64, 8:96",
    "schedules": "alpha linear 0.9; beta warm-up 2",
}


def entry_text(field: Field, value: tuple[Any, ...]) -> str:
    """Return a list field's value as `read_entry` reads it."""
    if field.kind == "sizes":
        return ", ".join(f"{epoch}:{pixels}" for epoch, pixels in value)
    if field.kind == "schedules":
        return "; ".join(f"{what} {kind} {_short(number)}" for what, kind, number in value)
    return ", ".join(v if isinstance(v, str) else _short(v) for v in value)


def read_entry(field: Field, text: str) -> tuple[Any, ...]:
    """Return the value that a line of text stands for; empty text is the empty list.

    Raises
    ------
    RecipeError
        If the text can't be read, or the field does not take its value.
    """
    separator = ";" if field.kind == "schedules" else ","
    pieces = [piece.strip() for piece in text.split(separator) if piece.strip()]
    try:
        value = tuple(_READERS[field.kind](piece) for piece in pieces)
    except ValueError:
        value = None
    if value is None or not field.accepts(value):
        raise RecipeError(
            f"Recipe field {field.name!r}: expected {field.expected}, got {text!r}.",
            f"Write it like this: {EXAMPLES[field.kind]}",
        )
    return value


def button_step(field: Field) -> float:
    """Return a step for the buttons of a number: a twentieth of [0, 1], for others a power of ten.

    That is about a tenth of a default in (0, 1), else 1.
    """
    default = float(getattr(Recipe, field.name, 0.0))
    if field.high <= 1 and field.name not in ("ema", "effective_beta"):
        return 0.05
    return 10.0 ** math.floor(math.log10(default) - 0.5) if 0 < default < 1 else 1.0


def _size(piece: str) -> tuple[int, int]:
    epoch, pixels = piece.split(":")
    return int(epoch), int(pixels)


def _schedule(piece: str) -> tuple[str, str, float]:
    what, kind, number = piece.split()
    return what, kind, float(number)


def _short(number: float) -> str:
    return repr(number).removesuffix(".0")


_READERS: dict[str, Callable[[str], Any]] = {
    "texts": str,
    "numbers": float,
    "three": float,
    "sizes": _size,
    "schedules": _schedule,
}
