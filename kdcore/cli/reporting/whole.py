"""The report's document: its sections in their order, and the command that makes it again."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from kdcore.base import results_folder
from kdcore.base.progress import ShareProgress
from kdcore.cli.reporting.answers import answers_section
from kdcore.cli.reporting.corrupted import robustness_section
from kdcore.cli.reporting.efficiency import efficiency_section
from kdcore.cli.reporting.gains import gains_section
from kdcore.cli.reporting.methods import methods_section
from kdcore.cli.reporting.models import ReportModels
from kdcore.cli.reporting.pictures import data_section
from kdcore.cli.reporting.scores import classes_section, summary_section
from kdcore.cli.reporting.training import training_section
from kdcore.cli.reporting.trust import calibration_section, operating_section
from kdcore.data import ImageDataset
from kdcore.report.checkpoints import data_name
from kdcore.report.document import Document, Section
from kdcore.report.notes import counted

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


def make_document(
    models: ReportModels,
    robustness: Path,
    command: str,
    wanted: Sequence[str] = (),
    progress: ShareProgress | None = None,
    efficiency: Path | None = None,
    data: ImageDataset | None = None,
) -> Document:
    """Return the report of the models.

    Parameters
    ----------
    models : the models, the teacher first
    robustness : the folder of a robustness table
    command : what makes the report again
    wanted : keys of `SECTIONS`; none for all
    progress : called before each section with the share that is done and what comes next
    efficiency : the folder of an efficiency record; default the shipped results
    data : the data set, for a section on it with pictures; default none
    """
    makers: dict[str, Callable[[], Section | None]] = {
        "summary": lambda: summary_section(models),
        "gains": lambda: gains_section(models, results_folder()),
        "classes": lambda: classes_section(models),
        "answers": lambda: answers_section(models),
        "calibration": lambda: calibration_section(models),
        "operating": lambda: operating_section(models),
        "robustness": lambda: robustness_section(models, robustness),
        "efficiency": lambda: efficiency_section(models, efficiency or results_folder()),
        "training": lambda: training_section(models),
        "methods": lambda: methods_section(models, command),
    }
    sections: list[Section | None] = []
    names = [name for name in makers if name in (wanted or makers)]
    if data is not None:
        sections.append(data_section(models, data))
    for place, name in enumerate(names):
        if progress:
            progress(place / len(names), SECTIONS[name])
        sections.append(makers[name]())
    teacher = models.teacher
    lead = (
        f"Made on {date.today().isoformat()} of {len(models.subjects)} models, "
        f"{'; '.join(s.title for s in models.subjects)}. "
        f"{counted(models.evaluations[teacher.title])} Research and teaching only, not for medical "
        "decisions."
    )
    title = f"Models compared on {data_name(teacher.test.classes)}"
    return Document(title, lead, tuple(section for section in sections if section))


def report_command(
    out: str,
    models: Sequence[str],
    teacher: str,
    sections: Sequence[str],
    part: str,
    resamples: int,
    folders: Sequence[str] = (),
) -> str:
    """Return what to type for the same report again.

    Parameters
    ----------
    out : the name of its folder
    models, teacher, sections : as they were chosen; empty for what the command takes by itself
    part, resamples : of what is measured
    folders : which of its options name a folder of this machine, of "data", "robustness" and
        "efficiency"; the folders themselves stay untold
    """
    words = ["python", "-m", "kdcore", "report", "--out", out]
    words += ["--models", *models] if models else []
    words += ["--teacher", teacher] if teacher else []
    words += ["--sections", *sections] if sections else []
    words += ["--part", part, "--resamples", str(resamples)]
    for name in folders:
        words += [f"--{name}", "DIR"]
    return shlex.join(words)
