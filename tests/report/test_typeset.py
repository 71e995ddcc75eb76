"""The report's PDF: every cell is there, on the page, and beside its neighbours."""

from __future__ import annotations

import math

import pytest

from kdcore.evaluate import Interval
from kdcore.report.document import Code, Document, Figure, Section, Table, Text, html_document
from kdcore.report.typeset import pdf_document
from tests.report.pdf import PDF, SVG, overlaps, pages

NASTY = '#panic("x") \\ $a$ *b* _c_ <d> @e `f` "q" [g] 100 % α_1 ‖ τ ≤ ∞'


def table(name: str, rows: list[list[object]], **more: object) -> Table:
    return Table(name, f"Table of {name}", rows, "A note.", "checkpoints/x/file.npz", **more)


def wide(columns: int, rows: int = 3) -> list[list[object]]:
    body = [
        [f"row{r}", *(Interval(r + c / 100, -0.5, 0.25) for c in range(columns))]
        for r in range(rows)
    ]
    return [["model", *(f"head{c} of it" for c in range(columns))], *body]


def made(*blocks: object, title: str = "A title") -> bytes:
    return pdf_document(Document(title, "A **bold** lead.", (Section("one", "One", blocks),)))


def text_of(data: bytes) -> str:
    return " ".join(word["text"] for page in pages(data) for word in page)


@pytest.mark.parametrize("columns", [1, 6, 11, 40])
def test_a_table_of_any_width_fits(columns: int) -> None:
    data = made(table("wide", wide(columns)))
    found = pages(data)
    said = [word["text"] for page in found for word in page]
    for c in range(columns):
        assert f"head{c}" in said
        for r in range(3):
            assert f"{r + c / 100:.3f}" in said
    for page in found:
        assert overlaps(page) == []


def test_long_words_are_broken_and_long_tables_go_on() -> None:
    name = "a_very/long_path-" * 12 + "x" * 90
    rows: list[list[object]] = [["file", "n"], *([f"{name}{k}", k] for k in range(60))]
    found = pages(made(table("long", rows)))
    assert len(found) > 2
    assert sum(word["text"] == "file" for page in found for word in page) >= len(found) - 1
    for page in found:
        assert overlaps(page) == []


def test_text_is_text_whatever_it_holds() -> None:
    data = made(
        Text(f"{NASTY} **{NASTY}**"),
        Code(f"{NASTY}\nsecond"),
        table("nasty", [[NASTY, "n"], [NASTY, -1.5], [math.nan, None]]),
        title=NASTY,
    )
    said = text_of(data)
    assert said.count('#panic("x")') >= 6
    assert "−1.500" in said and "n/a" in said and "second" in said


def test_numbers_and_contents_are_those_of_the_html() -> None:
    blocks = (
        table("first", wide(2)),
        Figure("drawn", "Drawn", "a.npz", SVG, PDF),
        table("second", wide(30)),
        table("third", wide(2)),
    )
    said = text_of(made(*blocks))
    page = html_document(Document("A title", "", (Section("one", "One", blocks),)))
    for label in ("Table 1", "Table 2", "Table 3", "Figure 1"):
        assert f"{label}." in said and f"{label}." in page
    assert said.count("From") == 4 and "Contents" in said


def test_an_empty_document_is_a_page() -> None:
    assert len(pages(pdf_document(Document("Nothing", "", ())))) == 1
