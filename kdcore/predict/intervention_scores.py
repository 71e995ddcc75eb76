"""`InterventionScores`: what removing causal masks did to a network, image by image.

The record between the networks that were asked and the analysis. It keeps every random region's
effect, so that mean, deviation and rank of any of them can be had later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.base import BAD_NPZ, save_npz
from kdcore.predict.heads import read_head, unreadable

_FORMAT = 1
_AGAIN = "Delete it, and make it again with `python -m kdcore interventions`."
_TEXTS = ("sample_ids", "group_ids")
_NUMBERS = ("labels", "targets")
_DROPS = ("drops", "random_drops", "transfer_drops", "transfer_random_drops")
_PER_IMAGE = (*_TEXTS, *_NUMBERS, "probabilities", *_DROPS)
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class InterventionScores:
    """Falls of one network's probability for the teacher's choice, N images × S stages × Q areas.

    A drop is the softmax probability (T = 1) of `targets` on the image as it is, less that with a
    region removed; negative if it rose.

    Attributes
    ----------
    sample_ids : (N,) str, unique
    group_ids : (N,) str, the lesion; images of one group are not independent
    labels : (N,) int64, indices into `classes`
    targets : (N,) int64, the class asked about: the teacher's first choice
    probabilities : (N,) float32, of the target, image untouched
    drops : (N, S, Q) float32, the network's own mask removed
    random_drops : (N, S, Q, R) float32, random regions of that area removed
    transfer_drops : (N, S, Q) float32, the teacher's mask removed
    transfer_random_drops : (N, S, Q, R) float32, random regions of that area removed
    stages : S names of the network's stages, early to late
    teacher_stages : S names of the teacher's, matched with them from the end
    fractions : Q shares of the cells, in (0, 1]
    classes : C names
    split : "train", "val", "test" or "all"
    model, model_hash : the network's name and the SHA-256 of its weights
    teacher, teacher_hash : the teacher's; the network's own where it was asked itself
    seed : of the random regions
    """

    sample_ids: NDArray[np.str_]
    group_ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    targets: NDArray[np.int64]
    probabilities: Floats
    drops: Floats
    random_drops: Floats
    transfer_drops: Floats
    transfer_random_drops: Floats
    stages: tuple[str, ...]
    teacher_stages: tuple[str, ...]
    fractions: tuple[float, ...]
    classes: tuple[str, ...]
    split: str
    model: str
    model_hash: str
    teacher: str
    teacher_hash: str
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError naming the field if shapes disagree, values are off or ids repeat."""
        n, grid = len(self.sample_ids), (len(self.stages), len(self.fractions))
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(
            (*_TEXTS, *_NUMBERS, "probabilities"), (n,)
        )
        shapes |= dict.fromkeys(("drops", "transfer_drops"), (n, *grid))
        shapes |= dict.fromkeys(_DROPS[1::2], (n, *grid, self.regions))
        for name, shape in shapes.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(f"{name}: expected shape {shape}, got {getattr(self, name).shape}")
        for name in ("probabilities", *_DROPS):
            low = 0 if name == "probabilities" else -1
            values = getattr(self, name)
            if not ((values >= low) & (values <= 1)).all():
                raise ValueError(f"{name}: expected values in [{low}, 1]")
        for name in _NUMBERS:
            values = getattr(self, name)
            if not ((values >= 0) & (values < len(self.classes))).all():
                raise ValueError(f"{name}: expected values in [0, {len(self.classes)})")
        if len(set(self.sample_ids.tolist())) < n:
            raise ValueError("sample_ids: expected unique ids")
        if len(self.teacher_stages) != len(self.stages):
            raise ValueError("teacher_stages: expected as many as stages")
        if not all(0 < q <= 1 for q in self.fractions):
            raise ValueError(f"fractions: expected values in (0, 1], got {self.fractions}")

    def __len__(self) -> int:
        """Return N, the number of images."""
        return len(self.sample_ids)

    @property
    def regions(self) -> int:
        """R, the random regions of each image, stage and area."""
        return int(self.random_drops.shape[-1])

    @staticmethod
    def joined(parts: Sequence[InterventionScores]) -> InterventionScores:
        """Return one record of the images of all `parts`, in their order.

        Raises
        ------
        ValueError
            If there is none, or they differ in more than their images.
        """
        if not parts or any(_head(part) != _head(parts[0]) for part in parts):
            raise ValueError("parts: expected at least one, all of the same networks and settings")
        together: dict[str, Any] = {
            name: np.concatenate([getattr(p, name) for p in parts]) for name in _PER_IMAGE
        }
        return replace(parts[0], **together)

    def save(self, path: Path) -> None:
        """Write one `.npz` file, whole or not at all."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _PER_IMAGE}
        arrays["head"] = np.array(json.dumps({"format": _FORMAT} | _head(self)))
        save_npz(Path(path), arrays)

    @staticmethod
    def load(path: Path) -> InterventionScores:
        """Read what `save` wrote; raises DataError, naming the file, if it is not such."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return InterventionScores(**_fields(arrays, read_head(arrays, _FORMAT, path)))
        except BAD_NPZ as error:
            raise unreadable(path, "saved interventions", error, _AGAIN) from error


def _head(scores: InterventionScores) -> dict[str, Any]:
    """Return all that is not by image, as JSON has it."""
    names = [f.name for f in fields(scores) if f.name not in _PER_IMAGE]
    values = {name: getattr(scores, name) for name in names}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def _fields(arrays: Mapping[str, NDArray[Any]], head: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `InterventionScores` as a file holds them."""
    about = {k: tuple(v) if isinstance(v, list) else v for k, v in head.items()}
    found = {name: arrays[name] for name in _TEXTS}
    found |= {name: arrays[name].astype(np.int64, casting="same_kind") for name in _NUMBERS}
    real = ("probabilities", *_DROPS)
    return about | found | {name: arrays[name].astype(np.float32) for name in real}
