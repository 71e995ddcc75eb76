"""`python -m kdcore robustness`: models on corrupted pictures, resumable, with the tables."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kdcore.base import SettingError, checkpoints_folder
from kdcore.cli.common import (
    add_data_arguments,
    choose,
    open_data,
    say_progress,
    whole_number,
    write_json,
)
from kdcore.data import ImageDataset, Sample
from kdcore.data.corruptions import image_seed, parse_stack
from kdcore.evaluate.bootstrap import mean_interval
from kdcore.evaluate.robustness import CLEAN, MapCell, corruption_of
from kdcore.evaluate.robustness_grid import measure_grid, unseen_samples
from kdcore.explain.under_corruption import map_stability
from kdcore.models import Checkpoint, load_checkpoint
from kdcore.predict.grid import all_stacks
from kdcore.report.robustness import markdown_summary
from kdcore.report.robustness_files import write_robustness

_METHOD = "grad-cam"  # of the maps: Score-CAM would take hours


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "checkpoints", metavar="CHECKPOINT", nargs="+", help="folders, or names in checkpoints/"
    )
    parser.add_argument(
        "--teacher", metavar="CHECKPOINT", help="of them, to compare with (default: the first)"
    )
    parser.add_argument("--only", nargs="+", metavar="CORRUPTION", default=[], help="default: all")
    parser.add_argument(
        "--images", type=whole_number, metavar="N", help="the first N by hash (default: all)"
    )
    parser.add_argument("--seed", type=whole_number, default=0, help="of corruptions and bootstrap")
    parser.add_argument("--resamples", type=whole_number, default=500, help="of the bootstrap")
    parser.add_argument(
        "--maps", type=whole_number, default=0, metavar="N",
        help="compare Grad-CAM maps of N pictures with their clean selves, too",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", type=Path, help="write tables here")
    add_data_arguments(parser, split="test")


def run(options: argparse.Namespace) -> None:
    """Compute what is missing of the grid, measure it, print and write the tables."""
    started = time.monotonic()
    checkpoints = [load_checkpoint(_folder(name)) for name in options.checkpoints]
    teacher = _folder(options.teacher or options.checkpoints[0]).name
    teacher = next((c.card.name for c in checkpoints if c.path.name == teacher), "")
    if not teacher:
        raise SettingError(
            f"The teacher {options.teacher!r} is none of the checkpoints.", "Name it among them."
        )
    data = open_data(options, checkpoints[0].card.classes)
    chosen = choose(data, options, checkpoints[0].card.recipe)
    samples = unseen_samples(chosen, (checkpoint.card for checkpoint in checkpoints))
    if left_out := len(chosen) - len(samples):
        print(f"Left out: {left_out:,} of {len(chosen):,} images that a checkpoint was trained on.")
    samples = samples[: options.images]
    stacks = all_stacks(options.only)
    found = measure_grid(
        checkpoints, data, samples, options.split, stacks, teacher, options.resamples,
        options.seed, say_progress,
    )  # fmt: skip
    if options.maps:
        maps = _maps(checkpoints, data, samples[: options.maps], stacks, options.seed)
        found = replace(found, maps=maps, map_method=_METHOD)
    seconds = time.monotonic() - started
    print(markdown_summary(found, seconds))
    if options.out:
        write_robustness(options.out, found, seconds)
        print(f"Tables in {options.out}")
    write_json(options, found.as_dict() | {"seconds": seconds})


def _folder(name: str) -> Path:
    path = Path(name)
    return path if path.is_dir() else checkpoints_folder() / name


def _maps(
    checkpoints: Sequence[Checkpoint],
    data: ImageDataset,
    samples: Sequence[Sample],
    stacks: Sequence[str],
    seed: int,
) -> tuple[MapCell, ...]:
    pictures = [(data.picture(s.image_id).rgb, image_seed(s.image_id, seed)) for s in samples]
    lesions = [sample.lesion_id for sample in samples]
    spoilt = [stack for stack in stacks if stack != CLEAN]
    steps = [parse_stack(stack) for stack in spoilt]
    made = []
    for checkpoint in checkpoints:
        found = map_stability(checkpoint, pictures, steps, _METHOD, say_progress)
        by_stack = dict(zip(spoilt, found.T, strict=True))
        for name in dict.fromkeys(map(corruption_of, spoilt)):  # severities averaged
            own = [values for stack, values in by_stack.items() if corruption_of(stack) == name]
            by_stack[name] = np.mean(own, axis=0)
        for stack, values in by_stack.items():
            r = mean_interval(values, lesions, seed=seed)
            made.append(MapCell(checkpoint.card.name, stack, r, int((values == values).sum())))
    return tuple(made)
