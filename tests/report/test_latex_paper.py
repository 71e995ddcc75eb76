"""Tables for a paper: no cell is lost, and TeX sets each within the text of its own article."""

from __future__ import annotations

import random
import re
from itertools import takewhile
from pathlib import Path

import pytest

from kdcore.evaluate import Interval
from kdcore.report.latex_paper import paper_table
from tests.report import tex
from tests.report.test_latex import parse

PREAMBLE = (
    r"\documentclass{article}\usepackage{array,booktabs,longtable}\hbadness=10000 "
    r"\vbadness=10000 \begin{document} "
)
NASTY = "50 % of $x_1 & #2 {a}\\b ~ ^ < > | ± ≤ ≥ × ‖ Δ α é 漢 €"
PART = re.compile(
    r"\\begin\{longtable\}\{(?P<columns>(?:>\{\\ragged(?:left|right)\\arraybackslash\}p"
    r"\{[\d.]+bp\})+)\}\n\\toprule (?P<head>[^\n]+) \\\\ \\midrule \\endhead \\bottomrule "
    r"\\endfoot\n(?P<body>(?:[^\n]+\\\\\n)*?)\\end\{longtable\}\\addtocounter\{table\}\{-1\}\n"
)


def parse_paper(text: str) -> list[list[str]]:
    """Return the cells of what `paper_table` made, all of its parts beside each other."""
    needs, rest = text.split("\n", 1)
    assert needs.startswith("% Needs \\usepackage{")
    if rest.startswith(r"\begin{tabular}"):
        return parse(rest)[1]
    found = list(PART.finditer(rest))
    assert found and all(line.startswith("%") for line in rest.split("}\n")[-1].splitlines())
    parts = []
    for part in found:
        lines = [part["head"], *part["body"].splitlines()]
        rows = [line.removesuffix(r" \\").split(" & ") for line in lines]
        assert {len(row) for row in rows} == {part["columns"].count("bp")}
        parts.append(rows)
    heads = zip(*(part[0] for part in parts))
    lead = len(list(takewhile(lambda cells: len(set(cells)) == 1, heads))) if parts[1:] else 1
    names = [row[:lead] for row in parts[0]]
    assert lead and all([row[:lead] for row in part] == names for part in parts)
    rows = zip(*parts, strict=True)
    return [[*row[0][:lead], *(cell for cells in row for cell in cells[lead:])] for row in rows]


def table(seed: int) -> list[list[object]]:
    rng = random.Random(seed)
    columns, rows = rng.choice([1, 3, 6, 9, 18]), rng.choice([1, 5, 60])
    words = ["mel", "attention", "lesion-grouped", "checkpoints/a_b/card.json", "W" * 60, NASTY]

    def cell(kind: int) -> object:
        value = rng.uniform(-1, -0.1)
        whole = " ".join(rng.choice(words) for _ in range(rng.randint(1, 4)))
        return [value, Interval(value, -1.0, 1.0), rng.randint(-9999, 9999), whole, None][kind]

    kinds = [rng.randint(0, 4) for _ in range(columns)]
    head: list[object] = [f"column {k} {rng.choice(words)}" for k in range(columns)]
    return [head, *([cell(kind) for kind in kinds] for _ in range(rows))]


def test_a_small_table_stays_a_tabular() -> None:
    text = paper_table([["class", "F1"], ["mel", Interval(-0.5, -0.75, 0.25)]], "A note.")
    first, rest = text.split("\n", 1)
    assert first == r"% Needs \usepackage{booktabs}."
    columns, cells, note = parse(rest)
    assert columns == "lr" and cells[1] == ["mel", "$-$0.500 [$-$0.750, 0.250]"]
    assert note == "% A note.\n"


@pytest.mark.parametrize("rows", [[["n"], *([k] for k in range(60))], [["a " * 200], ["b"]]])
def test_what_is_long_or_wide_goes_on_over_lines_and_pages(rows: list[list[object]]) -> None:
    text = paper_table(rows, "One.\nTwo.")
    assert r"\usepackage{array,booktabs,longtable}" in text.splitlines()[0]
    assert text.endswith("}\n% One.\n% Two.\n") and len(parse_paper(text)) == len(rows)


@pytest.mark.parametrize("seed", range(30))
def test_no_cell_is_lost(seed: int) -> None:
    rows = table(seed)
    found = parse_paper(paper_table(rows, NASTY))
    assert [len(row) for row in found] == [len(row) for row in rows]
    for row, cells in zip(rows[1:], found[1:], strict=True):
        for value, cell in zip(row, cells, strict=True):
            if isinstance(value, int):
                assert cell.replace("$-$", "-") == str(value)
            if isinstance(value, Interval):
                assert cell.replace("$-$", "-").startswith(f"{value.value:.3f} [-1.000,")


def test_every_table_is_set_within_the_text_of_article(tmp_path: Path) -> None:
    if why := tex.missing():
        pytest.skip(why)
    made = "\n\\clearpage\n".join(paper_table(table(seed), NASTY) for seed in range(30))
    (tmp_path / "all.tex").write_text(f"{PREAMBLE}{made}\\end{{document}}", encoding="utf-8")
    assert tex.typeset(tmp_path / "all.tex") == []


def test_short_cells_have_only_what_every_tex_can_set() -> None:
    made = paper_table([["model", "κ"], ["KD é → 漢", 0.5]])
    assert made.isascii() and r"\begin{tabular}" in made
    assert r"$\kappa$" in made


@pytest.mark.parametrize("letter", ["Щ", "Ǆ", "W", "漢"])
def test_wide_letters_are_no_error(letter: str) -> None:
    assert "longtable" in paper_table([[letter * 60] * 9, [letter * 17] * 9])


@pytest.mark.parametrize("rows", [[], [[]], [["a", "b"], ["c"]]])
def test_rows_that_are_no_table(rows: list[list[object]]) -> None:
    with pytest.raises(ValueError, match="rows"):
        paper_table(rows)
