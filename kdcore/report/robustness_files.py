"""Robustness tables as files: computed, written by the command and the page, read by the page."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from kdcore.base import DataError, write_atomically
from kdcore.data import ImageDataset, Sample
from kdcore.evaluate.robustness import Robustness
from kdcore.evaluate.robustness_grid import measure_grid, unseen_samples
from kdcore.models import load_checkpoint
from kdcore.predict.grid import Progress, all_stacks
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
        write_atomically(folder / name, partial(Path.write_text, data=text, encoding="utf-8"))


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
    except (OSError, ValueError, DataError) as error:
        raise DataError(
            f"The robustness table {str(path)!r} can't be read: {error}",
            "Delete it, or make it again with `python -m kdcore robustness`.",
        ) from error


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    return round(value, 5) if isinstance(value, float) else value


def compute_robustness(
    folders: Sequence[Path],
    data: ImageDataset,
    samples: Sequence[Sample],
    corruptions: Sequence[str],
    images: int,
    target: Path,
    progress: Progress,
) -> float:
    """Compute the grid of checkpoints on test pictures, write its files, return the seconds.

    Parameters
    ----------
    folders : of the checkpoints, the teacher's first
    data, samples : where the pictures are, and those of the test part
    corruptions : names, at all their severities
    images : how many of the pictures that no checkpoint was trained on; 0 for all
    target : folder that is written to
    progress : called with pictures done and in all; what it raises ends the computation

    Raises
    ------
    KdError
        If a checkpoint or a picture can't be read, or no picture is left.
    """
    started = time.monotonic()
    checkpoints = [load_checkpoint(folder) for folder in folders]
    left = unseen_samples(samples, [checkpoint.card for checkpoint in checkpoints])
    stacks = all_stacks(corruptions)
    teacher = checkpoints[0].card.name
    found = measure_grid(
        checkpoints, data, left[: images or None], "test", stacks, teacher, progress=progress
    )
    seconds = time.monotonic() - started
    write_robustness(target, found, seconds)
    return seconds
