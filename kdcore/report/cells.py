"""Cells and rows that every table is made of: values as text, columns, Markdown, CSV."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real

from kdcore.evaluate import Interval

Rows = list[list[object]]  # of a table; the first is its head
_MINUS = re.compile(r"(?<![\w.)\-])-(?=[\d.])")


def true_minus(text: str) -> str:
    """Return `text` with a true minus sign before each negative number."""
    return _MINUS.sub("−", text)


def number(value: float, digits: int = 3) -> str:
    """Return `value` with `digits` decimals, or "n/a" where it is not defined."""
    return "n/a" if math.isnan(value) else f"{value:.{digits}f}"


def interval_text(interval: Interval, digits: int = 3) -> str:
    """Return "0.812 [0.790, 0.833]"; without the brackets where there is no interval."""
    value = number(interval.value, digits)
    if math.isnan(interval.low):
        return value
    return f"{value} [{number(interval.low, digits)}, {number(interval.high, digits)}]"


def signed_text(interval: Interval, digits: int = 3) -> str:
    """Return a difference as "−0.021 [−0.040, +0.002]"."""
    value, low, high = (signed(v, digits) for v in (interval.value, interval.low, interval.high))
    return value if math.isnan(interval.low) else f"{value} [{low}, {high}]"


def percent_text(interval: Interval, digits: int = 0) -> str:
    """Return a share as "81 % [79, 83]"."""
    value, low, high = (
        number(100 * v, digits) for v in (interval.value, interval.low, interval.high)
    )
    if math.isnan(interval.value):
        return value
    return f"{value} %" if math.isnan(interval.low) else f"{value} % [{low}, {high}]"


def joined(tables: Mapping[str, Sequence[Sequence[object]]], head: str) -> list[list[object]]:
    """Return tables of one head as one, with their names in a first column called `head`.

    Raises
    ------
    ValueError
        If there is no table, or their heads differ.
    """
    heads = {tuple(rows[0]) for rows in tables.values()}
    if len(heads) != 1:
        raise ValueError(f"tables: expected at least one, all of one head, got heads {heads}")
    body = [[name, *row] for name, rows in tables.items() for row in rows[1:]]
    return [[head, *heads.pop()], *body]


def signed(value: float, digits: int = 3) -> str:
    """Return a difference as "+0.012" or "−0.012"; "0.000" where it rounds to that."""
    text = number(abs(value), digits)
    if math.isnan(value) or not float(text):
        return text
    return f"{'+' if value > 0 else '−'}{text}"


def signed_points(change: float, digits: int = 1) -> str:
    """Return the change of a share of 1 in percentage points, as "+1.2"."""
    return signed(100 * change, digits)


def compact(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    """Return rows with each `Interval` as a text, for the screen."""
    return [[interval_text(v) if isinstance(v, Interval) else v for v in row] for row in rows]


def spread(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    """Return rows with a column of `Interval`s as three: the value, its low and its high end.

    The first row is the head. A cell of such a column that is no interval has empty ends.
    """
    head, *body = rows
    wide = [any(isinstance(row[k], Interval) for row in body) for k in range(len(head))]
    names = [
        [name, f"{name} low", f"{name} high"] if w else [name]
        for name, w in zip(head, wide, strict=True)
    ]
    return [_flat(names), *(_flat(map(_ends, row, wide)) for row in body)]


def _ends(value: object, wide: bool) -> list[object]:
    if isinstance(value, Interval):
        return [value.value, value.low, value.high]
    return [value, None, None] if wide else [value]


def _flat(cells: Iterable[Sequence[object]]) -> list[object]:
    return [value for cell in cells for value in cell]


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return one line for each row, its cells padded to the width of their column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def text_rows(rows: Sequence[Sequence[object]], digits: int = 3) -> list[list[str]]:
    """Return rows with each cell as `cell_text` has it, for the screen."""
    return [[cell_text(value, digits) for value in row] for row in rows]


def cell_text(value: object, digits: int = 3) -> str:
    """Return a cell for people, not yet escaped."""
    if value is None:
        return ""
    if isinstance(value, Interval):
        text = _decimal(value.value, digits)
        ends = [_decimal(end, digits) for end in (value.low, value.high)]
        return text if math.isnan(value.low) else f"{text} [{', '.join(ends)}]"
    if isinstance(value, bool) or not isinstance(value, Real):
        return " ".join(str(value).split())
    if isinstance(value, Integral):
        return str(value).replace("-", "−")
    return _decimal(float(value), digits)


def _decimal(value: float, digits: int) -> str:
    """Return a number with a true minus sign; what rounds to 0 and is not 0 says so: "<0.001"."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text, sign = number(abs(value), digits), "−" if value < 0 else ""
    if abs(value) > 0 and float(text) == 0:  # not of NaN
        return f"{'>−' if sign else '<'}{number(10**-digits, digits)}"
    return sign + text


def is_numeric(column: Sequence[object]) -> bool:
    """Tell whether a column has numbers, and nothing else but empty cells."""
    filled = [value for value in column if value is not None]
    return bool(filled) and all(_is_number(value) for value in filled)


def _is_number(value: object) -> bool:
    return isinstance(value, Real | Interval) and not isinstance(value, bool)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose first row is its head."""
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines) + "\n"


def csv_text(rows: Sequence[Sequence[object]]) -> str:
    """Return rows as CSV; a number that is not defined is an empty field."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    for row in rows:
        write(["" if isinstance(v, float) and math.isnan(v) else v for v in row])
    return out.getvalue()
