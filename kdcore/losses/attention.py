"""Attention transfer (Zagoruyko & Komodakis 2017, section 3.1), gated or not, and alignment.

All of it compares attention maps (B, h, w), the sum over channels of squared activations, so that
a teacher's maps may come from a live network or from a cache.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Grid = tuple[int, int]


def attention_map(stage: Tensor) -> Tensor:
    """Return the sum over channels of squared activations, (B, h, w) from (B, C, h, w)."""
    return stage.square().sum(1)


def attention_vector(maps: Tensor, grid: Grid | None = None) -> Tensor:
    """Return attention maps (B, h', w') flattened and L2-normalised, (B, h·w).

    With `grid` (h, w), they are averaged (or, where finer, repeated) onto it first, so that
    networks with different strides or input sizes compare.
    """
    return F.normalize(_on_grid(maps, grid or _grid(maps)).flatten(1), dim=1)


def attention_transfer(
    student: Sequence[Tensor],
    teacher: Sequence[Tensor],
    weights: Sequence[float] = (),
    masks: Sequence[Tensor] | None = None,
) -> Tensor:
    """Return the attention loss of paired stages' maps (B, h, w), a scalar ≥ 0.

    It is the weighted sum over pairs of the mean squared difference of their attention vectors.
    Stages are paired from the last backwards, on the student's grid; the mean is over positions
    and batch, the convention under which β is quoted as 1000.

    Parameters
    ----------
    student, teacher : maps of each stage, early to late
    weights : of the pairs, last stage first; pairs beyond its end count 0; empty for all 1
    masks : the teacher's causal masks (B, h, w) on the student's grids, early to late as
        `student`: its attention is gated by them before it is normalised, so that the student
        is drawn towards what matters and away from the rest
    """
    total = student[0].new_zeros(())
    for back in range(1, min(len(student), len(teacher)) + 1):
        weight = 1.0 if not weights else weights[back - 1] if back <= len(weights) else 0.0
        if weight:
            theirs = _on_grid(teacher[-back], _grid(student[-back]))
            if masks is not None:
                theirs = theirs * masks[-back].to(theirs)
            gap = attention_vector(student[-back]) - attention_vector(theirs)
            total = total + weight * gap.square().mean()
    return total


def masked_alignment(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Return the mean squared difference of normalised attention maps inside `mask`.

    Parameters
    ----------
    student, teacher : attention maps (B, h, w) and (B, h', w'), compared on the student's grid
    mask : (B, h, w) in {0, 1} on the student's grid; a sample with an empty mask counts 0
    """
    gap = (attention_vector(student) - attention_vector(teacher, _grid(student))).square()
    inside = mask.flatten(1).to(gap)
    return ((gap * inside).sum(1) / inside.sum(1).clamp_min(1)).mean()


def contrastive_alignment(
    student: Tensor, teacher: Tensor, mask: Tensor, temperature: float = 0.1
) -> Tensor:
    """Return InfoNCE over the batch: the teacher's map of the same image attracts, others repel.

    The student's attention vector i is compared by cosine with the teacher's gated vectors of
    the whole batch (van den Oord et al. 2018, equation 4; the positive is j = i).

    Parameters
    ----------
    student, teacher : attention maps (B, h, w) and (B, h', w'), compared on the student's grid
    mask : (B, h, w) in {0, 1} on the student's grid; gates the teacher's maps
    temperature : τ > 0 of the similarities

    Raises
    ------
    ValueError
        If τ is not positive.
    """
    if temperature <= 0:
        raise ValueError(f"temperature: expected a positive number, got {temperature}")
    theirs = attention_vector(_on_grid(teacher, _grid(student)) * mask.to(teacher))
    similarity = attention_vector(student) @ theirs.T / temperature  # (B, B)
    return F.cross_entropy(similarity, torch.arange(len(student), device=student.device))


def top_fraction_mask(values: Tensor, grid: Grid, q: float) -> Tensor:
    """Return the top fraction q of the cells of maps (B, h', w') on `grid`, bool (B, h, w).

    Each mask has `max(1, round(q·h·w))` cells. The maps are averaged onto the grid
    first, as `attention_vector` does. Ties go to the earlier cell in reading order.

    Raises
    ------
    ValueError
        If q is not in (0, 1].
    """
    if not 0 < q <= 1:
        raise ValueError(f"q: expected a fraction in (0, 1], got {q}")
    flat = _on_grid(values, grid).flatten(1)
    order = flat.argsort(dim=1, descending=True, stable=True)
    mask = torch.zeros_like(flat, dtype=torch.bool)
    mask.scatter_(1, order[:, : max(1, round(q * flat.shape[1]))], True)
    return mask.view(-1, *grid)


def _grid(maps: Tensor) -> Grid:
    return maps.shape[-2], maps.shape[-1]


def _on_grid(maps: Tensor, grid: Grid) -> Tensor:
    if _grid(maps) == grid:
        return maps
    return F.adaptive_avg_pool2d(maps.unsqueeze(1), grid).squeeze(1)
