"""A report as a PDF, set by Typst from `report.typ`; tables fit the page, figures stay vectors.

Typst comes with its fonts, and reads nothing but the folder that is made for it here.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from kdcore.base import SettingError
from kdcore.report.document import (
    Block,
    Code,
    Document,
    Figure,
    Numbers,
    Section,
    Table,
    Text,
    cell_words,
    number_blocks,
    spans,
)
from kdcore.report.latex import is_numeric
from kdcore.report.table_fit import INSET, fit_table

_TEMPLATE = Path(__file__).with_name("report.typ")
_REPORT = "report.json"
_EM = 10.0  # pt, that words are measured in
_LONG = 24  # letters of a word; what is longer may be broken anywhere
_MEASURE = """
#set text(font: "Libertinus Serif", size: 10pt, weight: "WEIGHT", hyphenate: false)
#context [#metadata(json("words.json").map(w => measure(text(w)).width.pt())) <widths>]
"""
_BREAK = "\u200b"  # where a word may be broken
Widths = dict[str, float]


def pdf_document(document: Document) -> bytes:
    """Return the whole document as a PDF of A4 pages.

    Raises
    ------
    SettingError
        If the folder for temporary files can't be written to.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="distilscope-") as name:
            return _set(document, Path(name))
    except OSError as error:
        raise SettingError(
            f"The PDF can't be made in {tempfile.gettempdir()!r}: {error.strerror or error}.",
            "Free some space there, or set TMPDIR to another folder, and run this again.",
        ) from error


def _set(document: Document, folder: Path) -> bytes:
    """Write all that Typst reads into `folder`, and return what it makes of it."""
    import typst  # takes a moment, which only a report needs

    for figure in document.figures():
        (folder / f"{figure.name}.pdf").write_bytes(figure.pdf)
    (folder / _REPORT).write_text(json.dumps(_plain(document, folder)), encoding="utf-8")
    source = folder / _TEMPLATE.name
    source.write_bytes(_TEMPLATE.read_bytes())
    made = typst.compile(str(source), root=str(folder), format="pdf")
    assert isinstance(made, bytes)
    return made


def _plain(document: Document, folder: Path) -> dict[str, Any]:
    """Return the document as plain values, as `report.typ` reads it."""
    texts = {c for t in document.tables() for row in t.rows for c in map(_cell, row)}
    words = texts | {word for text in texts for word in _words(text)}
    heads = {_cell(value) for table in document.tables() for value in table.rows[0]}
    bold = heads | {word for text in heads for word in _words(text)}
    widths = _measured(words, "regular", folder), _measured(bold, "bold", folder)
    numbers = number_blocks(document)
    return {
        "title": document.title,
        "lead": _spans(document.lead),
        "sections": [_section(section, numbers, *widths) for section in document.sections],
    }


def _section(section: Section, numbers: Numbers, regular: Widths, bold: Widths) -> dict[str, Any]:
    """Return a section; its tables that need a turned page share such pages at its end."""
    made = [_block(block, numbers, regular, bold) for block in section.blocks]
    turned = [block for block in made if block.get("turned")]
    blocks = [block for block in made if not block.get("turned")]
    blocks += [{"kind": "turned", "blocks": turned}] if turned else []
    return {"title": section.title, "blocks": blocks}


def _block(block: Block, numbers: Numbers, regular: Widths, bold: Widths) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"kind": "text", "spans": _spans(block.text)}
    if isinstance(block, Code):
        return {"kind": "code", "text": _breakable(block.text)}
    kind = "table" if isinstance(block, Table) else "figure"
    told = {
        "kind": kind,
        "label": f"{kind.capitalize()} {numbers[type(block), block.name]}",
        "title": block.title,
        "source": _breakable(block.source),
    }
    if isinstance(block, Figure):
        return told | {"note": "", "file": f"{block.name}.pdf"}
    return told | {"note": block.note} | _table(block, regular, bold)


def _table(table: Table, regular: Widths, bold: Widths) -> dict[str, Any]:
    rows = [[_cell(value) for value in row] for row in table.rows]
    least, longest = [], []
    for column in zip(*rows, strict=True):
        head, *body = column
        least.append(max(_least(head, bold), *(_least(text, regular) for text in body), 0.0))
        longest.append(max(_least(head, bold), *(regular[text] for text in body), 0.0))
    fit = fit_table(least, longest)
    right = [is_numeric([row[k] for row in table.rows[1:]]) for k in range(len(rows[0]))]
    parts = [
        {
            "widths": part.widths,
            "right": [right[c] for c in part.columns],
            "head": [rows[0][c] for c in part.columns],
            "rows": [[row[c] for c in part.columns] for row in rows[1:]],
        }
        for part in fit.parts
    ]
    return {"size": fit.size, "turned": fit.turned, "inset": INSET, "parts": parts}


def _least(text: str, widths: Widths) -> float:
    """Return the width of the longest word of a cell, in em."""
    return max((widths[word] for word in _words(text)), default=0.0)


def _measured(texts: Iterable[str], weight: str, folder: Path) -> Widths:
    """Return the width of each text on one line, in em, as Typst sets it."""
    import typst

    listed = sorted(texts)
    (folder / "words.json").write_text(json.dumps(listed), encoding="utf-8")
    source = folder / "measure.typ"
    source.write_text(_MEASURE.replace("WEIGHT", weight), encoding="utf-8")
    found = json.loads(
        typst.query(str(source), "<widths>", field="value", one=True, root=str(folder))
    )
    return {text: width / _EM for text, width in zip(listed, found, strict=True)}


def _cell(value: object) -> str:
    """Return a cell as text; its interval is one word, and a long word may be broken."""
    return " ".join(_breakable(word) for word in cell_words(value))


def _words(text: str) -> list[str]:
    return re.split(f"[ {_BREAK}]", text)


def _breakable(text: str) -> str:
    """Return `text` with places to break its long words: after / and _, or anywhere."""
    return re.sub(rf"[^\s{_BREAK}\u00a0]{{{_LONG},}}", lambda found: _broken(found[0]), text)


def _broken(word: str) -> str:
    pieces: Sequence[str] = re.findall(r"[^/_\-]*[/_\-]?", word)
    short = [piece[k : k + _LONG] for piece in pieces for k in range(0, len(piece), _LONG)]
    return _BREAK.join(short)


def _spans(text: str) -> list[dict[str, Any]]:
    return [{"text": part, "bold": bold} for part, bold in spans(text)]
