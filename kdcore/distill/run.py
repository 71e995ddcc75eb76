"""A run directory is the truth about a job: recipe, status, history, last and best weights."""

from __future__ import annotations

import csv
import json
import os
import time
from pathlib import Path
from typing import Any

from kdcore.base import write_atomically
from kdcore.distill.recipe import Recipe


class RunFolder:
    """Reads and writes one run's files; every write is whole or not there."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.last = self.path / "last.pt"
        self.best = self.path / "best.pt"
        self.history_file = self.path / "history.csv"
        self.status_file = self.path / "status.json"

    def write_recipe(self, recipe: Recipe) -> None:
        """Write `recipe.json`."""
        text = json.dumps(recipe.to_dict(), indent=2) + "\n"
        write_atomically(self.path / "recipe.json", lambda p: p.write_text(text))

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
        return (self.path / "cancel").exists()
