"""Robustness tables as files: computed, written by the command and the page, read by the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kdcore.base import DataError, write_text
from kdcore.evaluate.robustness import Robustness
from kdcore.report.cells import csv_text
from kdcore.report.robustness import cell_rows, map_rows, markdown_summary

NAME = "robustness"


def write_robustness(folder: Path, found: Robustness, seconds: float) -> None:
    """Write `robustness.json`, `.csv` and `.md`, and `robustness-maps.csv` where there are maps.

    Numbers have five digits after the point in JSON; `seconds` is the time it took.
    """
    values = _rounded(found.as_dict() | {"seconds": seconds})
    texts = {
        f"{NAME}.json": json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n",
        f"{NAME}.csv": csv_text(cell_rows(found.cells)),
        f"{NAME}.md": markdown_summary(found, seconds),
    }
    if found.maps:
        texts[f"{NAME}-maps.csv"] = csv_text(map_rows(found.maps))
    for name, text in texts.items():
        write_text(folder / name, text)


def read_robustness(folder: Path) -> Robustness | None:
    """Return what `write_robustness` wrote into `folder`, or None where there is nothing.

    Raises
    ------
    DataError
        If the file is broken.
    """
    path = folder / f"{NAME}.json"
    if not path.is_file():
        return None
    try:
        return Robustness.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError, DataError) as error:
        raise DataError(
            f"The robustness table {str(path)!r} can't be read: {str(error).rstrip('.')}.",
            "Delete it, or make it again with `python -m kdcore robustness`.",
        ) from error


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    return round(value, 5) if isinstance(value, float) else value
