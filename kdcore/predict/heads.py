"""The head of a saved record: a JSON text beside its arrays, which says what they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from kdcore.base import DataError


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
