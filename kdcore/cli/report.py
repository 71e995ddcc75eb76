"""`python -m kdcore report`: tables, figures and one document, from saved predictions alone."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from kdcore.base import SettingError, data_folder, results_folder
from kdcore.base.words import size_text
from kdcore.cli.common import whole_number, write_json
from kdcore.cli.reporting.folder import DOCUMENT, PRINTED, SOURCE, staged, write_document
from kdcore.cli.reporting.models import ReportModels, open_models
from kdcore.cli.reporting.whole import SECTIONS, make_document, report_command
from kdcore.data import open_dataset
from kdcore.data.splits import MEASURED_PARTS
from kdcore.report.document import Document
from kdcore.report.efficiency_files import read_efficiency
from kdcore.report.robustness_files import read_robustness


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="write it here")
    parser.add_argument(
        "--models", metavar="NAME", nargs="+", default=[], help="default: every shipped checkpoint"
    )
    parser.add_argument(
        "--teacher",
        metavar="NAME",
        default="",
        help="what the others are held against; default: the strongest teacher, an ensemble last",
    )
    parser.add_argument(
        "--sections", metavar="NAME", nargs="+", choices=SECTIONS, default=[],
        help=f"of {', '.join(SECTIONS)}; default: all of them",
    )  # fmt: skip
    parser.add_argument(
        "--data", metavar="DIR", help="data folder, for a section on it with pictures"
    )
    parser.add_argument("--part", choices=MEASURED_PARTS, default="test", help="default: test")
    parser.add_argument(
        "--resamples", type=whole_number, default=1000, help="of the bootstrap; 0: no intervals"
    )
    parser.add_argument(
        "--robustness", metavar="DIR", type=Path,
        help="folder of a table by `kdcore robustness` (default: the shipped results)",
    )  # fmt: skip
    parser.add_argument(
        "--efficiency", metavar="DIR", type=Path,
        help="folder of a record by `kdcore efficiency` (default: the shipped results)",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Choose the models, measure them, write the report, say where it is."""
    started = time.monotonic()
    _check_records(options)
    models, left_out = open_models(options.models, options.teacher, options.part, options.resamples)
    for text in left_out:
        print(text, file=sys.stderr)
    data = None
    if options.data:
        data = open_dataset(data_folder(options.data) or "", classes=models.teacher.test.classes)
    with staged(options.out) as folder:
        document = make_document(
            models, options.robustness or results_folder(), _command(options), options.sections,
            efficiency=options.efficiency, data=data,
        )  # fmt: skip
        _tell_missing(document, options)
        size = write_document(folder, document, options.out)
    seconds = time.monotonic() - started
    tables, figures = (len(blocks) for blocks in (document.tables(), document.figures()))
    print(
        f"{options.out / DOCUMENT}, {PRINTED} and {SOURCE}: {tables} tables and {figures} figures "
        f"of {len(models.subjects)} models, {size_text(size)} in {seconds:.0f} s."
    )
    write_json(options, _result(models) | {"tables": tables, "figures": figures, "bytes": size})


def _check_records(options: argparse.Namespace) -> None:
    """Raise SettingError for a folder that was named and has no record."""
    for option, read in (("robustness", read_robustness), ("efficiency", read_efficiency)):
        folder = getattr(options, option)
        if folder and read(folder) is None:
            raise SettingError(
                f"--{option}: there is no {option}.json in {str(folder)!r}.",
                f"Name a folder that `python -m kdcore {option} --out` wrote.",
            )


def _tell_missing(document: Document, options: argparse.Namespace) -> None:
    """Say which sections were asked for and have nothing to tell; raise if none has."""
    if not document.sections:
        raise SettingError(
            f"There is nothing to tell of these models under {', '.join(options.sections)}.",
            "Choose other sections, or other models.",
        )
    named = [name for name in ("robustness", "efficiency") if getattr(options, name)]
    asked = [name for name in SECTIONS if name in (options.sections or named)]
    absent = set(asked) - {section.name for section in document.sections}
    for name in (name for name in asked if name in absent):
        text = f"The report has no section on {name}: nothing is known of it for these models."
        print(text, file=sys.stderr)


def _command(options: argparse.Namespace) -> str:
    named = [name for name in ("data", "robustness", "efficiency") if getattr(options, name)]
    return report_command(
        options.out.name or "report", options.models, options.teacher, options.sections,
        options.part, options.resamples, named,
    )  # fmt: skip


def _result(models: ReportModels) -> dict[str, object]:
    return {
        "teacher": models.teacher.model.name,
        "part": models.part,
        "models": {s.model.name: models.evaluations[s.title].as_dict() for s in models.subjects},
        "pairs": {
            s.model.name: models.pairs[s.title]
            .named(models.teacher.model.name, s.model.name)
            .as_dict()
            for s in models.others
        },
    }
