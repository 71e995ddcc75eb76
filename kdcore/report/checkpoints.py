"""Checkpoints as a table: what each is, how good, how large, where it lies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kdcore.base import KdError, folder_bytes
from kdcore.data import DATASETS
from kdcore.data.splits import MEASURED_PARTS
from kdcore.models import Card, read_card
from kdcore.report.cells import Rows

_HEAD = ["name", "role", "network", "data", "input, px", "val macro-F1", "test macro-F1"]


def checkpoint_rows(found: Iterable[tuple[Path, Card]]) -> Rows:
    """Return one row for each checkpoint, from its folder and card."""
    body: Rows = []
    for folder, card in found:
        network = " + ".join(card.members) if card.members else card.architecture
        scores = [score_text(card, part) for part in MEASURED_PARTS]
        where = [round(folder_bytes(folder) / 1e6, 1), str(folder)]
        made = [card.name, card.role, network, data_name(card.classes), card.input_size]
        body.append([*made, *scores, *where])
    return [[*_HEAD, "MB", "folder"], *body]


def overview_rows(found: Iterable[tuple[Path, Card]]) -> Rows:
    """Return one short row for each checkpoint: what it is, test macro-F1, teachers, size."""
    found = list(found)
    titles = {card.name: title_of(card) for _, card in found}
    body: Rows = [
        [
            title_of(card),
            score_text(card, "test", 2) or "not measured",
            card.role,
            " + ".join(titles.get(name, name) for name in taught_names(card)) or "none",
            f"{card.input_size} × {card.input_size}",
            round(folder_bytes(folder) / 1e6, 1),
        ]
        for folder, card in found
    ]
    return [
        ["model", "test macro-F1 [95 %]", "role", "taught by", "input, px", "folder, MB"],
        *body,
    ]


def title_of(card: Card) -> str:
    """Return what a checkpoint is called for people."""
    return card.title or card.name


def taught_names(card: Card) -> tuple[str, ...]:
    """Return the names of a card's teachers; older cards have them in their recipe alone."""
    return tuple(card.teachers or card.recipe.get("teachers") or ())


def score_text(card: Card, part: str, digits: int = 3) -> str:
    """Return a card's macro-F1 on a part as "0.612 [0.580, 0.641]"; "" where it has none."""
    found: Any = card.metrics
    for key in (part, "macro_f1"):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, dict) or not _is_number(found.get("value")):
        return ""
    value = f"{found['value']:.{digits}f}"
    bounds = [found.get(key) for key in ("low", "high")]
    if not all(map(_is_number, bounds)):
        return value
    return f"{value} [{bounds[0]:.{digits}f}, {bounds[1]:.{digits}f}]"


def score_figures(folder: Path) -> dict[str, str]:
    """Return the macro-F1 of a checkpoint's card with intervals, by names for people.

    A checkpoint that was not measured, or whose card can't be read, has none.
    """
    try:
        card = read_card(folder)
    except KdError:
        return {}
    parts = {"val": "Validation macro-F1 [95 %]", "test": "Test macro-F1 [95 %]"}
    found = {title: score_text(card, part) for part, title in parts.items()}
    return {title: score for title, score in found.items() if score}


def data_name(classes: tuple[str, ...]) -> str:
    """Return the name of the data set with these classes, or how many classes there are.

    Several names where several share them, as the OrganMNISTs do.
    """
    names = [info.name for info in DATASETS.values() if info.classes == tuple(classes)]
    return " or ".join(names) or f"{len(classes)} other classes"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
