"""`python -m kdcore report`: tables, figures and one document, from saved predictions alone."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from kdcore.base import data_folder, results_folder
from kdcore.cli.common import whole_number, write_json
from kdcore.cli.reporting.answers import answers_section
from kdcore.cli.reporting.corrupted import robustness_section
from kdcore.cli.reporting.efficiency import efficiency_section
from kdcore.cli.reporting.folder import DOCUMENT, PRINTED, SOURCE, staged, write_document
from kdcore.cli.reporting.gains import gains_section
from kdcore.cli.reporting.methods import methods_section
from kdcore.cli.reporting.pictures import data_section
from kdcore.cli.reporting.scores import classes_section, summary_section
from kdcore.cli.reporting.study import Study, open_study
from kdcore.cli.reporting.training import training_section
from kdcore.cli.reporting.trust import calibration_section, operating_section
from kdcore.data import ImageDataset, open_dataset
from kdcore.report.checkpoints import data_name
from kdcore.report.document import Document, Section
from kdcore.report.notes import counted

PARTS = ("val", "test")
# Each with what it is called where it is chosen.
SECTIONS = {
    "summary": "Models: sizes and scores",
    "gains": "What distillation brings: students and their baselines",
    "classes": "Class by class: precision, recall, F1 and gaps",
    "answers": "Answers: confusion matrices and agreement",
    "calibration": "Calibration and reliability diagrams",
    "operating": "Operating points",
    "robustness": "Robustness to corruptions",
    "efficiency": "Efficiency: time, size and exports",
    "training": "Training curves",
    "methods": "Methods: settings, software, sources, commands",
}
Progress = Callable[[float, str], None]


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
        help="what the others are held against; default: the strongest teacher",
    )
    parser.add_argument(
        "--sections", metavar="NAME", nargs="+", choices=SECTIONS, default=[],
        help=f"of {', '.join(SECTIONS)}; default: all of them",
    )  # fmt: skip
    parser.add_argument(
        "--data", metavar="DIR", help="data folder, for a section on it with pictures"
    )
    parser.add_argument("--part", choices=PARTS, default="test", help="default: test")
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
    study, left_out = open_study(options.models, options.teacher, options.part, options.resamples)
    for text in left_out:
        print(text, file=sys.stderr)
    data = None
    if options.data:
        data = open_dataset(data_folder(options.data) or "", classes=study.teacher.test.classes)
    with staged(options.out) as folder:
        document = make_document(
            study, options.robustness or results_folder(), command(options), options.sections,
            efficiency=options.efficiency, data=data,
        )  # fmt: skip
        size = write_document(folder, document, options.out)
    seconds = time.monotonic() - started
    tables, figures = (len(blocks) for blocks in (document.tables(), document.figures()))
    print(
        f"{options.out / DOCUMENT}, {PRINTED} and {SOURCE}: {tables} tables and {figures} figures "
        f"of {len(study.subjects)} models, {size / 2**20:.1f} MiB in {seconds:.0f} s."
    )
    write_json(options, _result(study) | {"tables": tables, "figures": figures, "bytes": size})


def make_document(
    study: Study,
    robustness: Path,
    command: str,
    wanted: Sequence[str] = (),
    progress: Progress | None = None,
    efficiency: Path | None = None,
    data: ImageDataset | None = None,
) -> Document:
    """Return the report of a study.

    Parameters
    ----------
    study : the models, the teacher first
    robustness : the folder of a robustness table
    command : what makes the report again
    wanted : keys of `SECTIONS`; none for all
    progress : called before each section with the share that is done and what comes next
    efficiency : the folder of an efficiency record; default the shipped results
    data : the data set, for a section on it with pictures; default none
    """
    makers: dict[str, Callable[[], Section | None]] = {
        "summary": lambda: summary_section(study),
        "gains": lambda: gains_section(study, results_folder()),
        "classes": lambda: classes_section(study),
        "answers": lambda: answers_section(study),
        "calibration": lambda: calibration_section(study),
        "operating": lambda: operating_section(study),
        "robustness": lambda: robustness_section(study, robustness),
        "efficiency": lambda: efficiency_section(study, efficiency or results_folder()),
        "training": lambda: training_section(study),
        "methods": lambda: methods_section(study, command),
    }
    sections: list[Section | None] = []
    names = [name for name in makers if name in (wanted or makers)]
    if data is not None:
        sections.append(data_section(study, data))
    for place, name in enumerate(names):
        if progress:
            progress(place / len(names), SECTIONS[name])
        sections.append(makers[name]())
    teacher = study.teacher
    lead = (
        f"Made on {date.today().isoformat()} of {len(study.subjects)} models, "
        f"{'; '.join(s.title for s in study.subjects)}. "
        f"{counted(study.evaluations[teacher.title])} Research and teaching only, not for medical "
        "decisions."
    )
    title = f"Models compared on {data_name(teacher.test.classes)}"
    return Document(title, lead, tuple(section for section in sections if section))


def command(options: argparse.Namespace) -> str:
    """Return what to type for the same report again."""
    words = ["python", "-m", "kdcore", "report", "--out", options.out.name or "report"]
    words += ["--models", *options.models] if options.models else []
    words += ["--teacher", options.teacher] if options.teacher else []
    words += ["--sections", *options.sections] if options.sections else []
    words += ["--data", "DIR"] if options.data else []
    words += ["--part", options.part, "--resamples", str(options.resamples)]
    for name in ("robustness", "efficiency"):
        words += [f"--{name}", "DIR"] if getattr(options, name) else []
    return shlex.join(words)


def _result(study: Study) -> dict[str, object]:
    return {
        "teacher": study.teacher.model.name,
        "part": study.part,
        "models": {s.model.name: study.evaluations[s.title].as_dict() for s in study.subjects},
        "pairs": {
            s.model.name: study.pairs[s.title]
            .named(study.teacher.model.name, s.model.name)
            .as_dict()
            for s in study.others
        },
    }
