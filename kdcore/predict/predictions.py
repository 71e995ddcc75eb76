"""`Predictions`: the one record between models and everything that measures them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.base import BAD_NPZ, DataError, check_labels, check_logits, save_npz
from kdcore.predict.heads import read_head, unreadable

_FORMAT = 1
_TEXTS = ("split", "checkpoint_hash", "checkpoint", "corruption")
_ATTRIBUTE = "attribute_"  # before an attribute's name in the file
_AGAIN = "Make it again with `python -m kdcore predict` or `import`."


@dataclass(frozen=True)
class Predictions:
    """Logits of one checkpoint on one split, with what is needed to measure them.

    Attributes
    ----------
    logits : (N, C) float32
    labels : (N,) int64, indices into `classes`
    sample_ids : (N,) str, unique
    group_ids : (N,) str, the lesion; images of one group are not independent
    classes : C names in logit order
    split : "train", "val", "test" or "all"
    checkpoint_hash : SHA-256 of the weights file, or of the file that they were imported from
    checkpoint : the checkpoint's name
    corruption : "clean", or name and severity
    meta : texts about how they were made
    attributes : (N,) str by name, such as `sex`; "" is what is not known
    """

    logits: NDArray[np.float32]
    labels: NDArray[np.int64]
    sample_ids: NDArray[np.str_]
    group_ids: NDArray[np.str_]
    classes: tuple[str, ...]
    split: str
    checkpoint_hash: str
    checkpoint: str = ""
    corruption: str = "clean"
    meta: dict[str, str] = field(default_factory=dict)
    attributes: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError naming the row if shapes disagree, values are off or ids repeat."""
        n = len(self.sample_ids)
        _check_finite(np.asarray(self.logits), self.sample_ids)
        logits = check_logits(self.logits)
        if len(self.classes) != logits.shape[1]:
            raise ValueError(f"classes: expected {logits.shape[1]} names, got {len(self.classes)}")
        _check_texts("classes", self.classes)
        for name in _TEXTS:
            _check_texts(name, [getattr(self, name)])
        for name in ("sample_ids", "group_ids", "labels"):
            _check_shape(name, getattr(self, name), len(logits))
        _check_range(np.asarray(self.labels), len(self.classes), self.sample_ids)
        check_labels(self.labels, n, len(self.classes))
        _check_unique(self.sample_ids)
        for name, values in self.attributes.items():
            _check_shape(f"attributes[{name!r}]", values, n)
            if not name.isidentifier() or np.asarray(values).dtype.kind != "U":
                raise ValueError(f"attributes[{name!r}]: expected a plain name and texts")

    def __len__(self) -> int:
        """Return N, the number of images."""
        return len(self.labels)

    def save(self, path: Path) -> None:
        """Write one `.npz` file, whole or not at all."""
        head = {
            "format": _FORMAT,
            "classes": self.classes,
            "split": self.split,
            "checkpoint_hash": self.checkpoint_hash,
            "checkpoint": self.checkpoint,
            "corruption": self.corruption,
            "meta": self.meta,
        }

        arrays: dict[str, Any] = {
            "logits": self.logits.astype(np.float32),
            "labels": self.labels.astype(np.int16),
            "sample_ids": self.sample_ids.astype(np.str_),
            "group_ids": self.group_ids.astype(np.str_),
            "head": np.array(json.dumps(head)),
        }
        arrays |= {_ATTRIBUTE + k: v.astype(np.str_) for k, v in self.attributes.items()}
        save_npz(Path(path), arrays)

    @staticmethod
    def load(path: Path) -> Predictions:
        """Read what `save` wrote; raises DataError, naming file and row, if it is not such."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                fields = _fields(arrays, read_head(arrays, _FORMAT, path))
        except BAD_NPZ as error:
            raise unreadable(path, "saved predictions", error, _AGAIN) from error
        try:
            return Predictions(**fields)
        except (ValueError, TypeError) as error:
            raise DataError(
                f"{Path(path).name} does not hold whole predictions: {error}.", _AGAIN
            ) from error


def _fields(arrays: Mapping[str, NDArray[Any]], head: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `Predictions` as a file holds them."""
    labels = arrays["labels"]
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels: expected whole numbers, got {labels.dtype}")
    return {name: head[name] for name in (*_TEXTS, "meta")} | {
        "logits": arrays["logits"].astype(np.float32),
        "labels": labels.astype(np.int64),
        "sample_ids": arrays["sample_ids"],
        "group_ids": arrays["group_ids"],
        "classes": tuple(head["classes"]),
        "attributes": {
            key.removeprefix(_ATTRIBUTE): arrays[key]
            for key in arrays
            if key.startswith(_ATTRIBUTE)
        },
    }


def _check_texts(name: str, values: Iterable[object]) -> None:
    for value in values:
        if not isinstance(value, str):
            raise ValueError(f"{name}: expected text, got {str(value)[:80]}")


def _check_shape(name: str, values: NDArray[Any], n: int) -> None:
    if np.shape(values) != (n,):
        raise ValueError(f"{name}: expected shape ({n},) as the logits, got {np.shape(values)}")


def _check_finite(logits: NDArray[Any], ids: NDArray[np.str_]) -> None:
    if logits.ndim != 2:
        return  # `check_logits` says so
    bad = np.argwhere(~np.isfinite(logits))
    if len(bad):
        row, column = bad[0].tolist()
        raise ValueError(
            f"logits: expected finite values, got {logits[row, column]} in {_row(row, ids)}, "
            f"column {column}"
        )


def _check_range(labels: NDArray[Any], classes: int, ids: NDArray[np.str_]) -> None:
    bad = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(bad):
        row = int(bad[0])
        raise ValueError(
            f"labels: expected values in [0, {classes}), got {labels[row]} in {_row(row, ids)}"
        )


def _check_unique(ids: NDArray[np.str_]) -> None:
    _, first = np.unique(ids, return_index=True)
    if len(first) < len(ids):
        row = int(np.setdiff1d(np.arange(len(ids)), first)[0])
        raise ValueError(f"sample_ids: expected unique ids, got {ids[row]} again in row {row}")


def _row(row: int, ids: NDArray[np.str_]) -> str:
    """Return how an error names a row, counted from 0 as arrays do."""
    return f"row {row} ({ids[row]})" if row < len(ids) else f"row {row}"
