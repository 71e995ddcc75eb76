"""Where things are: the data folder (environment variable or remembered), the state folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

from kdcore.base.errors import SettingError, in_words
from kdcore.base.files import write_text

DATA_VARIABLE = "DISTILSCOPE_DATA"
STATE_VARIABLE = "DISTILSCOPE_STATE"
CHECKPOINTS_VARIABLE = "DISTILSCOPE_CHECKPOINTS"
REPOSITORY = Path(__file__).resolve().parents[2]


def expanded(named: str | Path, source: str) -> Path:
    """Return a path with "~" replaced; SettingError, naming `source`, if nobody is so called."""
    try:
        return Path(named).expanduser()
    except RuntimeError as error:
        raise SettingError(
            f"There is no home folder for {str(named)!r} (from {source}).",
            "Name the folder without ~.",
        ) from error


def state_folder() -> Path:
    """Return the folder for settings and runs: `DISTILSCOPE_STATE`, else `~/.distilscope`."""
    named = os.environ.get(STATE_VARIABLE)
    return expanded(named, STATE_VARIABLE) if named else expanded("~/.distilscope", "the default")


def checkpoints_folder() -> Path:
    """Return the folder of checkpoints: `DISTILSCOPE_CHECKPOINTS`, else the repository's."""
    named = os.environ.get(CHECKPOINTS_VARIABLE)
    return expanded(named, CHECKPOINTS_VARIABLE) if named else REPOSITORY / "checkpoints"


def results_folder() -> Path:
    """Return the folder of the results that the repository ships."""
    return REPOSITORY / "results"


def runs_folder() -> Path:
    """Return the folder of training runs, inside the state folder."""
    return state_folder() / "runs"


def data_folder(explicit: str | Path | None = None) -> Path | None:
    """Return the data folder: the explicit one, else the remembered one, else the variable's.

    The remembered folder is the Data page's; it wins over the variable because a person chose it
    later. None means that no data set is configured.

    Raises
    ------
    SettingError
        If the folder was named and is not there, or may not be looked at.
    """
    for source, value in (
        ("--data", explicit),
        ("the Data page", _remembered()),
        (DATA_VARIABLE, os.environ.get(DATA_VARIABLE)),
    ):
        if value:
            path = expanded(value, source)
            with in_words():
                there = path.exists()
            if not there:
                raise SettingError(
                    f"The data folder {str(path)!r} (from {source}) does not exist.",
                    "Name the folder, zip or file that holds the data set.",
                )
            return path
    return None


def remember_data_folder(folder: str | Path | None) -> None:
    """Remember `folder` for later starts of the app; None forgets it."""
    path = state_folder() / "settings.json"
    value = str(expanded(folder, "the Data page").resolve()) if folder else None
    write_text(path, json.dumps({"data_folder": value}, indent=2))


def _remembered() -> str | None:
    path = state_folder() / "settings.json"
    try:
        folder = json.loads(path.read_text(encoding="utf-8")).get("data_folder")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None  # no settings yet, or half-written by hand: as if nothing was remembered
    return folder if isinstance(folder, str) else None
