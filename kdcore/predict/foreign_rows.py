"""A table in a text file, row by row: what is no such table is told by file and row.

Rows are counted as a spreadsheet does, from 1, the head's row.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from kdcore.base import DataError

MAX_BYTES = 200_000_000
DELIMITERS = (",", ";", "\t")
_SAVE_AGAIN = "Save it as CSV in UTF-8, with a head and one row for each image."


def table_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each row, the head first; rows of empty cells are passed over.

    Cells are stripped of spaces. The delimiter is the one of `DELIMITERS` that divides the first
    line into most cells.

    Raises
    ------
    DataError
        If the file is missing, larger than 200 MB, empty or not text in UTF-8, or a row has
        another number of cells than the head.
    """
    width = number = 0
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise DataError(
                f"{path.name} has {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read.",
                "Divide it into several files, such as one for each part of the split.",
            )
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=_delimiter(file.readline()), strict=True)
            file.seek(0)
            for number, cells in enumerate(reader, 1):
                row = [cell.strip() for cell in cells]
                if not any(row):
                    continue
                width = width or len(row)
                if len(row) != width:
                    raise DataError(
                        f"{path.name}, row {number} has {len(row)} cells; the head has {width}.",
                        "Put cells that hold the delimiter into quotes, or add what is missing.",
                    )
                yield number, row
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not text in UTF-8: {error}.", _SAVE_AGAIN) from error
    except csv.Error as error:
        raise DataError(
            f"{path.name}, row {number + 1} is not a row of a table: {error}.", _SAVE_AGAIN
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{path.name} can't be read: {reason}.", "Check the path.") from error
    if not width:
        raise DataError(f"{path.name} is empty.", _SAVE_AGAIN)


def _delimiter(line: str) -> str:
    """Return what divides a head; `csv.Error` for bytes that no text has."""
    if "\0" in line:
        raise csv.Error("it holds a zero byte")
    return max(DELIMITERS, key=lambda d: len(next(csv.reader([line], delimiter=d), [])))
