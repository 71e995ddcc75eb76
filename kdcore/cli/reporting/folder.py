"""A report's folder: written beside its place first, then moved there, the document last."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kdcore.base import SettingError, expanded
from kdcore.report.document import Document, html_document
from kdcore.report.latex_document import latex_document
from kdcore.report.latex_paper import paper_table
from kdcore.report.typeset import pdf_document

DOCUMENT = "report.html"
PRINTED = "report.pdf"
SOURCE = "report-latex.tex"  # which makes a PDF of its own beside PRINTED
_FOLDERS = ("tables", "figures")


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Yield a new folder beside `out`, which takes its place at the end of the `with` block.

    An earlier report in `out` is replaced, and left as it was if the block raises. What else lies
    beside an earlier report is kept.

    Raises
    ------
    SettingError
        If `out` can't be written to, or holds something that is no report.
    """
    target = expanded(out, "--out").resolve()
    _refuse_foreign(target)
    with _told(out):
        target.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        yield stage
        with _told(out):
            _publish(stage, target)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def write_document(folder: Path, document: Document, out: Path) -> int:
    """Write every table, every figure and the document into `folder`; return the bytes written.

    `out` is what an error calls the folder.
    """
    files = report_files(document)
    with _told(out):
        for name in _FOLDERS:
            (folder / name).mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
    return sum(map(len, files.values()))


def report_files(document: Document) -> dict[str, bytes]:
    """Return every file of a report by its path in the report's folder, the document last."""
    files: dict[str, bytes] = {}
    for table in document.tables():
        files[f"tables/{table.name}.tex"] = paper_table(table.rows, table.caption).encode()
        files[f"tables/{table.name}.csv"] = table.csv().encode()
    for figure in document.figures():
        files[f"figures/{figure.name}.svg"] = figure.svg
        files[f"figures/{figure.name}.pdf"] = figure.pdf
    files[SOURCE] = latex_document(document).encode()
    files[PRINTED] = pdf_document(document)
    files[DOCUMENT] = html_document(document).encode()
    return files


def _refuse_foreign(target: Path) -> None:
    """Raise SettingError where `target` is a file, or a folder of something else."""
    ours = {DOCUMENT, *_FOLDERS}
    with _told(target):
        if not target.exists():
            return
        names = {path.name for path in target.iterdir()} if target.is_dir() else {"a file"}
    if not names <= ours and DOCUMENT not in names:
        raise SettingError(
            f"{str(target)!r} holds something that is no report.", "Name a new or empty folder."
        )


def _publish(stage: Path, target: Path) -> None:
    """Move what was written into place; without its document a folder is no report."""
    target.mkdir(exist_ok=True)
    for name in (DOCUMENT, PRINTED, SOURCE):
        (target / name).unlink(missing_ok=True)
    for name in _FOLDERS:
        if (target / name).exists():
            shutil.rmtree(target / name)
        (stage / name).rename(target / name)
    for name in (SOURCE, PRINTED, DOCUMENT):
        (stage / name).rename(target / name)


@contextmanager
def _told(out: Path) -> Iterator[None]:
    """Turn what the system refuses into words."""
    try:
        yield
    except OSError as error:
        raise SettingError(
            f"The report can't be written to {str(out)!r}: {error.strerror or error}.",
            "Free some space or name another folder with --out, and run this again.",
        ) from error
