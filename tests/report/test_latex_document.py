"""The report's LaTeX source: whole without a TeX, and typeset with nothing beside the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kdcore.evaluate import Interval
from kdcore.report.document import Code, Document, Figure, Section, Table, Text
from kdcore.report.latex_document import latex_document
from tests.report import tex
from tests.report.pdf import PDF, SVG, pages

NASTY = '#panic \\input{x} $a$ *b* _c_ <d> @e `f` "q" [g] 100 % α_1 ‖ τ ≤ ∞ é ł 漢 \u200b~^ & {'


def table(name: str, rows: list[list[object]], note: str = "A note.") -> Table:
    return Table(name, f"Table of {name}", rows, note, "checkpoints/x/file.npz")


def wide(columns: int, rows: int = 3) -> list[list[object]]:
    body = [
        [f"[row{r}]", *(Interval(r + c / 100, -0.5, 0.25) for c in range(columns))]
        for r in range(rows)
    ]
    return [["model", *(f"head{c} of it" for c in range(columns))], *body]


def source(*blocks: object) -> str:
    return latex_document(Document("A title", "A **bold** lead.", (Section("a", "A", blocks),)))


def set_in(folder: Path, text: str) -> tuple[list[float], str]:
    if why := tex.missing():
        pytest.skip(why)
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures/f.pdf").write_bytes(PDF)
    (folder / "made.tex").write_text(text, encoding="utf-8")
    too_large = tex.typeset(folder / "made.tex")
    said = " ".join(w["text"] for p in pages((folder / "made.pdf").read_bytes()) for w in p)
    return too_large, said


def test_every_group_and_environment_is_closed() -> None:
    code = Code(f"python -m kdcore report\n  {NASTY}")
    figure = Figure("f", NASTY, "x", SVG, PDF)
    text = source(Text(NASTY), code, figure, table("t", [[NASTY, "n"], [NASTY, 1.5]], NASTY))
    bare = re.sub(r"\\[\\{}]", "", text)
    assert bare.count("{") == bare.count("}")
    opened = re.findall(r"\\begin\{(\w+)\}", text)
    assert sorted(opened) == sorted(re.findall(r"\\end\{(\w+)\}", text))
    assert r"\input" not in text and text.isascii() and r"\textbackslash{}input" in text


def test_the_cells_and_columns_are_those_of_the_tables() -> None:
    text = source(table("one", wide(3)), table("two", wide(2)))
    specs = re.findall(r"\\begin\{longtable\}\{((?:[LR]\{[\d.]+bp\})+)\}", text)
    assert [spec.count("bp") for spec in specs] == [4, 3]
    assert specs[0].startswith("L{") and specs[0].count("R{") == 3
    rows = [line for line in text.splitlines() if line.startswith("{[row")]
    assert [row.count("&") for row in rows] == [3] * 3 + [2] * 3
    assert "0.010 [$-$0.500,~0.250]" in rows[0]
    assert r"\label{tab:one}" in text and r"\label{tab:two}" in text


@pytest.mark.parametrize("columns", [1, 6, 11, 40])
def test_a_table_of_any_width_is_typeset_on_the_page(columns: int, tmp_path: Path) -> None:
    too_large, said = set_in(tmp_path, source(table("wide", wide(columns)), table("b", wide(1))))
    assert too_large == []
    assert f"head{columns - 1}" in said and "Table 1." in said and "Table 2." in said
    assert "Table 3." not in said


def test_long_words_tables_and_lines_stay_on_the_page(tmp_path: Path) -> None:
    name = "a_very/long_path-" * 12 + "x" * 90
    rows: list[list[object]] = [["file", "n"], *([f"{name}{k}", k] for k in range(60))]
    code = Code("python -m kdcore train " + name + " --option value" * 30)
    too_large, said = set_in(tmp_path, source(table("long", rows), code, Text(NASTY)))
    assert too_large == []
    assert said.count("file") > 2


def test_signs_are_set_as_what_they_are(tmp_path: Path) -> None:
    figure = Figure("f", "Of 100 % & more", "a_b", SVG, PDF)
    text = source(Text("A − sign, 50 % of α_1 & τ ≤ ∞; é"), figure)
    too_large, said = set_in(tmp_path, text)
    assert too_large == []
    for sign in ("−", "α", "τ", "≤", "∞", "%", "&"):
        assert sign in said, sign
    assert "Figure 1." in said
