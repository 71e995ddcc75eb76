"""Robustness tables as files: computed, written by the command and the page, read by the page."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kdcore.base import DataError, write_atomically
from kdcore.data import ImageDataset, Sample
from kdcore.data.corruptions import image_seed, parse_stack
from kdcore.evaluate.bootstrap import mean_interval
from kdcore.evaluate.robustness import CLEAN, MapCell, Robustness, corruption_of
from kdcore.evaluate.robustness_grid import measure_grid
from kdcore.explain.under_corruption import map_stability
from kdcore.models import Checkpoint
from kdcore.predict.grid import Progress
from kdcore.report.cells import csv_text
from kdcore.report.robustness import cell_rows, map_rows, markdown_summary

NAME = "robustness"
_METHOD = "grad-cam"  # of the maps: Score-CAM would take hours


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
    checkpoints: Sequence[Checkpoint],
    data: ImageDataset,
    samples: Sequence[Sample],
    stacks: Sequence[str],
    target: Path | None,
    split: str = "test",
    teacher: str = "",
    n_boot: int = 500,
    seed: int = 0,
    maps: int = 0,
    progress: Progress | None = None,
) -> tuple[Robustness, float]:
    """Measure the grid, and maps if asked for, write its files, return it and the seconds.

    Parameters
    ----------
    checkpoints, data, samples, split, stacks, teacher, n_boot, seed, progress : of `measure_grid`
    target : folder that is written to; None writes nothing
    maps : compare the Grad-CAM maps of so many pictures with their clean selves

    Raises
    ------
    KdError
        As `measure_grid` does.
    """
    started = time.monotonic()
    found = measure_grid(checkpoints, data, samples, split, stacks, teacher, n_boot, seed, progress)
    if maps:
        cells = _maps(checkpoints, data, samples[:maps], stacks, n_boot, seed, progress)
        found = replace(found, maps=cells, map_method=_METHOD)
    seconds = time.monotonic() - started
    if target:
        write_robustness(target, found, seconds)
    return found, seconds


def _maps(
    checkpoints: Sequence[Checkpoint],
    data: ImageDataset,
    samples: Sequence[Sample],
    stacks: Sequence[str],
    n_boot: int,
    seed: int,
    progress: Progress | None,
) -> tuple[MapCell, ...]:
    pictures = [(data.picture(s.image_id).rgb, image_seed(s.image_id, seed)) for s in samples]
    lesions = [sample.lesion_id for sample in samples]
    spoilt = [stack for stack in stacks if stack != CLEAN]
    steps = [parse_stack(stack) for stack in spoilt]
    made = []
    for checkpoint in checkpoints:
        found = map_stability(checkpoint, pictures, steps, _METHOD, progress)
        by_stack = dict(zip(spoilt, found.T, strict=True))
        for name in dict.fromkeys(map(corruption_of, spoilt)):  # severities averaged
            own = [values for stack, values in by_stack.items() if corruption_of(stack) == name]
            by_stack[name] = np.mean(own, axis=0)
        for stack, values in by_stack.items():
            r = mean_interval(values, lesions, n_boot, seed)
            made.append(MapCell(checkpoint.card.name, stack, r, int((values == values).sum())))
    return tuple(made)
