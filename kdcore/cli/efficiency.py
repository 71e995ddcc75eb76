"""`python -m kdcore efficiency MODEL...`: what models cost in each form, and which to use."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Container
from pathlib import Path

from kdcore.base import DataError, SettingError, checkpoints_folder, data_folder
from kdcore.base.machine import cores
from kdcore.cli.common import (
    add_data_arguments,
    checkpoint_folder,
    open_data,
    positive_number,
    refuse_foreign,
    say_live,
    say_progress,
    whole_number,
    write_json,
)
from kdcore.cli.running.efficiency import Told, compute_efficiency
from kdcore.data import ImageDataset
from kdcore.deploy.efficiency import RULE, Efficiency
from kdcore.models import CARD, card_order, read_card
from kdcore.models.card import ROLES
from kdcore.report.cells import columns
from kdcore.report.efficiency import artefact_rows, recommendation, shown
from kdcore.report.efficiency_files import NAME, read_efficiency, write_efficiency

_PRINTED = (0, 1, 3, 4, 5, 7, 10, 11, 2)  # columns of the table of artefacts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "checkpoints",
        metavar="MODEL",
        nargs="*",
        help="folders, or names in checkpoints/ (default: all of them)",
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True,
        help=f"write {NAME}.json, its tables and the predictions of INT8 here",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=positive_number, default=60.0, metavar="S",
        help="for the timing, all forms in turns (default: 60)",
    )  # fmt: skip
    parser.add_argument(
        "--threads", type=_threads, default=1, metavar="N", help="of one call (default: 1)"
    )
    add_data_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Make what is not kept yet, time everything, print and write it."""
    refuse_foreign(options.out, NAME, read_efficiency)
    folders = [checkpoint_folder(name) for name in dict.fromkeys(options.checkpoints)] or shipped()
    data = _data(options, folders)
    told = Told(_say, say_progress, say_live)
    found, kept = compute_efficiency(folders, data, options.threads, options.seconds, told)
    write_efficiency(options.out, found, kept)
    print_efficiency(found)
    print(f"Tables in {options.out}")
    write_json(options, result_rows(found))


def result_rows(found: Efficiency) -> dict[str, object]:
    """Return each form of each model for JSON, and the machine that timed them."""
    rows = [
        {
            "model": model.name,
            "artefact": variant.engine,
            "p50_ms": timing.summary.p50,
            "p50_low": timing.summary.low,
            "p50_high": timing.summary.high,
            "speedup_vs_eager": found.speed_up(model, variant.engine),
            "macro_f1": variant.quality["test"].macro_f1 if "test" in variant.quality else None,
            "size_mb": variant.size / 1e6,
            "recommended": variant.recommended,
        }
        for model in found.models
        for variant in model.variants
        if (timing := found.timing(model, variant.engine)) is not None
    ]
    conditions = found.benchmark.conditions
    return {
        "rows": rows,
        "rule": RULE,
        "left_out": list(found.left_out),
        "machine": conditions.machine | {"alone": conditions.alone, "date": conditions.date},
        "threads": found.benchmark.timings[0].contender.threads,
        "seconds": found.benchmark.seconds,
    }


def print_efficiency(found: Efficiency) -> None:
    """Print the table of forms, what is recommended and why, and what is missing."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
    rows = shown(artefact_rows(found))
    print("\n".join(columns([[row[k] for k in _PRINTED] for row in rows])))
    for model in found.models:
        print(recommendation(found, model).replace("**", ""))
    for text in (*found.left_out, found.benchmark.conditions.sentence(), RULE):
        print(text)


def shipped(roles: Container[str] = ROLES) -> list[Path]:
    """Return the folders of the checkpoints that are shipped, of some roles, strongest first.

    Raises
    ------
    SettingError
        If there is none.
    """
    paths = [path.parent for path in checkpoints_folder().glob(f"*/{CARD}")]
    cards = {path: read_card(path) for path in paths}
    found = [path for path, card in cards.items() if card.role in roles]
    if not found:
        raise SettingError("There is no such checkpoint.", "Name the folder of one.")
    return sorted(found, key=lambda path: card_order(cards[path]))


def _data(options: argparse.Namespace, folders: list[Path]) -> ImageDataset | None:
    """Return the data set of the first checkpoint; None where there is no such folder."""
    if not data_folder(options.data):
        return None
    try:
        return open_data(options, read_card(folders[0]).classes)
    except DataError:
        if options.data:  # asked for
            raise
        return None


def _threads(text: str) -> int:
    number = whole_number(text)
    if not 1 <= number <= cores():
        raise argparse.ArgumentTypeError(f"expected 1 to {cores()} here, got {text!r}")
    return number


def _say(text: str) -> None:
    print(text, flush=True)
