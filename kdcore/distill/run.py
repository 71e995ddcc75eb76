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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from filelock import AcquireReturnProxy, FileLock, Timeout

from kdcore.base import (
    CheckpointError,
    KdError,
    RecipeError,
    SettingError,
    hold,
    write_atomically,
    write_bytes,
    write_text,
)
from kdcore.base.errors import first_line
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

    def lock(self) -> AcquireReturnProxy[FileLock]:
        """Take the folder's lock and return it, for a `with` block that gives it back.

        What a process that was killed has left half-written is removed then.

        Raises
        ------
        SettingError
            If another process trains in this folder.
        """
        busy = SettingError(
            f"Another process is at work in the run folder {self.path.name!r}.",
            "Wait for it, cancel it, or name another folder with --run.",
        )
        held = hold(self.path / ".lock", busy)  # a page that looks has it for a moment
        self._forget_unfinished()
        return held

    def _forget_unfinished(self) -> None:
        """Remove what a process that was killed left of files that it was writing."""
        for file in (self.last, self.best, self.history_file, self.status_file, self.recipe_file):
            for path in self.path.glob(f".{file.name}.*{file.suffix}"):
                path.unlink(missing_ok=True)

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


@contextmanager
def kept_state(path: Path) -> Iterator[Any]:
    """Give what `save_state` wrote, on the CPU, for a `with` block that loads it.

    Raises
    ------
    CheckpointError
        If the file can't be read, or what it holds does not fit what the block loads it into.
    MemoryError, torch.OutOfMemoryError, PermissionError
        If the machine has no room for it or refuses it: the run is well.
    """
    try:
        yield torch.load(path, map_location="cpu", weights_only=True)
    except (KdError, MemoryError, torch.OutOfMemoryError, PermissionError):
        raise
    except Exception as error:  # a damaged file makes torch raise whatever it stumbles over
        raise CheckpointError(
            f"{path.name} of the run {path.parent.name!r} can't be read: {first_line(error)}.",
            "Start again in another folder (--run), or delete this run.",
        ) from error


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Save tensors whole or not at all; a full disk raises OSError and leaves the old file.

    Through memory, because torch's own writer hides why it could not write.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_bytes(path, buffer.getbuffer())
