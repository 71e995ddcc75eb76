"""Arithmetic of heatmaps: scaling, resizing, the difference of two.

A heatmap is float32 (H, W) in [0, 1]; a difference is float32 (H, W) in [-1, 1].
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from kdcore.base import numpy_generator

Heatmap = NDArray[np.float32]
_TOLERANCE = 1e-6  # by which rounding may leave [0, 1]


def scale_unit(values: Heatmap) -> Heatmap:
    """Return `values` moved to minimum 0 and divided by 1e-7 + maximum (grad-cam's scaling).

    A constant map becomes all zeros.
    """
    shifted = np.asarray(values, dtype=np.float32)
    shifted = shifted - shifted.min()
    return (shifted / (1e-7 + shifted.max())).astype(np.float32)


def upsample(values: Heatmap, size: tuple[int, int]) -> Heatmap:
    """Return `values` (h, w) on a grid `size` (H, W), bilinear between pixel centres.

    The same as OpenCV's `INTER_LINEAR`, which grad-cam uses, without needing OpenCV.
    """
    if values.ndim != 2:
        raise ValueError(f"values: expected shape (h, w), got {values.shape}")
    return upsample_all(values[None], size)[0]


def upsample_all(values: Heatmap, size: tuple[int, int]) -> Heatmap:
    """Return maps (N, h, w) on a grid `size` (H, W), each as `upsample` does, (N, H, W)."""
    grids = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))[:, None]
    return F.interpolate(grids, size=size, mode="bilinear", align_corners=False)[:, 0].numpy()


def finish_cam(cam: Heatmap, size: tuple[int, int]) -> Heatmap:
    """Return a raw class activation map (h, w) as a heatmap on `size` (H, W).

    In grad-cam's order: negative values to zero, scale, resize, scale again.
    """
    return finish_cams(cam[None], size)[0]


def finish_cams(cams: Heatmap, size: tuple[int, int]) -> Heatmap:
    """Return raw maps (N, h, w), each as `finish_cam` does, (N, H, W)."""
    scaled = np.stack([scale_unit(cam) for cam in np.maximum(cams, 0)])
    return np.stack([scale_unit(cam) for cam in upsample_all(scaled, size)])


def difference_map(teacher: Heatmap, student: Heatmap) -> Heatmap:
    """Return teacher minus student in [-1, 1], on the finer of the two grids.

    Both maps must show the same square of the image, as `Preprocess.crop` gives for any input
    size. Positive where the teacher looks and the student doesn't.

    Raises
    ------
    ValueError
        If a map is not (H, W) or leaves [0, 1].
    """
    for name, values in (("teacher", teacher), ("student", student)):
        if values.ndim != 2:
            raise ValueError(f"{name}: expected shape (H, W), got {values.shape}")
        if values.min() < -_TOLERANCE or values.max() > 1 + _TOLERANCE:
            raise ValueError(f"{name}: expected values in [0, 1]")
    size = max(teacher.shape, student.shape, key=lambda s: s[0] * s[1])
    return upsample(teacher, size) - upsample(student, size)


def check_heatmap(heatmap: Heatmap, size: tuple[int, int]) -> Heatmap:
    """Return `heatmap` as float32 of shape `size` (H, W).

    Raises
    ------
    ValueError
        If the shape is another, or a value is not finite or leaves [0, 1].
    """
    values = np.asarray(heatmap, dtype=np.float32)
    if values.shape != tuple(size):
        raise ValueError(f"heatmap: expected shape {tuple(size)}, got {values.shape}")
    if not (values.min() >= -_TOLERANCE and values.max() <= 1 + _TOLERANCE):  # NaN fails, too
        raise ValueError(
            f"heatmap: expected values in [0, 1], got [{values.min():.4g}, {values.max():.4g}]"
        )
    return values


def pixel_ranks(heatmap: Heatmap, seed: int = 0) -> NDArray[np.int64]:
    """Return each pixel's place (H, W) in the map's order, 0 for the most relevant.

    Pixels of equal value come in random order, drawn from `seed`: a map that says nothing
    (constant), or nothing of a part (the zeros below a cut), is then worth what chance is, and
    not what reading order happens to be.
    """
    chance = numpy_generator(seed).permutation(heatmap.size)
    order = np.lexsort((chance, -heatmap.ravel()))
    ranks = np.empty(heatmap.size, dtype=np.int64)
    ranks[order] = np.arange(heatmap.size)
    return ranks.reshape(heatmap.shape)
