"""The training objective, its parts by name."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from kdcore.distill.recipe import Recipe
from kdcore.losses import attention_transfer, hard_loss, kd_loss
from kdcore.models import Output


def objective(
    recipe: Recipe,
    student: Output,
    teachers: Sequence[Output],
    targets: Tensor,
    class_weights: Tensor | None,
) -> dict[str, Tensor]:
    """Return `{loss, ce, kd, at}` for one batch; kd and at are 0 without teachers.

    Parameters
    ----------
    recipe : gives α, T, β and the label smoothing
    student : logits (B, C) and stages, with gradients
    teachers : outputs of each teacher on the same views, without gradients
    targets : (B, C) soft labels
    class_weights : (C,) or None
    """
    ce = hard_loss(student.logits, targets, class_weights, recipe.label_smoothing)
    zero = ce.new_zeros(())
    parts = {"ce": ce, "kd": zero, "at": zero}
    loss = recipe.alpha * ce
    if teachers and recipe.alpha < 1:
        mean = torch.stack([t.logits for t in teachers]).mean(0)
        parts["kd"] = kd_loss(student.logits, mean, recipe.temperature)
        loss = loss + (1 - recipe.alpha) * parts["kd"]
    if teachers and recipe.beta:
        gaps = [attention_transfer(student.stages, t.stages) for t in teachers]
        parts["at"] = torch.stack(gaps).mean()
        loss = loss + recipe.beta * parts["at"]
    return {"loss": loss, **parts}
