"""`python -m kdcore robustness`: models on corrupted pictures, resumable, with the tables."""

from __future__ import annotations

import argparse
from pathlib import Path

from kdcore.base import SettingError
from kdcore.cli.common import (
    add_data_arguments,
    checkpoint_folder,
    counting_number,
    open_data,
    refuse_foreign,
    say_progress,
    whole_number,
    write_json,
)
from kdcore.cli.running.robustness import compute_robustness
from kdcore.cli.unseen import choose_unseen
from kdcore.data import first_by_hash
from kdcore.models import load_checkpoint
from kdcore.predict.grid import all_stacks
from kdcore.report.robustness import markdown_summary
from kdcore.report.robustness_files import NAME, read_robustness


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
        "--images", type=counting_number, metavar="N", help="the first N by hash (default: all)"
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
    refuse_foreign(options.out, NAME, read_robustness)
    folders = [checkpoint_folder(name) for name in options.checkpoints]
    teacher = checkpoint_folder(options.teacher or options.checkpoints[0])
    places = [folder.resolve() for folder in folders]
    if teacher.resolve() not in places:
        raise SettingError(
            f"The teacher {options.teacher!r} is none of the checkpoints.", "Name it among them."
        )
    checkpoints = [load_checkpoint(folder) for folder in folders]
    data = open_data(options, checkpoints[0].card.classes)
    unseen, _ = choose_unseen(data, options, [checkpoint.card for checkpoint in checkpoints])
    samples = first_by_hash(unseen, options.images)
    found, seconds = compute_robustness(
        checkpoints, data, samples, all_stacks(options.only), options.out,
        options.split, checkpoints[places.index(teacher.resolve())].card.name, options.resamples,
        options.seed, options.maps, say_progress,
    )  # fmt: skip
    print(markdown_summary(found, seconds))
    if options.out:
        print(f"Tables in {options.out}")
    write_json(options, found.as_dict() | {"seconds": seconds})
