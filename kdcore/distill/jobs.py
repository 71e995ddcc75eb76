"""Training runs as processes of their own: start, pause, cancel, resume, list, delete.

A run outlives whoever started it: the process leads a session of its own, writes into its folder
and nowhere else, and is spoken to by files in it (see `kdcore.distill.run`).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from kdcore.base import REPOSITORY, KdError, SettingError, runs_folder
from kdcore.distill.recipe import Recipe
from kdcore.distill.run import RunFolder, RunStatus

_LOG_TAIL = 4000  # characters


@dataclass(frozen=True)
class Run:
    """One run as its folder tells it; `recipe` is None where it can't be read."""

    name: str
    folder: RunFolder
    status: RunStatus
    recipe: Recipe | None
    history: list[dict[str, float]]

    @property
    def has_checkpoint(self) -> bool:
        """Whether its result is there to be used."""
        return (self.folder.checkpoint / "card.json").is_file()


def list_runs(root: Path | None = None) -> list[Run]:
    """Return the runs in `root` (default: the state folder's), the latest started first."""
    started: dict[Path, float] = {}
    for path in (root or runs_folder()).glob("*/recipe.json"):
        with suppress(OSError):  # deleted by somebody since it was listed
            started[path.parent] = path.stat().st_mtime
    return [read_run(path) for path in sorted(started, key=lambda p: -started[p])]


def read_run(path: Path) -> Run:
    """Return the run in a folder, whatever state its files are in."""
    folder = RunFolder(path)
    try:
        recipe = folder.read_recipe()
    except KdError:
        recipe = None
    return Run(path.name, folder, folder.status(), recipe, folder.read_history())


def start_run(
    recipe: Recipe, data: Path, device: str = "cpu", root: Path | None = None
) -> RunFolder:
    """Start training `recipe` in a process that waits for its turn; returns its folder.

    Parameters
    ----------
    recipe : what to train; its name is the folder's
    data : folder of the data set; rows without an image are left out
    device : "cpu" or "cuda"
    root : the folder of all runs (default: the state folder's)

    Raises
    ------
    SettingError
        If there is a run of that name already.
    """
    folder = RunFolder((root or runs_folder()) / recipe.name)
    try:
        folder.path.mkdir(parents=True)
    except FileExistsError as error:
        raise SettingError(
            f"There is a run named {recipe.name!r} already.",
            "Give this one another name, or delete that one on the Runs page.",
        ) from error
    folder.write_recipe(recipe)
    _spawn(folder, data, device, resume=False)
    return folder


def resume_run(folder: RunFolder, data: Path, device: str = "cpu") -> None:
    """Let a run that ended early go on after its last epoch, with its own recipe.

    Raises
    ------
    SettingError
        If a process is at work on it, or it is done.
    """
    status = folder.status()
    if status.live or status.state == "done":
        raise SettingError(
            f"The run {folder.path.name!r} is {status.state}: there is nothing to resume.",
            "Resume one that was cancelled, failed or interrupted.",
        )
    _spawn(folder, data, device, resume=True)


def cancel_run(folder: RunFolder) -> None:
    """Ask a run to stop; what its last finished epoch left is kept."""
    folder.cancel_file.touch()


def pause_run(folder: RunFolder, paused: bool) -> None:
    """Ask a run to wait after the step it is in, or to go on."""
    if paused:
        folder.pause_file.touch()
    else:
        folder.pause_file.unlink(missing_ok=True)


def delete_run(folder: RunFolder) -> None:
    """Delete a run's folder with all that it holds.

    Raises
    ------
    SettingError
        If a process is at work on it, or somebody else deletes it, too.
    """
    if folder.status().live:
        raise SettingError(
            f"The run {folder.path.name!r} is at work.", "Cancel it first, then delete it."
        )
    try:
        shutil.rmtree(folder.path)
    except FileNotFoundError as error:
        raise SettingError(
            f"Another session has deleted the run {folder.path.name!r}, or is about to."
        ) from error


def log_tail(folder: RunFolder) -> str:
    """Return the end of what the run's process printed."""
    try:
        return folder.log_file.read_text(errors="replace")[-_LOG_TAIL:]
    except OSError:
        return ""


def recipe_difference(one: Recipe, other: Recipe) -> list[tuple[str, Any, Any]]:
    """Return the fields in which two recipes differ, with both values."""
    pairs = [(f.name, getattr(one, f.name), getattr(other, f.name)) for f in fields(Recipe)]
    return [pair for pair in pairs if pair[1] != pair[2]]


def _spawn(folder: RunFolder, data: Path, device: str, resume: bool) -> None:
    folder.forget_requests()
    folder.write_status("starting")
    command = [sys.executable, "-m", "kdcore", "train", str(folder.recipe_file)]
    command += ["--run", str(folder.path), "--out", str(folder.checkpoint), "--queue"]
    command += ["--data", str(data), "--skip-missing", "--device", device]
    with open(folder.log_file, "ab") as log:
        subprocess.Popen(
            [*command, *(["--resume"] if resume else [])],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a signal to the server's group is not one to the run
        )
