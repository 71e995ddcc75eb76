"""How much each cell of each stage speaks for a class: gradient-weighted activation, in batches.

The Grad-CAM sum (Selvaraju et al. 2017, equation 2) before it is cut at zero, of every image of a
batch at once. Causal masks are its top fraction.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from kdcore.models.ensemble import Ensemble
from kdcore.models.output import Classifier, Output


def stage_relevance(
    model: Classifier, images: Tensor, targets: Tensor, last: int
) -> tuple[Output, tuple[Tensor, ...]]:
    """Return the output on a batch and the relevance of its `last` last stages, early to late.

    Parameters
    ----------
    model : in eval mode (a batch norm in training mode would mix the images); unchanged, and its
        parameters get no gradient
    images : (B, 3, H, W), normalised
    targets : (B,) class of each image whose logit is explained
    last : how many stages, counted back from the last

    Returns
    -------
    output : detached
    relevance : for each stage (B, h, w), signed; of an ensemble the members' mean on the finest
        grid, as its joined stages have no path to the logits. A coarser member's cell is shared
        by the cells that it grows to, so that each member's sum stays what it is
    """
    if isinstance(model, Ensemble):
        return _of_members(model, images, targets, last)
    with torch.enable_grad():
        output = model(images.detach().requires_grad_(True))
        score = output.logits.gather(1, targets.unsqueeze(1)).sum()
        stages = output.stages[-last:]
        gradients = torch.autograd.grad(score, stages)
    relevance = tuple(
        (g.mean((2, 3), keepdim=True) * s.detach()).sum(1) for g, s in zip(gradients, stages)
    )
    return Output(output.logits.detach(), tuple(s.detach() for s in output.stages)), relevance


def _of_members(
    model: Ensemble, images: Tensor, targets: Tensor, last: int
) -> tuple[Output, tuple[Tensor, ...]]:
    parts = [stage_relevance(m, images, targets, last)[1] for m in model.members]  # type: ignore[arg-type]
    with torch.no_grad():
        output = model(images)
    means = []
    for maps in zip(*parts):
        grid = max((m.shape[-2:] for m in maps), key=lambda s: s[0] * s[1])
        means.append(torch.stack([_grown(m, grid) for m in maps]).mean(0))
    return output, tuple(means)


def _grown(maps: Tensor, grid: torch.Size) -> Tensor:
    """Return maps (B, h, w) on a grid, each with about the sum that it has on its own."""
    share = maps[0].numel() / grid.numel()
    return share * F.interpolate(maps.unsqueeze(1), grid, mode="bilinear").squeeze(1)
