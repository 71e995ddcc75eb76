"""The optimiser of a recipe, with weight decay on kernels and matrices only."""

from __future__ import annotations

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from kdcore.distill.recipe import Recipe


def make_optimizer(recipe: Recipe, module: nn.Module) -> Optimizer:
    """Return AdamW, Adam (weight decay as part of the gradient) or SGD over `module`."""
    matrices = [p for p in module.parameters() if p.ndim > 1]
    vectors = [p for p in module.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": recipe.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    if recipe.optimizer == "sgd":
        return SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum)
    kind = AdamW if recipe.optimizer == "adamw" else Adam
    return kind(groups, lr=recipe.learning_rate)
