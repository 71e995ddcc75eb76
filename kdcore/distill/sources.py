"""A data set decoded once into memory: uint8 pictures of one shape, ready for batched views."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import ImageOps
from torch import Tensor

from kdcore.base import DataError, group_hash
from kdcore.data import Ham10000, Preprocess, Sample

ASPECT = 4 / 3  # of HAM10000's pictures; others are cropped to it


@dataclass(frozen=True)
class Sources:
    """Pictures (N, 3, H, W) uint8 with labels (N,)."""

    images: Tensor
    labels: Tensor


def load_sources(data: Ham10000, samples: Sequence[Sample], short_side: int) -> Sources:
    """Decode the pictures of `samples` at 4:3 with `short_side` pixels at most.

    Raises
    ------
    DataError
        If there are no samples.
    ImageError
        If a file can't be decoded.
    """
    if not samples:
        raise DataError("This part of the data set is empty.", "Choose another split or folder.")
    first = data.picture(samples[0].image_id).rgb
    height = min(short_side, *first.size)
    shape = (round(height * ASPECT), height)
    images = torch.empty((len(samples), 3, height, shape[0]), dtype=torch.uint8)

    def fill(index: int) -> None:
        rgb = data.picture(samples[index].image_id).rgb
        pixels = np.asarray(ImageOps.fit(rgb, shape))
        images[index] = torch.from_numpy(pixels.copy()).permute(2, 0, 1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, range(len(samples))))
    return Sources(images, torch.tensor([s.label for s in samples]))


def load_inputs(data: Ham10000, samples: Sequence[Sample], size: int) -> Sources:
    """Decode and crop as prediction does, without normalising: (N, 3, size, size) uint8."""
    crop = Preprocess(size, (0, 0, 0), (1, 1, 1)).crop

    def one(sample: Sample) -> NDArray[np.uint8]:
        return np.asarray(crop(data.picture(sample.image_id).rgb))

    with ThreadPoolExecutor(4) as pool:
        arrays = list(pool.map(one, samples))
    images = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()
    return Sources(images, torch.tensor([s.label for s in samples]))


def hash_groups(groups: Sequence[str]) -> tuple[str, ...]:
    """Return the first 12 hex digits of each distinct group's SHA-256, sorted."""
    return tuple(sorted({group_hash(g) for g in groups}))
