"""The head of a saved record: a JSON text beside its arrays, which says what they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from kdcore.base import DataError, way_out


def read_head(arrays: Mapping[str, NDArray[Any]], known: int, path: Path) -> dict[str, Any]:
    """Return the head that the file at `path` holds among its `arrays`, without its format.

    Raises
    ------
    DataError
        If its format is another than the `known` one.
    KeyError, ValueError, TypeError, AttributeError
        If there is no head, or it is not whole; see `BAD_NPZ`.
    """
    head: dict[str, Any] = json.loads(str(arrays["head"]))
    if (found := head.pop("format")) != known:
        raise DataError(
            f"{Path(path).name} has format {found!r}; this version of the app reads format "
            f"{known}.",
            "Read it with the version that wrote it, or make it again with this one.",
        )
    return head


def unreadable(path: Path, what: str, error: Exception, again: str) -> DataError:
    """Return in words why a file can't be read as a record.

    Parameters
    ----------
    path : the file
    what : the record, as in "saved predictions"
    error : one of `BAD_NPZ`; of any file that is no `.npz` NumPy says that it may hold pickles
    again : how to make the record again
    """
    reason = f"{error}"
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    elif "pickle" in reason or "context manager" in reason:  # the second of a bare array
        reason = "it is no .npz file of plain arrays"
    hint = way_out(error) if isinstance(error, PermissionError) else again
    return DataError(f"{Path(path).name} can't be read as {what}: {reason}.", hint)
