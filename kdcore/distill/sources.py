"""A data set decoded once into memory: uint8 pictures of one shape, ready for batched views."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import ImageOps
from torch import Tensor

from kdcore.base import DataError, group_hash, sha256_bytes
from kdcore.data import ImageDataset, Preprocess, Sample
from kdcore.data.splits import hash_order

_MARGIN = 1.25  # of decoded pictures over the largest input: views zoom into them


@dataclass(frozen=True)
class Sources:
    """Pictures (N, 3, H, W) uint8 with labels (N,)."""

    images: Tensor
    labels: Tensor

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of pictures and labels, 64 hex digits; half a second for HAM10000."""
        parts = (sha256_bytes(tensor.numpy().data) for tensor in (self.images, self.labels))
        return sha256_bytes("".join(parts).encode())


def source_side(*inputs: int) -> int:
    """Return the short side at which pictures are decoded for networks of these input sizes."""
    return math.ceil(max(inputs) * _MARGIN)


def load_sources(data: ImageDataset, samples: Sequence[Sample], short_side: int) -> Sources:
    """Decode the pictures of `samples` at the data set's aspect, `short_side` pixels at most.

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
    shape = (round(height * data.info.aspect), height)
    images = torch.empty((len(samples), 3, height, shape[0]), dtype=torch.uint8)

    def fill(index: int) -> None:
        rgb = data.picture(samples[index].image_id).rgb
        pixels = np.asarray(rgb if rgb.size == shape else ImageOps.fit(rgb, shape))
        images[index] = torch.from_numpy(pixels.copy()).permute(2, 0, 1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, range(len(samples))))
    return Sources(images, torch.tensor([s.label for s in samples]))


def load_inputs(data: ImageDataset, samples: Sequence[Sample], size: int) -> Sources:
    """Decode and crop as prediction does, without normalising: (N, 3, size, size) uint8."""
    crop = Preprocess(size, (0, 0, 0), (1, 1, 1)).crop

    def one(sample: Sample) -> NDArray[np.uint8]:
        return np.asarray(crop(data.picture(sample.image_id).rgb))

    with ThreadPoolExecutor(4) as pool:
        arrays = list(pool.map(one, samples))
    images = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()
    return Sources(images, torch.tensor([s.label for s in samples]))


def limit_samples(samples: Sequence[Sample], limit: int) -> list[Sample]:
    """Return about `limit` samples, each class its share rounded up, in their old order.

    The same on every machine: a class's samples are taken in the order of a hash of their ids.
    A `limit` of 0, or of as many as there are, takes all.
    """
    if not limit or limit >= len(samples):
        return list(samples)
    by_class: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_class[sample.label].append(sample)
    kept: set[str] = set()
    for members in by_class.values():
        share = math.ceil(limit * len(members) / len(samples))
        kept |= set(sorted((s.image_id for s in members), key=hash_order(0))[:share])
    return [s for s in samples if s.image_id in kept]


def hash_groups(groups: Sequence[str]) -> tuple[str, ...]:
    """Return the `group_hash` of each distinct group, or name of a picture, sorted."""
    return tuple(sorted({group_hash(g) for g in groups}))
