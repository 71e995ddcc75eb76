"""A LaTeX table parses back to its cells: structure, alignment, escapes, what is not defined."""

from __future__ import annotations

import re

import numpy as np
import pytest

from kdcore.evaluate import Interval
from kdcore.report.latex import latex_table

SHAPE = re.compile(
    r"\\begin\{tabular\}\{(?P<columns>[lr]+)\}\n\\toprule\n(?P<head>[^\n]+)\n\\midrule\n"
    r"(?P<body>(?:[^\n]+\n)*?)\\bottomrule\n\\end\{tabular\}\n(?P<note>(?:% [^\n]*\n)*)"
)


def parse(text: str) -> tuple[str, list[list[str]], str]:
    """Return columns, cells and note; fail on anything that is not a plain booktabs table."""
    found = SHAPE.fullmatch(text)
    assert found, text
    rows = []
    for line in [found["head"], *found["body"].splitlines()]:
        assert line.endswith(r" \\")
        assert not line.startswith(("[", "*"))
        content = line.removesuffix(r" \\")
        rows.append(content.split(" & "))
        assert all(map(_is_balanced, rows[-1])), content
    assert {len(row) for row in rows} == {len(found["columns"])}
    return found["columns"], rows, found["note"]


def _is_balanced(content: str) -> bool:
    bare = content.replace(r"\\", "")
    bare = re.sub(r"\\[&%$#_{}]", "", bare)  # escaped: read as letters
    depth = 0
    for character in bare:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return False
    special = set("&#_%^~") & set(bare)
    return depth == 0 and bare.count("$") % 2 == 0 and not special and bare.isascii()


def test_numbers_stand_right_and_words_left():
    rows = [
        ["class", "images", "Δ", "F1", "mixed", "note"],
        ["mel", 12, -0.01234, Interval(0.5, 0.25, 0.75), 1.0, "a"],
        ["nv", np.int64(7), np.float32(0.5), Interval(0.5, np.nan, np.nan), "b", None],
    ]
    columns, cells, _ = parse(latex_table(rows))
    assert columns == "lrrrll"
    assert cells[0] == ["class", "images", r"$\Delta$", "F1", "mixed", "note"]
    assert cells[1] == ["mel", "12", "$-$0.012", "0.500 [0.250, 0.750]", "1.000", "a"]
    assert cells[2] == ["nv", "7", "0.500", "0.500", "b", ""]


def test_what_is_not_defined_keeps_its_column_numeric():
    rows = [["a", "b", "c"], [np.nan, None, True], [1.0, None, False]]
    columns, cells, _ = parse(latex_table(rows))
    assert columns == "rll"
    assert cells[1:] == [["n/a", "", "True"], ["1.000", "", "False"]]


def test_signs_of_nothing_of_negatives_and_of_infinity():
    rows = [
        ["x"],
        [0.0001],
        [-0.0001],
        [-0.0],
        [-3],
        [np.inf],
        [-np.inf],
        [Interval(-0.1, -0.2, -0.0)],
    ]
    _, cells, _ = parse(latex_table(rows, digits=2))
    expected = [
        "$<$0.01",
        "$>$$-$0.01",
        "0.00",
        "$-$3",
        r"$\infty$",
        r"$-$$\infty$",
        "$-$0.10 [$-$0.20, 0.00]",
    ]
    assert [row[0] for row in cells[1:]] == expected


def test_a_text_has_a_true_minus_before_numbers_alone():
    _, cells, _ = parse(latex_table([["x"], ["-0.073 [-0.094, 0.046]"], ["a-1, 2-3, e-5, -x"]]))
    assert cells[1:] == [["$-$0.073 [$-$0.094, 0.046]"], ["a-1, 2-3, e-5, -x"]]


def test_everything_that_latex_reads_is_escaped():
    nasty = r"50% of $x_1 & #2 {a}\b ~ ^ < > | ± ≤ ≥ × ‖"
    _, cells, _ = parse(latex_table([["name", nasty], [nasty, "two\n\nlines"]]))
    assert cells[1][0].startswith(r"50\% of \$x\_1 \& \#2 \{a\}\textbackslash{}b")
    assert cells[1][1] == "two lines"


@pytest.mark.parametrize("start", ["[0.1]", "*", "[", "*[2]"])
def test_a_row_never_opens_with_an_argument_of_the_line_before(start):
    _, cells, _ = parse(latex_table([[start, "b"], [start, "c"]]))
    assert cells[0][0] == cells[1][0] == "{}" + start


def test_the_note_is_a_comment_on_every_line():
    _, cells, note = parse(latex_table([["a"]], note="95 % of it\n\\end{document}"))
    assert cells == [["a"]]
    assert note.splitlines() == [r"% 95 \% of it", r"% \textbackslash{}end\{document\}"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [([], "head"), ([[]], "head"), ([["a", "b"], ["c"]], r"rows\[1\]: expected 2 cells, got 1")],
)
def test_rows_that_are_no_table(rows, message):
    with pytest.raises(ValueError, match=message):
        latex_table(rows)
