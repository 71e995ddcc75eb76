"""`python -m kdcore explanations`: does the student look where the teacher looks, resumable."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from kdcore.cli.common import (
    add_data_arguments,
    checkpoint_folder,
    counting_number,
    open_data,
    say_progress,
    whole_number,
    write_json,
)
from kdcore.cli.unseen import choose_unseen
from kdcore.data import first_by_hash
from kdcore.data.corruptions import CLEAN
from kdcore.evaluate.explanations import evaluate_explanations
from kdcore.explain.map_cells import map_cells
from kdcore.explain.map_study import MapStudy, run_map_study
from kdcore.models import load_checkpoint
from kdcore.predict.grid import all_stacks
from kdcore.report.explanations_files import write_explanations
from kdcore.report.explanations_text import markdown_study


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "students", metavar="STUDENT", nargs="+",
        help="folders, or names in checkpoints/; baselines among them are what students are "
        "compared with",
    )  # fmt: skip
    parser.add_argument("--teacher", metavar="CHECKPOINT", required=True, help="as STUDENT")
    parser.add_argument("--method", default="grad-cam", help="of the maps (default: %(default)s)")
    parser.add_argument(
        "--images", type=counting_number, metavar="N", help="the first N by hash (default: all)"
    )
    parser.add_argument(
        "--faithful", type=whole_number, default=0, metavar="M",
        help="test on the first M of them whether the answer follows the map, and whether the map "
        "needs the network (slow; default: 0)",
    )  # fmt: skip
    parser.add_argument(
        "--corruptions", nargs="+", metavar="CORRUPTION", default=[],
        help="compare maps under these, too, at every severity",
    )  # fmt: skip
    parser.add_argument(
        "--corrupted", type=whole_number, default=60, metavar="K",
        help="on the first K of the images (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--seed", type=whole_number, default=0, help="of all that is drawn")
    parser.add_argument("--resamples", type=whole_number, default=1000, help="of the bootstrap")
    parser.add_argument("--out", metavar="DIR", type=Path, help="write records and tables here")
    add_data_arguments(parser, split="test")


def run(options: argparse.Namespace) -> None:
    """Compute what is missing of the study, measure it, print and write the tables."""
    started = time.monotonic()
    teacher, *students = (
        load_checkpoint(checkpoint_folder(n)) for n in (options.teacher, *options.students)
    )
    data = open_data(options, teacher.card.classes)
    unseen, _ = choose_unseen(data, options, [c.card for c in (teacher, *students)])
    study = MapStudy(
        teacher=teacher,
        students=tuple(students),
        data=data,
        samples=tuple(first_by_hash(unseen, options.images)),
        split=options.split,
        method=options.method,
        faithful=options.faithful,
        stacks=_stacks(options.corruptions),
        corrupted=options.corrupted,
        seed=options.seed,
    )
    cells = map_cells(options.method, teacher.hash, options.seed)
    records = run_map_study(study, cells, say_progress)
    found = evaluate_explanations(records, options.resamples, options.seed)
    seconds = time.monotonic() - started
    print(markdown_study(found, seconds))
    if options.out:
        write_explanations(options.out, records, found, seconds)
        print(f"Records and tables in {options.out}")
    write_json(options, found.as_dict() | {"seconds": seconds})


def _stacks(corruptions: list[str]) -> tuple[str, ...]:
    """Return every severity of the corruptions named; none where none is."""
    stacks = all_stacks(corruptions) if corruptions else ()
    return tuple(stack for stack in stacks if stack != CLEAN)
