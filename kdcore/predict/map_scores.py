"""`MapScores`: what was measured of one checkpoint's heatmaps, image by image.

The record between the explanations, which need models and pictures, and their evaluation, which
needs neither. A measure's floor stands beside it under the measure's name and the floor's,
`pearson_centre`: the same number for something that has not looked at this image by this model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.base import BAD_NPZ, check_labels, save_npz
from kdcore.predict.heads import read_head, unreadable

AGREEMENT = ("pearson", "spearman", "cosine", "ssim", "iou")
FLOORS: Mapping[str, str] = {
    "mismatched": "the teacher's map of another image of the same answer",
    "mismatched_any": "the teacher's map of any other image",
    "centre": "a blob in the middle of the image",
    "edges": "the edges in the picture",
    "random": "random blobs",
    "uniform": "a map that is the same everywhere",
    "chance": "pixels in random order",
}
_FORMAT = 1
_PER_IMAGE = ("sample_ids", "group_ids", "labels", "target", "answer", "corruptions")
_HEAD = ("split", "method", "checkpoint", "checkpoint_hash", "teacher", "meta")
_AGAIN = "Make it again with `python -m kdcore explanations`."


@dataclass(frozen=True)
class MapScores:
    """Numbers about one checkpoint's heatmaps by one method, for N images.

    Attributes
    ----------
    sample_ids : (N,) str, unique for each corruption
    group_ids : (N,) str, the lesion; images of one group are not independent
    labels : (N,) int64, indices into `classes`
    target : (N,) int64, the class that the maps are asked about: the teacher's first choice for
        the clean image
    answer : (N,) int64, the checkpoint's own first choice for the image as it was shown
    corruptions : (N,) str, "clean" or a stack such as "jpeg-3"
    columns : (N,) float32 by name; NaN is what is not defined or was not measured
    classes : C names
    split : the part of the data set
    method : of the maps, as `kdcore.explain.METHODS` names it
    checkpoint, checkpoint_hash : its name, and SHA-256 of its weights
    teacher : name of the checkpoint that gave the targets and is compared with
    meta : texts: the checkpoint's `role`, `architecture` and `title`, and how it was measured
    """

    sample_ids: NDArray[np.str_]
    group_ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    target: NDArray[np.int64]
    answer: NDArray[np.int64]
    corruptions: NDArray[np.str_]
    columns: Mapping[str, NDArray[np.float32]]
    classes: tuple[str, ...]
    split: str
    method: str
    checkpoint: str
    checkpoint_hash: str
    teacher: str
    meta: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError naming the field if shapes disagree, values are off or ids repeat."""
        n = len(self.sample_ids)
        for name in _PER_IMAGE:
            _check_shape(name, getattr(self, name), n)
        for name in ("labels", "target", "answer"):
            try:
                check_labels(getattr(self, name), n, len(self.classes))
            except ValueError as error:
                raise ValueError(str(error).replace("labels", name, 1)) from None
        shown = list(zip(self.sample_ids.tolist(), self.corruptions.tolist()))
        if len(set(shown)) < n:
            twice = next(pair for pair in shown if shown.count(pair) > 1)
            raise ValueError(f"sample_ids: expected unique ids, got {twice[0]} again")
        for name, values in self.columns.items():
            _check_shape(f"columns[{name!r}]", values, n)
            if not name.isidentifier() or np.isinf(values).any():
                raise ValueError(f"columns[{name!r}]: expected a plain name, numbers or NaN")

    def __len__(self) -> int:
        """Return N, the number of images."""
        return len(self.sample_ids)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The columns that are no floor of another one, in their order."""
        return tuple(name for name in self.columns if split_floor(name, self.columns)[1] == "")

    def floors(self, metric: str) -> tuple[str, ...]:
        """Return the names of `FLOORS` that a metric has a column for."""
        return tuple(floor for floor in FLOORS if f"{metric}_{floor}" in self.columns)

    def take(self, where: Sequence[int] | NDArray[Any]) -> MapScores:
        """Return the images at `where`, indices or (N,) bool, in that order."""
        rows = np.asarray(where)
        return replace(
            self,
            columns={name: values[rows] for name, values in self.columns.items()},
            **{name: getattr(self, name)[rows] for name in _PER_IMAGE},
        )

    def save(self, path: Path) -> None:
        """Write one `.npz` file, whole or not at all."""
        head: dict[str, Any] = {name: getattr(self, name) for name in _HEAD}
        head |= {"format": _FORMAT, "classes": self.classes, "columns": list(self.columns)}
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _PER_IMAGE}
        arrays |= {name: arrays[name].astype(np.int16) for name in ("labels", "target", "answer")}
        columns = [values.astype(np.float32) for values in self.columns.values()]
        arrays["values"] = np.array(columns, np.float32).reshape(len(columns), len(self))
        arrays["head"] = np.array(json.dumps(head))
        save_npz(Path(path), arrays)

    @staticmethod
    def load(path: Path) -> MapScores:
        """Read what `save` wrote; raises DataError, naming the file, if it is not such."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                fields = _fields(arrays, read_head(arrays, _FORMAT, path))
            return MapScores(**fields)
        except BAD_NPZ as error:
            raise unreadable(path, "scores of heatmaps", error, _AGAIN) from error


def split_floor(column: str, columns: Mapping[str, Any]) -> tuple[str, str]:
    """Return a column's metric and floor; the floor is "" for a metric itself."""
    for floor in FLOORS:
        metric = column.removesuffix(f"_{floor}")
        if metric != column and metric in columns:
            return metric, floor
    return column, ""


def load_all(folder: Path) -> list[MapScores]:
    """Return the records in a folder in the order of their file names; [] where there is none.

    Raises
    ------
    DataError
        If one of them can't be read.
    """
    return [MapScores.load(path) for path in sorted(Path(folder).glob("*.npz"))]


def _fields(arrays: Mapping[str, NDArray[Any]], head: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `MapScores` as a file holds them."""
    rows: dict[str, NDArray[Any]] = {name: arrays[name] for name in _PER_IMAGE}
    for name in ("labels", "target", "answer"):
        if rows[name].dtype.kind not in "iu":
            raise ValueError(f"{name}: expected whole numbers, got {rows[name].dtype}")
        rows[name] = rows[name].astype(np.int64)
    columns = dict(zip(head["columns"], arrays["values"].astype(np.float32), strict=True))
    return (
        {name: head[name] for name in _HEAD}
        | rows
        | {
            "columns": columns,
            "classes": tuple(head["classes"]),
        }
    )


def _check_shape(name: str, values: NDArray[Any], n: int) -> None:
    if np.shape(values) != (n,):
        raise ValueError(f"{name}: expected shape ({n},) as the ids, got {np.shape(values)}")
