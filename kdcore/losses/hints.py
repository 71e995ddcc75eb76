"""Feature hints: match an intermediate stage through a learned projection (Romero et al. 2015)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def hint_loss(projected: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean squared difference of a projected student stage and a teacher stage.

    FitNets (section 2.2) sums over positions and channels; the mean keeps the weight's meaning
    when the grid changes.

    Parameters
    ----------
    projected : (B, C, h, w), the student's stage through the projection, C the teacher's channels
    teacher : (B, C, h', w'), averaged onto the student's grid

    Raises
    ------
    ValueError
        If the channels differ.
    """
    if projected.shape[1] != teacher.shape[1]:
        raise ValueError(
            f"projected, teacher: expected equal channels, got {projected.shape[1]} and "
            f"{teacher.shape[1]}"
        )
    grid = (projected.shape[-2], projected.shape[-1])
    return F.mse_loss(projected, F.adaptive_avg_pool2d(teacher, grid))
