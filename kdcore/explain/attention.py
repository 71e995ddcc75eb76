"""Attention maps: where a stage is active, whatever the class.

Zagoruyko & Komodakis 2017, section 3.1, sum of squares over channels, here scaled to [0, 1] to be
looked at; the losses compare L2-normalised ones.
"""

from __future__ import annotations

from torch import Tensor

from kdcore.explain.maps import Heatmap, scale_unit, upsample
from kdcore.explain.passes import check_stage, forward
from kdcore.losses import attention_map
from kdcore.models import Classifier


def attention(model: Classifier, tensor: Tensor, stage: int = -1) -> Heatmap:
    """Return one stage's attention heatmap (H, W) in [0, 1], on the input's grid.

    Parameters
    ----------
    model : any `Classifier`; unchanged afterwards
    tensor : (1, 3, H, W), normalised
    stage : index of the stage, negative from the end

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    grid = attention_grids(model, tensor)[check_stage(model, stage)]
    return scale_unit(upsample(grid, (tensor.shape[-2], tensor.shape[-1])))


def attention_grids(model: Classifier, tensor: Tensor) -> tuple[Heatmap, ...]:
    """Return every stage's attention map (h, w) in [0, 1] on its own grid, early to late."""
    stages = forward(model, tensor).stages
    return tuple(scale_unit(attention_map(stage)[0].cpu().numpy()) for stage in stages)
