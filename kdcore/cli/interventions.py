"""`python -m kdcore interventions`: causal masks tested by removing them, resumable."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from kdcore.base import SettingError
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
from kdcore.evaluate.interventions import measure_interventions
from kdcore.explain.interventions import FRACTIONS, REGIONS, Plan, run_interventions
from kdcore.models import Checkpoint, check_names, load_checkpoint
from kdcore.report.interventions import interventions_markdown, write_interventions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "students", metavar="STUDENT", nargs="+", help="folders, or names in checkpoints/"
    )
    parser.add_argument("--teacher", metavar="CHECKPOINT", required=True)
    parser.add_argument(
        "--images", type=counting_number, metavar="N", help="the first N by hash (default: all)"
    )
    parser.add_argument(
        "--q", type=float, nargs="+", metavar="Q", default=list(FRACTIONS),
        help="areas of the masks, shares of the cells (default: 0.1 0.2 0.3)",
    )  # fmt: skip
    parser.add_argument(
        "--regions", type=whole_number, default=REGIONS, metavar="R",
        help=f"random regions to compare each mask with (default: {REGIONS})",
    )  # fmt: skip
    parser.add_argument("--seed", type=whole_number, default=0, help="of regions and bootstrap")
    parser.add_argument("--resamples", type=whole_number, default=1000, help="of the bootstrap")
    parser.add_argument("--out", metavar="DIR", type=Path, help="write records and tables here")
    add_data_arguments(parser, split="test")


def run(options: argparse.Namespace) -> None:
    """Remove masks where that was not done yet, measure it, print and write the tables."""
    started, plan = time.monotonic(), _plan(options)
    teacher, *students = _networks(options)
    data = open_data(options, teacher.card.classes)
    unseen, _ = choose_unseen(data, options, [c.card for c in (teacher, *students)])
    samples = first_by_hash(unseen, options.images)
    records = []
    for network in (teacher, *students):
        records.append(
            run_interventions(
                network, teacher, data, samples, options.split, plan, progress=say_progress
            )
        )
    studies = [measure_interventions(r, options.resamples, options.seed) for r in records]
    seconds = time.monotonic() - started
    print(interventions_markdown(studies, seconds))
    if options.out:
        write_interventions(options.out, records, studies, seconds)
        print(f"Records and tables in {options.out}")
    write_json(options, {"seconds": seconds, "studies": [s.as_dict() for s in studies]})


def _plan(options: argparse.Namespace) -> Plan:
    try:
        return Plan(tuple(options.q), options.regions, options.seed)
    except ValueError as error:
        raise SettingError(
            f"These masks can't be tested: {error}.",
            "Give --q above 0 and at most 1, and at least one of --regions.",
        ) from error


def _networks(options: argparse.Namespace) -> list[Checkpoint]:
    """Return the teacher and the students, all of its classes and each of another name."""
    teacher = load_checkpoint(checkpoint_folder(options.teacher))
    students = [
        load_checkpoint(checkpoint_folder(n), teacher.card.classes) for n in options.students
    ]
    check_names(checkpoint.card for checkpoint in (teacher, *students))
    return [teacher, *students]
