"""A report in memory: HTML, PDF and a zip of everything, for whoever asked in the app."""

from __future__ import annotations

import io
import time
import zipfile
from dataclasses import dataclass

from kdcore.base import results_folder
from kdcore.base.progress import ShareProgress
from kdcore.base.words import duration
from kdcore.cli.reporting.folder import report_files
from kdcore.cli.reporting.models import open_models
from kdcore.cli.reporting.whole import SECTIONS, make_document, report_command

# Seconds for each model at 1,000 resamples on two cores; a first report takes some more to begin.
_COSTS = {
    "summary": 0.6, "gains": 0.3, "classes": 0.8, "answers": 0.3, "calibration": 0.7,
    "operating": 0.2, "robustness": 0.2, "efficiency": 0.5, "training": 0.3, "methods": 0.0,
}  # fmt: skip
_BEGIN, _SET = 2.0, 0.3  # seconds: what every report takes, and to set each model's pages
_DRAWN = 0.9  # of the progress, when all sections are there


@dataclass(frozen=True)
class Wanted:
    """What a report is to hold: names of models, the teacher's, part, keys of `SECTIONS`."""

    models: tuple[str, ...]
    teacher: str
    part: str
    sections: tuple[str, ...]
    resamples: int = 1000


@dataclass(frozen=True)
class Bundle:
    """A report's files, and what is in it.

    Attributes
    ----------
    name : stem of its files
    archive : a zip of the documents, every table (LaTeX, CSV) and figure (SVG, PDF)
    tables, figures : how many there are
    left_out : which models are not in it and why, in sentences
    seconds : how long it took
    """

    name: str
    archive: bytes
    tables: int
    figures: int
    left_out: tuple[str, ...]
    seconds: float

    def read(self, document: str) -> bytes:
        """Return `DOCUMENT` or `PRINTED`; only the zip is kept, which a session holds for long."""
        with zipfile.ZipFile(io.BytesIO(self.archive)) as archive:
            return archive.read(f"{self.name}/{document}")


def estimate(wanted: Wanted) -> str:
    """Return about how long a report takes, in words."""
    each = sum(_COSTS.get(name, 1.0) for name in wanted.sections) * wanted.resamples / 1000
    return duration(_BEGIN + len(wanted.models) * (each + _SET))


def make_bundle(wanted: Wanted, progress: ShareProgress) -> Bundle:
    """Return a report.

    Parameters
    ----------
    wanted : what it is to hold
    progress : called with the share that is done and what comes next; may raise to stop it

    Raises
    ------
    KdError
        If the models can't be measured together, or a file that is needed is broken.
    """
    started = time.monotonic()
    models, left_out = open_models(wanted.models, wanted.teacher, wanted.part, wanted.resamples)
    name = f"distilscope-report-{wanted.part}-{models.teacher.stem}-and-{len(models.others)}-more"
    sections = () if set(wanted.sections) == set(SECTIONS) else wanted.sections
    document = make_document(
        models,
        results_folder(),
        report_command(
            name, wanted.models, wanted.teacher, sections, wanted.part, wanted.resamples
        ),
        wanted.sections,
        lambda done, what: progress(_DRAWN * done, what),
    )
    progress(_DRAWN, "Setting the pages")
    files = report_files(document)
    return Bundle(
        name=name,
        archive=_zipped(name, files),
        tables=len(document.tables()),
        figures=len(document.figures()),
        left_out=tuple(left_out),
        seconds=time.monotonic() - started,
    )


def _zipped(name: str, files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(f"{name}/{path}", content)
    return buffer.getvalue()
