"""`python -m kdcore robustness`: models on corrupted pictures, resumable, with the tables."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from kdcore.base import DataError, SettingError, checkpoints_folder, write_atomically
from kdcore.cli.common import (
    add_data_arguments,
    open_data,
    say_progress,
    whole_number,
    write_json,
)
from kdcore.cli.unseen import choose_unseen
from kdcore.data import ImageDataset, Sample
from kdcore.data.corruptions import image_seed, parse_stack
from kdcore.evaluate.bootstrap import mean_interval
from kdcore.evaluate.robustness import CLEAN, MapCell, Robustness, robustness
from kdcore.explain.under_corruption import map_stability
from kdcore.models import Checkpoint, load_checkpoint
from kdcore.predict.grid import GridStore, all_stacks, grid_store, run_grid
from kdcore.report.cells import csv_text
from kdcore.report.robustness import cell_rows, map_rows, markdown_summary

_METHOD = "grad-cam"  # of the maps: Score-CAM would take hours
FILE = "robustness"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "checkpoints", metavar="CHECKPOINT", nargs="+", help="folders, or names in checkpoints/"
    )
    parser.add_argument(
        "--teacher", metavar="CHECKPOINT", help="of them, to compare with (default: the first)"
    )
    parser.add_argument("--only", nargs="+", metavar="CORRUPTION", default=[], help="default: all")
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
    names = [checkpoint.card.name for checkpoint in checkpoints]
    teacher = _folder(options.teacher or options.checkpoints[0]).name
    teacher = next((c.card.name for c in checkpoints if c.path.name == teacher), "")
    if not teacher or len(set(names)) < len(names):
        raise SettingError(
            f"The teacher {options.teacher!r} is none of the checkpoints."
            if not teacher
            else "Two of the checkpoints have one name.",
            "Name each checkpoint once, the teacher among them.",
        )
    data = open_data(options, checkpoints[0].card.classes)
    samples = _samples(data, options, checkpoints)
    store = grid_store(samples, options.seed)
    stacks = all_stacks(options.only)
    run_grid(checkpoints, data, samples, options.split, stacks, store, options.seed, say_progress)
    found = _measure(checkpoints, store, stacks, teacher, options)
    if options.maps:
        maps = _maps(checkpoints, data, samples[: options.maps], stacks, options.seed)
        found = replace(found, maps=maps, map_method=_METHOD)
    seconds = time.monotonic() - started
    print(markdown_summary(found, seconds))
    result = found.as_dict() | {"seconds": round(seconds, 1)}
    if options.out:
        _write(options.out, found, result, seconds)
    write_json(options, result)


def _folder(name: str) -> Path:
    path = Path(name)
    return path if path.is_dir() else checkpoints_folder() / name


def _samples(
    data: ImageDataset, options: argparse.Namespace, checkpoints: Sequence[Checkpoint]
) -> list[Sample]:
    """Return what none of the checkpoints was trained on, in an order that mixes the classes."""
    left: dict[str, Sample] | None = None
    for checkpoint in checkpoints:
        chosen, _ = choose_unseen(data, options, checkpoint.card)
        new = {sample.image_id: sample for sample in chosen}
        left = new if left is None else {i: s for i, s in left.items() if i in new}
    if not left:
        raise DataError(
            "No picture is new to all of the checkpoints.", "Choose another part, or fewer of them."
        )
    return sorted(left.values(), key=lambda sample: image_seed(sample.image_id))


def _measure(
    checkpoints: Sequence[Checkpoint],
    store: GridStore,
    stacks: Sequence[str],
    teacher: str,
    options: argparse.Namespace,
) -> Robustness:
    grid = {
        c.card.name: {s: cell for s in stacks if (cell := store.load(c.hash, s)) is not None}
        for c in checkpoints
    }
    temperatures = {c.card.name: c.card.temperature for c in checkpoints}
    return robustness(grid, temperatures, teacher, options.resamples, options.seed)


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
        for stack, values in zip(spoilt, found.T, strict=True):
            r = mean_interval(values, lesions, seed=seed)
            made.append(MapCell(checkpoint.card.name, stack, r, int((values == values).sum())))
    return tuple(made)


def _write(out: Path, found: Robustness, result: dict[str, object], seconds: float) -> None:
    texts = {
        f"{FILE}.json": json.dumps(_rounded(result), ensure_ascii=False) + "\n",
        f"{FILE}.csv": csv_text(cell_rows(found.cells)),
        f"{FILE}.md": markdown_summary(found, seconds),
    }
    if found.maps:
        texts[f"{FILE}-maps.csv"] = csv_text(map_rows(found.maps))
    for name, text in texts.items():
        write_atomically(out / name, partial(Path.write_text, data=text, encoding="utf-8"))
    print(f"Tables in {out}")


def _rounded(value: object) -> object:
    """Return numbers with five digits after the point: the files are kept in repositories."""
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return round(value, 5) if isinstance(value, float) else value
