"""A network and a picture whose right map is known: each class is a quadrant."""

from __future__ import annotations

import numpy as np
import torch

from kdcore.explain.maps import scale_unit, upsample
from kdcore.explain.passes import stage_gradient
from kdcore.models import Classifier

SIDE, GRID, GAIN = 32, 8, 8.0


class Quadrants(Classifier):
    """Class c is as likely as quadrant c (in reading order) has bright pixels."""

    architecture, stage_names = "quadrants", ("grid",)

    def __init__(self):
        super().__init__()
        weight = torch.zeros(4, GRID, GRID)
        half = GRID // 2
        for c in range(4):
            top, left = half * (c // 2), half * (c % 2)
            weight[c, top : top + half, left : left + half] = GAIN / half**2
        self.weight = torch.nn.Parameter(weight, requires_grad=False)
        self.eval()

    def forward_stages(self, images):
        return (torch.nn.functional.adaptive_avg_pool2d(images.clamp_min(0), GRID),)

    def head(self, last):
        return torch.einsum("bhw,chw->bc", last.mean(1), self.weight)


def noise_picture(seed=0):
    """Return ±1 (1, 3, SIDE, SIDE), the same in all channels: blurred it is dark everywhere.

    Every cell has equally many bright pixels, so the four classes tie.
    """
    generator = np.random.default_rng(seed)
    cell = np.repeat([1.0, -1.0], (SIDE // GRID) ** 2 // 2)
    cells = [generator.permutation(cell).reshape(SIDE // GRID, -1) for _ in range(GRID**2)]
    picture = np.block([[cells[GRID * r + c] for c in range(GRID)] for r in range(GRID)])
    return torch.from_numpy(picture).float().expand(1, 3, SIDE, SIDE).clone()


def quadrant(target):
    """Return where class `target` looks, bool (SIDE, SIDE)."""
    mask, half = np.zeros((SIDE, SIDE), bool), SIDE // 2
    top, left = half * (target // 2), half * (target % 2)
    mask[top : top + half, left : left + half] = True
    return mask


def answer(model, tensor, target):
    """Explain by gradient times activation, which is exact for a linear head."""
    activations, gradient = stage_gradient(model, tensor, target, -1)
    size = (tensor.shape[-2], tensor.shape[-1])
    return scale_unit(upsample((activations * gradient).sum(0).clamp_min(0).numpy(), size))


def state_of(model):
    """Return all that an explanation must leave as it was."""
    return (
        {k: v.clone() for k, v in model.state_dict().items()},
        [m.training for m in model.modules()],
        [(p.requires_grad, p.grad) for p in model.parameters()],
    )


def assert_unchanged(model, before):
    """Fail unless weights, modes, gradients and hooks are as in `before`, from `state_of`."""
    weights, modes, gradients = state_of(model)
    assert all(torch.equal(v, before[0][k]) for k, v in weights.items())
    assert (modes, gradients) == before[1:]
    assert not any(m._forward_hooks or m._backward_hooks for m in model.modules())
