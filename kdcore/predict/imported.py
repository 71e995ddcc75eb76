"""Predictions from elsewhere on the shelf: kept under a name and a part, and forgotten again."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kdcore.base import DataError, hold
from kdcore.data.splits import MEASURED_PARTS
from kdcore.predict.foreign import read_foreign, to_csv
from kdcore.predict.predictions import Predictions
from kdcore.predict.shelf import (
    FOREIGN,
    Measured,
    foreign_folder,
    list_measured,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,59}")
_EXAMPLE_ROWS = 3
_WAIT_S = 10.0


def keep_foreign(
    files: Mapping[str, bytes],
    name: str,
    part: str,
    logits: bool = False,
    like: Predictions | None = None,
) -> tuple[Predictions, ...]:
    """Read uploaded CSV files and put them on the shelf, all or none; returns what was kept.

    Parameters
    ----------
    files : each file's name and content; one file is one model
    name : of the model, new on the shelf for this part; several models go by their files' names
    part : "val" or "test"
    logits : the columns hold logits instead of probabilities
    like : predictions of the same images, for their lesions and attributes, and their classes

    Raises
    ------
    DataError
        If a name is empty, has other signs than letters, digits, space and `._+-`, or is taken;
        if a file is no such table.
    OSError
        If they can't be written; none is kept then.
    ValueError
        If the part is another, or there is no file.
    """
    if part not in MEASURED_PARTS:
        raise ValueError(f"part: expected one of {', '.join(MEASURED_PARTS)}, got {part!r}")
    if not files:
        raise ValueError("files: expected one or more")
    alone = len(files) == 1
    names = [name if alone else Path(file).stem for file in files]
    for one in names:
        _check_name(one)
    if len({one.lower() for one in names}) < len(names):
        raise DataError("Two of the files have one name.", "Rename one of them.")
    read = [
        _read(file, data, one, part, logits, like)
        for one, (file, data) in zip(names, files.items(), strict=True)
    ]
    busy = DataError("Another session is adding predictions.", "Try again when it is done.")
    with hold(foreign_folder() / ".lock", busy, _WAIT_S):  # two may add the same name at once
        _check_free(names, part)
        _save_all({foreign_folder() / f"{n}-{part}.npz": p for n, p in zip(names, read)})
    return tuple(read)


def _save_all(files: Mapping[Path, Predictions]) -> None:
    try:
        for path, found in files.items():
            found.save(path)
    except OSError:  # a full disk: the ones before it go, too
        for path in files:
            path.unlink(missing_ok=True)
        raise


def _read(
    file: str, data: bytes, name: str, part: str, logits: bool, like: Predictions | None
) -> Predictions:
    with tempfile.TemporaryDirectory(prefix="distilscope-") as folder:
        path = Path(folder) / (Path(file).name or "upload.csv")
        path.write_bytes(data)
        classes = like.classes if like else ()
        (found,) = read_foreign(path, classes, logits, lesions_of(like), name, part)
    return with_attributes(found, like) if like else found


def lesions_of(like: Predictions | None) -> dict[str, str] | None:
    """Return the lesion of each image id, or None for none."""
    if like is None:
        return None
    return dict(zip(like.sample_ids.tolist(), like.group_ids.tolist(), strict=True))


def forget_foreign(model: Measured) -> None:
    """Delete the imported predictions of a model, on every part; they may be gone already.

    Raises
    ------
    ValueError
        If the model was not imported.
    """
    if model.role != FOREIGN:
        raise ValueError(f"model: expected imported predictions, got those of a {model.role}")
    for path in model.files.values():
        path.unlink(missing_ok=True)


def with_attributes(predictions: Predictions, like: Predictions) -> Predictions:
    """Return `predictions` with the attributes that `like` has; "" for images that it lacks."""
    row = {name: k for k, name in enumerate(like.sample_ids.tolist())}
    rows = [row.get(name) for name in predictions.sample_ids.tolist()]
    added = {
        name: np.array(["" if k is None else values[k] for k in rows], dtype=np.str_)
        for name, values in like.attributes.items()
    }
    return replace(predictions, attributes=added | dict(predictions.attributes))


def example_csv(predictions: Predictions) -> str:
    """Return the head and first rows of the CSV of `predictions`, without their attributes."""
    text = to_csv(replace(predictions, attributes={}))
    return "".join(text.splitlines(keepends=True)[: 1 + _EXAMPLE_ROWS])


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise DataError(
            f"{name!r} can't name a model.",
            "Use up to 60 letters, digits, spaces and . _ + - and begin with a letter or digit.",
        )


def _check_free(names: Sequence[str], part: str) -> None:
    wanted = {name.lower() for name in names}
    for model in list_measured()[0]:
        if model.name.lower() in wanted and (model.role != FOREIGN or part in model.files):
            raise DataError(
                f"There is a model {model.name} already.",
                "Choose another name, or delete that one first.",
            )
