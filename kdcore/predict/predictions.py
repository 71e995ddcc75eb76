"""`Predictions`: the one record between models and everything that measures them."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError, check_labels, check_logits, write_atomically

_FORMAT = 1
_UNREADABLE = (
    OSError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


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
    checkpoint_hash : SHA-256 of the weights file
    checkpoint : the checkpoint's name
    corruption : "clean", or name and severity
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

    def __post_init__(self) -> None:
        """Raise ValueError if shapes disagree, labels are out of range or ids repeat."""
        logits = check_logits(self.logits)
        check_labels(self.labels, len(logits), logits.shape[1])
        if len(self.classes) != logits.shape[1]:
            raise ValueError(f"classes: expected {logits.shape[1]} names, got {len(self.classes)}")
        if len(self.sample_ids) != len(logits) or len(self.group_ids) != len(logits):
            raise ValueError("sample_ids, group_ids: expected one for each row of logits")
        if len(set(self.sample_ids.tolist())) != len(logits):
            raise ValueError("sample_ids: expected unique ids")

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

        def write(temporary: Path) -> None:
            with open(temporary, "wb") as file:
                np.savez_compressed(
                    file,
                    logits=self.logits.astype(np.float32),
                    labels=self.labels.astype(np.int16),
                    sample_ids=self.sample_ids.astype(np.str_),
                    group_ids=self.group_ids.astype(np.str_),
                    head=np.array(json.dumps(head)),
                )

        write_atomically(Path(path), write)

    @staticmethod
    def load(path: Path) -> Predictions:
        """Read what `save` wrote; raises DataError if it is not such a file."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                head = json.loads(str(arrays["head"]))
                return Predictions(
                    logits=arrays["logits"].astype(np.float32),
                    labels=arrays["labels"].astype(np.int64),
                    sample_ids=arrays["sample_ids"],
                    group_ids=arrays["group_ids"],
                    classes=tuple(head["classes"]),
                    split=head["split"],
                    checkpoint_hash=head["checkpoint_hash"],
                    checkpoint=head["checkpoint"],
                    corruption=head["corruption"],
                    meta=head["meta"],
                )
        except _UNREADABLE as error:
            raise DataError(
                f"{Path(path).name} can't be read as saved predictions: {error}.",
                "Make it again with `python -m kdcore predict`.",
            ) from error
