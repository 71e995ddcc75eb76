"""What a study of heatmaps keeps on disk: small maps and numbers, chunk by chunk of the images.

A chunk that is on disk is not computed again, so a study that was cancelled or killed goes on
where it ended; its file's name depends on the images in it, so more images add chunks only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from kdcore.base import BAD_NPZ, save_npz, sha256_bytes, state_folder
from kdcore.data import Sample
from kdcore.explain.maps import Heatmap, finish_cams

GRID = 28  # cells a side of a kept map: four times those of the last stage at 224 pixels
CHUNK = 32
Arrays = dict[str, NDArray[Any]]
_VERSION = 2  # raised when what is kept comes out otherwise


@dataclass(frozen=True)
class MapCells:
    """Where the chunks of one study are: one file for each model, kind of number and chunk.

    Attributes
    ----------
    root : folder of all studies
    method : of the maps
    teacher_hash : SHA-256 of the weights that gave the target classes
    seed : of everything that is drawn
    """

    root: Path
    method: str
    teacher_hash: str
    seed: int

    def path(self, weights_sha256: str, kind: str, samples: Sequence[Sample]) -> Path:
        """Return the file of a chunk, there or not."""
        ids = "\n".join(sample.image_id for sample in samples)
        name = sha256_bytes(f"{_VERSION}\n{self.seed}\n{ids}".encode())[:16]
        asked = f"{self.method}-{self.teacher_hash[:16]}"
        return self.root / weights_sha256[:16] / asked / kind / f"{name}.npz"

    def load(self, weights_sha256: str, kind: str, samples: Sequence[Sample]) -> Arrays | None:
        """Return a chunk, or None where it is not there, or is broken and so made again."""
        path = self.path(weights_sha256, kind, samples)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return dict(arrays)
        except BAD_NPZ:
            return None

    def save(
        self, weights_sha256: str, kind: str, samples: Sequence[Sample], arrays: dict[str, Any]
    ) -> None:
        """Write a chunk's `arrays`, whole or not at all.

        `weights_sha256`, `kind` and `samples` are those of `path`.
        """
        save_npz(self.path(weights_sha256, kind, samples), arrays)

    def gather(self, weights_sha256: str, kind: str, samples: Sequence[Sample]) -> Arrays:
        """Return the chunks of all `samples` joined, (N, ...) by name.

        `weights_sha256` and `kind` are those of `path`.

        Raises
        ------
        ValueError
            If a chunk is not there.
        """
        found = [self.load(weights_sha256, kind, chunk) for chunk in chunks(samples)]
        if any(arrays is None for arrays in found):
            raise ValueError(f"samples: a chunk of {kind!r} is not there yet")
        whole = [arrays for arrays in found if arrays is not None]
        return {name: np.concatenate([a[name] for a in whole]) for name in whole[0]}


def map_cells(method: str, teacher_hash: str, seed: int = 0, root: Path | None = None) -> MapCells:
    """Return the cells of a study.

    Parameters
    ----------
    method, teacher_hash, seed : as `MapCells` has them
    root : the folder; by default inside the state folder
    """
    return MapCells(root or state_folder() / "explanations", method, teacher_hash, seed)


def chunks(samples: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    """Yield the samples in pieces of `CHUNK`, the last one shorter."""
    for start in range(0, len(samples), CHUNK):
        yield samples[start : start + CHUNK]


def reduce_maps(heatmaps: Heatmap) -> NDArray[np.float16]:
    """Return heatmaps (N, H, W) as they are kept: means over `GRID` x `GRID` cells, half floats."""
    tensor = torch.from_numpy(np.ascontiguousarray(heatmaps, dtype=np.float32))
    return F.adaptive_avg_pool2d(tensor[:, None], GRID)[:, 0].numpy().astype(np.float16)


def restore_maps(kept: NDArray[np.float16], side: int) -> Heatmap:
    """Return kept maps (N, 28, 28) on an input's grid, (N, side, side) in [0, 1]."""
    return finish_cams(kept.astype(np.float32), (side, side))
