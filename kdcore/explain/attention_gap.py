"""What attention transfer and masked alignment would penalise for one pair, position by position.

The same normalisation, grid and pairing as `kdcore.losses.attention`, before the mean is taken:
the mean of `penalty` is the stage's term of `attention_transfer`, and its mean inside the mask is
`masked_alignment`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from kdcore.explain.causal_mask import Mask, top_fraction
from kdcore.explain.maps import Heatmap, scale_unit
from kdcore.losses import attention_map, attention_vector


@dataclass(frozen=True)
class AttentionGap:
    """One stage of a pair on the student's grid.

    Attributes
    ----------
    teacher, student : (h, w) attention, L2 norm 1 over the grid
    penalty : (h, w) squared difference
    transfer : mean of `penalty`, the stage's attention transfer term
    """

    teacher: Heatmap
    student: Heatmap
    penalty: Heatmap
    transfer: float

    @property
    def maximum(self) -> float:
        """The largest penalty of a position."""
        return float(self.penalty.max())

    @property
    def shown(self) -> Heatmap:
        """The penalty (h, w) divided by its maximum, to be looked at."""
        return scale_unit(self.penalty)

    def weighted(self, beta: float) -> float:
        """Return β times `transfer`: what this stage adds to the loss."""
        return beta * self.transfer

    def share_inside(self, mask: Mask) -> float:
        """Return the share of the whole penalty that lies inside a mask (h, w)."""
        total = float(self.penalty.sum())
        return float(self.penalty[mask].sum()) / total if total else 0.0

    def alignment(self, mask: Mask) -> float:
        """Return the masked alignment term: the mean penalty inside a mask (h, w)."""
        return float(self.penalty[mask].mean()) if mask.any() else 0.0

    def masked(self, mask: Mask) -> Heatmap:
        """Return `shown` (h, w) with zero outside a mask (h, w)."""
        return np.where(mask, self.shown, 0).astype(np.float32)


def attention_gap(student: Tensor, teacher: Tensor) -> AttentionGap:
    """Compare one stage of a pair.

    Parameters
    ----------
    student, teacher : (1, C, h, w) and (1, C', h', w') activations of paired stages
    """
    grid = (student.shape[-2], student.shape[-1])
    ours = attention_vector(attention_map(student))[0].reshape(grid).cpu().numpy()
    theirs = attention_vector(attention_map(teacher), grid)[0].reshape(grid).cpu().numpy()
    penalty = np.square(ours - theirs)
    return AttentionGap(theirs, ours, penalty, float(penalty.mean()))


def shown_attention(stage: Tensor) -> Heatmap:
    """Return the attention map (h, w) of a stage (1, C, h, w), scaled to [0, 1]."""
    return scale_unit(attention_map(stage)[0].cpu().numpy())


def mask_on_grid(values: Heatmap, grid: tuple[int, int], q: float) -> Mask:
    """Return the top fraction q of gradient-weighted `values` (h', w') as a mask (h, w) on `grid`.

    Averaged onto the grid first, as `attention_vector` does with attention.
    """
    array: NDArray[np.float32] = np.ascontiguousarray(values, dtype=np.float32)
    pooled = F.adaptive_avg_pool2d(torch.from_numpy(array)[None, None], grid)[0, 0]
    return top_fraction(pooled.numpy(), q)
