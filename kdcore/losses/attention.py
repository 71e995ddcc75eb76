"""Attention transfer (Zagoruyko & Komodakis 2017, section 3.1) and masked alignment."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def attention_map(stage: Tensor) -> Tensor:
    """Return the sum over channels of squared activations, (B, h, w) from (B, C, h, w)."""
    return stage.square().sum(1)


def attention_vector(stage: Tensor, grid: tuple[int, int] | None = None) -> Tensor:
    """Return the attention map flattened and L2-normalised, (B, h·w).

    With `grid`, the map is averaged (or, where finer, interpolated) onto it first, so that
    networks with different strides or input sizes compare.
    """
    maps = attention_map(stage)
    if grid is not None and maps.shape[-2:] != torch.Size(grid):
        maps = F.adaptive_avg_pool2d(maps.unsqueeze(1), grid).squeeze(1)
    return F.normalize(maps.flatten(1), dim=1)


def attention_transfer(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """Return the attention loss of paired stages (B, C, h, w), a scalar ≥ 0.

    It is the sum over pairs of the mean squared difference of their attention vectors.

    Stages are paired from the last backwards, on the student's grid; the mean is over positions
    and batch, the convention under which β is quoted as 1000.
    """
    total = student[0].new_zeros(())
    for ours, theirs in zip(reversed(student), reversed(teacher), strict=False):
        grid = (ours.shape[-2], ours.shape[-1])
        gap = attention_vector(ours) - attention_vector(theirs, grid)
        total = total + gap.square().mean()
    return total


def masked_alignment(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Return the mean squared difference of normalised attention maps inside `mask`.

    Parameters
    ----------
    student, teacher : stages (B, C, h, w) and (B, C', h', w'), compared on the student's grid
    mask : (B, h, w) in {0, 1} on the student's grid; a sample with an empty mask counts 0
    """
    grid = (student.shape[-2], student.shape[-1])
    gap = (attention_vector(student) - attention_vector(teacher, grid)).square()
    inside = mask.flatten(1).to(gap)
    return ((gap * inside).sum(1) / inside.sum(1).clamp_min(1)).mean()
