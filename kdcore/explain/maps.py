"""Arithmetic of heatmaps: scaling, resizing, the difference of two.

A heatmap is float32 (H, W) in [0, 1]; a difference is float32 (H, W) in [-1, 1].
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

Heatmap = NDArray[np.float32]


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
    grid = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))[None, None]
    return F.interpolate(grid, size=size, mode="bilinear", align_corners=False)[0, 0].numpy()


def finish_cam(cam: Heatmap, size: tuple[int, int]) -> Heatmap:
    """Return a raw class activation map (h, w) as a heatmap on `size` (H, W).

    In grad-cam's order: negative values to zero, scale, resize, scale again.
    """
    return scale_unit(upsample(scale_unit(np.maximum(cam, 0)), size))


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
        if values.min() < -1e-6 or values.max() > 1 + 1e-6:
            raise ValueError(f"{name}: expected values in [0, 1]")
    size = max(teacher.shape, student.shape, key=lambda s: s[0] * s[1])
    return upsample(teacher, size) - upsample(student, size)


def agreement(teacher: Heatmap, student: Heatmap) -> float:
    """Return Pearson's correlation of two heatmaps on the finer grid; NaN if one is constant."""
    size = max(teacher.shape, student.shape, key=lambda s: s[0] * s[1])
    a, b = upsample(teacher, size).ravel(), upsample(student, size).ravel()
    if a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
