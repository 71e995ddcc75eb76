"""A report as a PDF, set by Typst from `report.typ`; tables fit the page, figures stay vectors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kdcore.report.document import (
    Block,
    Code,
    Document,
    Figure,
    Numbers,
    Section,
    Table,
    Text,
    number_blocks,
    spans,
)
from kdcore.report.fitting import FittedTable, breakable, fit_tables, scratch
from kdcore.report.table_fit import INSET

_TEMPLATE = Path(__file__).with_name("report.typ")
_REPORT = "report.json"
_FONT = "Libertinus Serif"  # as the template has it


def pdf_document(document: Document) -> bytes:
    """Return the whole document as a PDF of A4 pages.

    Raises
    ------
    SettingError
        If the folder for temporary files can't be written to.
    """
    with scratch() as folder:
        return _set(document, folder)


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
    fitted = fit_tables(document.tables(), _FONT, folder)
    numbers = number_blocks(document)
    return {
        "title": document.title,
        "lead": _spans(document.lead),
        "sections": [_section(section, numbers, fitted) for section in document.sections],
    }


def _section(
    section: Section, numbers: Numbers, fitted: Mapping[str, FittedTable]
) -> dict[str, Any]:
    """Return a section; its tables that need a turned page share such pages at its end."""
    made = [_block(block, numbers, fitted) for block in section.blocks]
    turned = [block for block in made if block.get("turned")]
    blocks = [block for block in made if not block.get("turned")]
    blocks += [{"kind": "turned", "blocks": turned}] if turned else []
    return {"title": section.title, "blocks": blocks}


def _block(block: Block, numbers: Numbers, fitted: Mapping[str, FittedTable]) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"kind": "text", "spans": _spans(block.text)}
    if isinstance(block, Code):
        return {"kind": "code", "text": breakable(block.text)}
    kind = "table" if isinstance(block, Table) else "figure"
    told = {
        "kind": kind,
        "label": f"{kind.capitalize()} {numbers[type(block), block.name]}",
        "title": block.title,
        "source": breakable(block.source),
    }
    if isinstance(block, Figure):
        return told | {"note": "", "file": f"{block.name}.pdf"}
    return told | {"note": block.note} | _table(fitted[block.name])


def _table(table: FittedTable) -> dict[str, Any]:
    head, *body = table.rows
    parts = [
        {
            "widths": part.widths,
            "right": [table.right[c] for c in part.columns],
            "head": [head[c] for c in part.columns],
            "rows": [[row[c] for c in part.columns] for row in body],
        }
        for part in table.fit.parts
    ]
    return {"size": table.fit.size, "turned": table.fit.turned, "inset": INSET, "parts": parts}


def _spans(text: str) -> list[dict[str, Any]]:
    return [{"text": part, "bold": bold} for part, bold in spans(text)]
