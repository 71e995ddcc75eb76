"""A run directory is the truth about a job: recipe, status, history, last and best weights.

Who trains holds the folder's lock, which the system takes back even from a process that was
killed: a run that says "running" and is not locked was interrupted.
"""

from __future__ import annotations

import csv
import io
import json
import os
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from filelock import AcquireReturnProxy, FileLock, Timeout

from kdcore.base import RecipeError, SettingError, write_atomically, write_bytes, write_text
from kdcore.distill.recipe import Recipe

LIVE = ("starting", "queued", "preparing", "caching", "running", "paused", "measuring")

STARTING_S = 60.0  # until then a process that was started may not have come to its lock


@dataclass(frozen=True)
class RunStatus:
    """What a run's folder says: `state`, and what its last `status.json` holds.

    `state` is one of `LIVE`, or done, cancelled, failed, interrupted; "" where nothing was started.
    """

    state: str
    facts: dict[str, Any]

    @property
    def live(self) -> bool:
        """Whether a process is at work on it, or waits to be."""
        return self.state in LIVE


class RunFolder:
    """Reads and writes one run's files; every write is whole or not there."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.last = self.path / "last.pt"
        self.best = self.path / "best.pt"
        self.history_file = self.path / "history.csv"
        self.status_file = self.path / "status.json"
        self.recipe_file = self.path / "recipe.json"
        self.log_file = self.path / "log.txt"
        self.cancel_file = self.path / "cancel"
        self.pause_file = self.path / "pause"
        self.checkpoint = self.path / "checkpoint"
        self._lock = FileLock(self.path / ".lock")

    def lock(self) -> AcquireReturnProxy[FileLock]:
        """Take the folder's lock and return it, for a `with` block that gives it back.

        Raises
        ------
        SettingError
            If another process trains in this folder.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            return self._lock.acquire(timeout=1)  # a page that looks holds it for a moment
        except Timeout as error:
            raise SettingError(
                f"Another process is at work in the run folder {self.path.name!r}.",
                "Wait for it, cancel it, or name another folder with --run.",
            ) from error

    def write_recipe(self, recipe: Recipe) -> None:
        """Write `recipe.json`."""
        text = json.dumps(recipe.to_dict(), indent=2) + "\n"
        write_text(self.recipe_file, text)

    def read_recipe(self) -> Recipe:
        """Return the recipe that the run was started with; RecipeError if it can't be read."""
        return Recipe.read(self.recipe_file)

    def check_recipe(self, recipe: Recipe) -> None:
        """Check that the run in this folder was started with `recipe`, its title aside.

        Raises
        ------
        RecipeError
            If a field differs, or the folder's own recipe can't be read.
        """
        own = self.read_recipe()
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
        """Write `status.json`: the state, who works on it, a heartbeat, and `facts`."""
        status = {"state": state, "pid": os.getpid(), "heartbeat": time.time(), **facts}
        text = json.dumps(status, indent=2) + "\n"
        write_text(self.status_file, text)

    def status(self) -> RunStatus:
        """Return what has become of the run; "interrupted" where its process is gone."""
        try:
            facts = json.loads(self.status_file.read_text())
            state, heartbeat = str(facts["state"]), float(facts.get("heartbeat", 0))
        except (AttributeError, OSError, ValueError, KeyError, TypeError):
            return RunStatus("", {})
        starting = state == "starting" and time.time() - heartbeat < STARTING_S
        if state in LIVE and not starting and not self._is_locked():
            state = "interrupted"
        return RunStatus(state, facts)

    def _is_locked(self) -> bool:
        probe = FileLock(self.path / ".lock")
        try:
            with probe.acquire(timeout=0):
                return False
        except Timeout:
            return True
        except OSError:
            return False  # a folder that can't be written into: nobody works there

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Write `history.csv`, one row an epoch."""

        def write(path: Path) -> None:
            with open(path, "w", newline="") as file:
                writer = csv.DictWriter(file, rows[0].keys())
                writer.writeheader()
                writer.writerows(rows)

        write_atomically(self.history_file, write)

    def read_history(self) -> list[dict[str, float]]:
        """Return the finished epochs; empty where there are none yet."""
        try:
            with open(self.history_file, newline="") as file:
                return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
        except (OSError, ValueError, TypeError):
            return []

    def cancel_requested(self) -> bool:
        """Tell whether someone put a file named `cancel` into the run's folder."""
        return self.cancel_file.exists()

    def pause_requested(self) -> bool:
        """Tell whether someone put a file named `pause` into the run's folder."""
        return self.pause_file.exists()

    def forget_requests(self) -> None:
        """Remove the files `cancel` and `pause`, so that the run can go on."""
        self.cancel_file.unlink(missing_ok=True)
        self.pause_file.unlink(missing_ok=True)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Save tensors whole or not at all; a full disk raises OSError and leaves the old file.

    Through memory, because torch's own writer hides why it could not write.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_bytes(path, buffer.getbuffer())
