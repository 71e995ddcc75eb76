"""Where things are: the data folder (environment variable or remembered), the state folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

from kdcore.base.errors import SettingError
from kdcore.base.files import write_text

DATA_VARIABLE = "DISTILSCOPE_DATA"
STATE_VARIABLE = "DISTILSCOPE_STATE"
CHECKPOINTS_VARIABLE = "DISTILSCOPE_CHECKPOINTS"
REPOSITORY = Path(__file__).resolve().parents[2]


def state_folder() -> Path:
    """Return the folder for settings and runs: `DISTILSCOPE_STATE`, else `~/.distilscope`."""
    return Path(os.environ.get(STATE_VARIABLE) or Path.home() / ".distilscope").expanduser()


def checkpoints_folder() -> Path:
    """Return the folder of checkpoints: `DISTILSCOPE_CHECKPOINTS`, else the repository's."""
    named = os.environ.get(CHECKPOINTS_VARIABLE)
    return Path(named).expanduser() if named else REPOSITORY / "checkpoints"


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
        If the folder was named and is not there.
    """
    for source, value in (
        ("--data", explicit),
        ("the Data page", _remembered()),
        (DATA_VARIABLE, os.environ.get(DATA_VARIABLE)),
    ):
        if value:
            path = Path(value).expanduser()
            if not path.exists():
                raise SettingError(
                    f"The data folder {str(path)!r} (from {source}) does not exist.",
                    "Name the folder, zip or file that holds the data set.",
                )
            return path
    return None


def remember_data_folder(folder: str | Path | None) -> None:
    """Remember `folder` for later starts of the app; None forgets it."""
    path = state_folder() / "settings.json"
    value = str(Path(folder).expanduser().resolve()) if folder else None
    write_text(path, json.dumps({"data_folder": value}, indent=2))


def _remembered() -> str | None:
    path = state_folder() / "settings.json"
    try:
        return json.loads(path.read_text()).get("data_folder")
    except (OSError, ValueError, AttributeError):
        return None  # no settings yet, or half-written by hand: as if nothing was remembered
