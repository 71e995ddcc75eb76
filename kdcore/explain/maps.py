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
        if values.min() < -1e-6 or values.max() > 1 + 1e-6:
            raise ValueError(f"{name}: expected values in [0, 1]")
    size = max(teacher.shape, student.shape, key=lambda s: s[0] * s[1])
    return upsample(teacher, size) - upsample(student, size)
