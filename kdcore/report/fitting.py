"""A document's tables as they fit a page: cells as text that may be broken, measured by Typst.

Typst comes with its fonts, and reads nothing but a folder that is made for it.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kdcore.base import SettingError
from kdcore.report.cells import is_numeric
from kdcore.report.document import Table, cell_words
from kdcore.report.table_fit import A4, Fit, Page, fit_table

BREAK = "\u200b"  # where a word may be broken
_EM = 10.0  # pt, that words are measured in
_LONG = 24  # letters of a word; what is longer may be broken anywhere
_MEASURE = """
#set text(font: "FONT", size: 10pt, weight: "WEIGHT", hyphenate: false)
#context [#metadata(json("words.json").map(w => measure(text(w)).width.pt())) <widths>]
"""
_Widths = dict[str, float]


@dataclass(frozen=True)
class FittedTable:
    """A table's cells as text, with `BREAK`s in long words, and how it fits a page.

    Attributes
    ----------
    rows : the first is the head
    right : of each column, whether it is of numbers
    natural : of each column, the width of its longest cell or its head on one line, in em
    fit : its letters' size, and its columns' widths
    """

    rows: list[list[str]]
    right: list[bool]
    natural: list[float]
    fit: Fit


def fit_tables(
    tables: Sequence[Table], font: str, folder: Path, page: Page = A4, long: int = _LONG
) -> dict[str, FittedTable]:
    """Return each table by its name, fitted to a page.

    Parameters
    ----------
    tables : with names that differ
    font : that the page is set in, one that Typst has
    folder : for what Typst reads
    page : to fit them to
    long : letters of a word that may be broken; that of fewer is not
    """
    cells = {t.name: [[_cell(v, long) for v in row] for row in t.rows] for t in tables}
    texts = {cell for rows in cells.values() for row in rows for cell in row}
    heads = {cell for rows in cells.values() for cell in rows[0]}
    regular = _measured(texts | _all_words(texts), font, "regular", folder)
    bold = _measured(heads | _all_words(heads), font, "bold", folder)
    return {t.name: _fitted(t, cells[t.name], regular, bold, page) for t in tables}


def breakable(text: str, long: int = _LONG) -> str:
    """Return `text` with places to break its long words: after / _ and -, or anywhere."""
    return re.sub(rf"[^\s{BREAK}\u00a0]{{{long},}}", lambda found: _broken(found[0], long), text)


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a temporary folder; SettingError where it can't be made or written to."""
    try:
        with tempfile.TemporaryDirectory(prefix="distilscope-") as name:
            yield Path(name)
    except OSError as error:
        raise SettingError(
            f"The report can't be set in {tempfile.gettempdir()!r}: {error.strerror or error}.",
            "Free some space there, or set TMPDIR to another folder, and run this again.",
        ) from error


def _fitted(
    table: Table, rows: list[list[str]], regular: _Widths, bold: _Widths, page: Page
) -> FittedTable:
    least, longest = [], []
    for head, *body in zip(*rows, strict=True):
        least.append(max(_least(head, bold), *(_least(text, regular) for text in body), 0.0))
        longest.append(max(_least(head, bold), *(regular[text] for text in body), 0.0))
    natural = [max(pair) for pair in zip(longest, (bold[head] for head in rows[0]), strict=True)]
    right = [is_numeric([row[k] for row in table.rows[1:]]) for k in range(len(rows[0]))]
    return FittedTable(rows, right, natural, fit_table(least, longest, page, _lead(rows[1:])))


def _lead(body: Sequence[Sequence[str]]) -> int:
    """Return how many columns tell the rows apart, 1 where none do."""
    counts = range(1, len(body[0]) if body else 1)
    return next((k for k in counts if len({tuple(row[:k]) for row in body}) == len(body)), 1)


def _least(text: str, widths: _Widths) -> float:
    """Return the width of the longest word of a cell, in em."""
    return max((widths[word] for word in _words(text)), default=0.0)


def _measured(texts: Iterable[str], font: str, weight: str, folder: Path) -> _Widths:
    """Return the width of each text on one line, in em, as Typst sets it."""
    import typst  # takes a moment, which only a report needs

    listed = sorted(texts)
    (folder / "words.json").write_text(json.dumps(listed), encoding="utf-8")
    source = folder / "measure.typ"
    asked = _MEASURE.replace("FONT", font).replace("WEIGHT", weight)
    source.write_text(asked, encoding="utf-8")
    found = json.loads(
        typst.query(str(source), "<widths>", field="value", one=True, root=str(folder))
    )
    return {text: width / _EM for text, width in zip(listed, found, strict=True)}


def _cell(value: object, long: int) -> str:
    """Return a cell as text; its interval is one word, and a long word may be broken."""
    return " ".join(breakable(word, long) for word in cell_words(value))


def _all_words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in _words(text)}


def _words(text: str) -> list[str]:
    return re.split(f"[ {BREAK}]", text)


def _broken(word: str, long: int) -> str:
    pieces: Sequence[str] = re.findall(r"[^/_\-]*[/_\-]?", word)
    short = [piece[k : k + long] for piece in pieces for k in range(0, len(piece), long)]
    return BREAK.join(short)
