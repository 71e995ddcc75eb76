"""A run directory is the truth about a job: recipe, status, history, last and best weights."""

from __future__ import annotations

import csv
import json
import os
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

from kdcore.base import RecipeError, write_atomically
from kdcore.distill.recipe import Recipe


class RunFolder:
    """Reads and writes one run's files; every write is whole or not there."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.last = self.path / "last.pt"
        self.best = self.path / "best.pt"
        self.history_file = self.path / "history.csv"
        self.status_file = self.path / "status.json"
        self.recipe_file = self.path / "recipe.json"
        self.cancel_file = self.path / "cancel"

    def write_recipe(self, recipe: Recipe) -> None:
        """Write `recipe.json`."""
        text = json.dumps(recipe.to_dict(), indent=2) + "\n"
        write_atomically(self.recipe_file, lambda p: p.write_text(text))

    def check_recipe(self, recipe: Recipe) -> None:
        """Check that the run in this folder was started with `recipe`, its title aside.

        Raises
        ------
        RecipeError
            If a field differs, or the folder's own recipe can't be read.
        """
        own = Recipe.read(self.recipe_file)
        for field in (f.name for f in fields(Recipe) if f.name != "title"):
            ours, theirs = getattr(own, field), getattr(recipe, field)
            if ours != theirs:
                raise RecipeError(
                    f"The run in {self.path.name!r} was started with {field} = {ours!r}, and the "
                    f"recipe says {theirs!r}: it can't be resumed with another one.",
                    f"Resume it with its own {self.recipe_file.name}, or name another folder "
                    "with --run.",
                )

    def write_status(self, state: str, **facts: Any) -> None:
        """Write `status.json`: running, done, cancelled or failed, with a heartbeat."""
        status = {"state": state, "pid": os.getpid(), "heartbeat": time.time(), **facts}
        text = json.dumps(status, indent=2) + "\n"
        write_atomically(self.status_file, lambda p: p.write_text(text))

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Write `history.csv`, one row an epoch."""

        def write(path: Path) -> None:
            with open(path, "w", newline="") as file:
                writer = csv.DictWriter(file, rows[0].keys())
                writer.writeheader()
                writer.writerows(rows)

        write_atomically(self.history_file, write)

    def cancel_requested(self) -> bool:
        """Tell whether someone put a file named `cancel` into the run's folder."""
        return self.cancel_file.exists()

    def forget_cancel(self) -> None:
        """Remove the file named `cancel`, so that a cancelled run can go on."""
        self.cancel_file.unlink(missing_ok=True)
