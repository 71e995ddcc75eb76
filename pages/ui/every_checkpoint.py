"""Every checkpoint that is here: shipped, imported, and those of this machine's runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pages.ui.frame import show_error

if TYPE_CHECKING:
    from kdcore.models import Card


def found() -> dict[str, tuple[Path, Card]]:
    """Return folder and card of each by the folder's or run's name; say which can't be read."""
    from kdcore.base import KdError, checkpoints_folder, runs_folder
    from kdcore.models import card_order, read_card

    by_name = {}
    paths = (
        *checkpoints_folder().glob("*/card.json"),
        *runs_folder().glob("*/checkpoint/card.json"),
    )
    for path in sorted(paths):
        own = path.parent.parent if path.parent.name == "checkpoint" else path.parent
        try:
            by_name[own.name] = (path.parent, read_card(path.parent))
        except KdError as error:
            show_error(error)
    return dict(sorted(by_name.items(), key=lambda item: card_order(item[1][1])))


def titles(models: dict[str, tuple[Path, Card]]) -> dict[str, str]:
    """Return what each is called on a page, by its name."""
    return {name: card.title or name for name, (_, card) in models.items()}
