"""Rows as a LaTeX table with the rules of booktabs, to copy or to input into a document."""

from __future__ import annotations

from collections.abc import Sequence

from kdcore.report.cells import cell_text, is_numeric, true_minus
from kdcore.report.tex_text import escape_latex, latex_row

Row = Sequence[object]


def latex_table(rows: Sequence[Row], note: str = "", digits: int = 3) -> str:
    """Return rows, the first of them the head, as a tabular that needs the package booktabs.

    Columns of numbers are right-aligned, others left. Whole numbers are written out, others with
    `digits` decimals, or as "<0.001" where that would be 0 and they are not. An `Interval` is a
    value with its ends; NaN is "n/a" and None an empty cell.

    Parameters
    ----------
    rows : at least the head, all of one length
    note : for the caption; follows the table as a comment
    digits : decimals of numbers that are not of a whole type

    Raises
    ------
    ValueError
        If there is no head, or a row is longer or shorter than it.
    """
    if not rows or not rows[0]:
        raise ValueError("rows: expected a head of at least one column")
    head, *body = rows
    for index, row in enumerate(body, start=1):
        if len(row) != len(head):
            raise ValueError(f"rows[{index}]: expected {len(head)} cells, got {len(row)}")
    columns = [[row[column] for row in body] for column in range(len(head))]
    alignment = "".join("r" if is_numeric(column) else "l" for column in columns)
    lines = [rf"\begin{{tabular}}{{{alignment}}}", r"\toprule", _line(head, digits), r"\midrule"]
    lines += [_line(row, digits) for row in body]
    lines += [r"\bottomrule", r"\end{tabular}"]
    return "\n".join([*lines, *comment(note)]) + "\n"


def comment(note: str) -> list[str]:
    """Return a note as lines that LaTeX does not read."""
    return [f"% {escape_latex(line)}" for line in note.splitlines()]


def _line(row: Row, digits: int) -> str:
    line = latex_row([true_minus(cell_text(value, digits)) for value in row])
    # What opens with [ or * would be read as an argument of the \\ or the rule before it.
    return f"{{}}{line}" if line.startswith(("[", "*")) else line
