"""Attention rollout: how much of each cell attention carries into a stage, layer upon layer.

Abnar & Zuidema 2020, section 3: a layer's attention, a mean over heads, mixed half and half with
the identity that the residual path is; the product over layers. Two deviations. There is no class
token here, so the output is the mean over cells, as the head pools them. And where a network
merges 2 × 2 cells between stages, each of the four counts a quarter. It takes attention of all
cells to all cells: Swin's, within windows that shift, is not a map of the picture, and rolling it
out would call what is the windows' layout an explanation.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kdcore.base import SettingError
from kdcore.explain.maps import Heatmap, finish_cam
from kdcore.explain.passes import check_architecture, check_image, check_stage, evaluating
from kdcore.models import Classifier

TITLE = "Attention rollout"
ROLLED_OUT = ("visformer_small",)  # architectures with attention of all cells to all cells


def attention_rollout(model: Classifier, tensor: Tensor, stage: int = -1) -> Heatmap:
    """Return the share of each cell in a stage's mean output, as a heatmap (H, W) in [0, 1].

    Parameters
    ----------
    model : a `Classifier` of the architectures in `ROLLED_OUT`; unchanged afterwards
    tensor : (1, 3, H, W), normalised
    stage : up to which one, negative from the end

    Raises
    ------
    ValueError
        If an argument is out of range.
    SettingError
        If the architecture has no attention over the whole picture, or none up to this stage.
    """
    shares = rollout_shares(model, tensor, stage)
    return finish_cam(shares.numpy(), (tensor.shape[-2], tensor.shape[-1]))


def rollout_shares(model: Classifier, tensor: Tensor, stage: int = -1) -> Tensor:
    """Return the shares (h, w), summing to 1, on the grid where attention begins.

    Arguments and errors are the same as `attention_rollout`'s.
    """
    check_architecture(model, ROLLED_OUT, TITLE)
    index, image = check_stage(model, stage), check_image(tensor)
    rolled, grid = None, (0, 0)
    with evaluating(model), torch.inference_mode():
        before = model(image).stages
        for number in range(1, index + 1):
            x = _entering(model.net, number, before[number - 1])
            if rolled is None:
                rolled, grid = torch.eye(x[0, 0].numel()), (x.shape[-2], x.shape[-1])
            else:
                rolled = _merging(before[number - 1], x) @ rolled
            for block in getattr(model.net, model.stage_names[number]):
                rolled = _mixed(block.attn, block.norm1(x)) @ rolled
                x = block(x)
    if rolled is None:
        raise SettingError(
            f"The stage {model.stage_names[index]} of {model.architecture} has no attention.",
            "Choose a later stage.",
        )
    return rolled.mean(0).reshape(grid)


def _entering(net: Any, number: int, previous: Tensor) -> Tensor:
    """Return what enters stage `number`, counted from 0: cells merged, their places added."""
    merge = getattr(net, f"patch_embed{number + 1}")
    return merge(previous) + getattr(net, f"pos_embed{number + 1}")


def _mixed(attention: Any, x: Tensor) -> Tensor:
    """Return a block's mean attention, mixed with the identity: (n, n), rows summing to 1."""
    heads, size = attention.num_heads, attention.head_dim
    query, key, _ = attention.qkv(x).reshape(3, heads, size, -1).transpose(-1, -2)  # (heads, n, d)
    weights = torch.softmax(query @ key.transpose(-1, -2) * attention.scale, -1).mean(0).cpu()
    return 0.5 * weights + 0.5 * torch.eye(len(weights))


def _merging(before: Tensor, after: Tensor) -> Tensor:
    """Return the shares (n after, n before) of the cells that each merged cell is made of."""
    height, width = before.shape[-2:]
    step = height // after.shape[-2]
    places = torch.arange(height * width).reshape(height, width)
    owner = (places // width // step) * after.shape[-1] + places % width // step
    one_hot = torch.nn.functional.one_hot(owner.flatten()).T.float()
    return one_hot / one_hot.sum(1, keepdim=True)
