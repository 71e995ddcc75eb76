"""Robustness of checkpoints: predicted on corrupted pictures, measured, with maps if asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kdcore.base.progress import Progress
from kdcore.data import ImageDataset, Sample
from kdcore.data.corruptions import CLEAN, image_seed, parse_stack
from kdcore.evaluate.bootstrap import mean_interval
from kdcore.evaluate.robustness import (
    MapCell,
    Robustness,
    corruption_of,
    overall_corruptions,
    robustness,
)
from kdcore.explain.under_corruption import map_stability
from kdcore.models import Checkpoint, check_names
from kdcore.predict.grid import grid_store, run_grid
from kdcore.report.robustness_files import write_robustness

_METHOD = "grad-cam"  # of the maps: Score-CAM would take hours


def measure_grid(
    checkpoints: Sequence[Checkpoint],
    data: ImageDataset,
    samples: Sequence[Sample],
    split: str,
    stacks: Sequence[str],
    teacher: str = "",
    n_boot: int = 500,
    seed: int = 0,
    progress: Progress | None = None,
) -> Robustness:
    """Compute the cells that are not kept yet, and measure the grid.

    Parameters are those of `run_grid` and `robustness`; `teacher` is a card's name.

    Raises
    ------
    CheckpointError
        If two networks have one name, or as `run_grid` does.
    DataError
        If the teacher is none of them, or as `run_grid` does.
    """
    check_names(checkpoint.card for checkpoint in checkpoints)
    store = grid_store(samples, seed)
    run_grid(checkpoints, data, samples, split, stacks, store, seed, progress)
    grid = {
        c.card.name: {s: cell for s in stacks if (cell := store.load(c.hash, s)) is not None}
        for c in checkpoints
    }
    temperatures = {c.card.name: c.card.temperature for c in checkpoints}
    return robustness(grid, temperatures, teacher, n_boot, seed, overall_corruptions(stacks))


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
