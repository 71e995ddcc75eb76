"""A network's passes as every method asks for them: checked arguments, forward, to a stage.

Nothing here registers a hook or writes to a parameter: two browser sessions share one model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from kdcore.base import SettingError
from kdcore.models import Classifier, Ensemble, Output


def check_image(tensor: Tensor) -> Tensor:
    """Return a detached float32 copy of one input (1, 3, H, W), usable by autograd.

    Raises
    ------
    ValueError
        If the shape is another, or a value is not finite.
    """
    if tensor.ndim != 4 or tensor.shape[0] != 1 or tensor.shape[1] != 3:
        raise ValueError(f"tensor: expected shape (1, 3, H, W), got {tuple(tensor.shape)}")
    if not bool(torch.isfinite(tensor).all()):
        raise ValueError("tensor: expected finite values, got NaN or infinity")
    with torch.inference_mode(False):  # a tensor made in inference mode can't carry a graph
        return tensor.clone().detach().float()


def check_stage(model: Classifier, stage: int) -> int:
    """Return `stage` as an index ≥ 0; negative ones count from the last stage.

    Raises
    ------
    ValueError
        If the model has no such stage.
    """
    count = len(model.stage_names)
    if not -count <= stage < count:
        raise ValueError(f"stage: expected -{count} to {count - 1}, got {stage}")
    return stage % count


def check_target(logits: Tensor, target: int) -> int:
    """Return `target`; raises ValueError if it is not a class index of logits (1, C)."""
    if not 0 <= target < logits.shape[-1]:
        raise ValueError(f"target: expected 0 to {logits.shape[-1] - 1}, got {target}")
    return int(target)


def check_architecture(model: Classifier, architectures: tuple[str, ...], title: str) -> None:
    """Raise SettingError if the method `title` is not for the model, or a member of the ensemble.

    `architectures` are the registered names that it is for; empty for all.
    """
    parts = model.members if isinstance(model, Ensemble) else ()
    for part in parts:
        check_architecture(part, architectures, title)  # type: ignore[arg-type]
    if architectures and not parts and model.architecture not in architectures:
        raise SettingError(
            f"{title} is not defined for {model.architecture}.",
            f"Choose another method, or a network of: {', '.join(architectures)}.",
        )


@contextmanager
def evaluating(model: Classifier) -> Iterator[None]:
    """Hold the model in eval mode; each module's own mode comes back in any case.

    A model already in eval mode, as every loaded checkpoint is, isn't touched at all.
    """
    training = [module for module in model.modules() if module.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


def forward(model: Classifier, tensor: Tensor) -> Output:
    """Return logits (1, C) and stages of one input (1, 3, H, W), without a graph."""
    image = check_image(tensor)
    with evaluating(model), torch.inference_mode():
        return model(image)


def target_probs(model: Classifier, images: Tensor, target: int) -> NDArray[np.float64]:
    """Return the target's softmax probability (B,), T = 1, for normalised images (B, 3, H, W).

    Raises
    ------
    ValueError
        If the target is no class of the model.
    """
    images = images.contiguous(memory_format=torch.channels_last)  # up to twice as fast
    with evaluating(model), torch.inference_mode():
        logits = model(images).logits
        check_target(logits, target)
        return torch.softmax(logits.double(), 1)[:, target].cpu().numpy()


def stage_gradient(
    model: Classifier, tensor: Tensor, target: int, stage: int
) -> tuple[Tensor, Tensor]:
    """Return a stage's activations and the gradient of the target's logit there.

    Parameters
    ----------
    model : any `Classifier`, ensembles included
    tensor : (1, 3, H, W), normalised
    target : class index
    stage : index of the stage, negative from the end

    Returns
    -------
    activations, gradient : (channels, h, w) float32 each, on the CPU

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    index = check_stage(model, stage)
    if isinstance(model, Ensemble):
        return _ensemble_gradient(model, tensor, target, index)
    activations, gradient = batch_gradient(model, check_image(tensor), [target], index)
    return activations[0], gradient[0]


def batch_gradient(
    model: Classifier, images: Tensor, targets: Sequence[int], stage: int
) -> tuple[Tensor, Tensor]:
    """Return a stage's activations and each image's own gradient there, of one network.

    In eval mode an image's logits depend on no other image, so the gradient of the targets' sum
    is every image's own.

    Parameters
    ----------
    model : any `Classifier` but an ensemble
    images : (B, 3, H, W), normalised
    targets : B class indices
    stage : index of the stage, negative from the end

    Returns
    -------
    activations, gradient : (B, channels, h, w) float32 each, on the CPU

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    index = check_stage(model, stage)
    # Only the graph is wanted, so the input asks for it: parameters stay frozen and without
    # `.grad`, and the gradient goes to a return value instead of to anything shared.
    with torch.inference_mode(False), torch.enable_grad(), evaluating(model):
        output = model(images.clone().detach().requires_grad_(True))
        asked = [check_target(output.logits, target) for target in targets]
        if len(asked) != len(images):
            raise ValueError(f"targets: expected {len(images)}, got {len(asked)}")
        activations = output.stages[index]
        chosen = output.logits[torch.arange(len(images)), asked].sum()
        (gradient,) = torch.autograd.grad(chosen, activations)
    return activations.detach().cpu(), gradient.cpu()


def _ensemble_gradient(
    model: Ensemble, tensor: Tensor, target: int, index: int
) -> tuple[Tensor, Tensor]:
    """Return the members' activations and gradients side by side, on the finest grid.

    The joined stage is made for looking at and has no path to the logits, so each member is
    asked; the mean logit's gradient is a member's own over the number of members. What a cell
    says is shared by the cells that it grows to, or a coarse member would count for more.
    """
    parts = [stage_gradient(m, tensor, target, index) for m in model.members]  # type: ignore[arg-type]
    grid = max((a.shape[-2:] for a, _ in parts), key=lambda s: s[0] * s[1])
    shares = [a[0].numel() / (grid[0] * grid[1]) for a, _ in parts]

    def grown(values: Tensor) -> Tensor:
        if values.shape[-2:] == grid:
            return values
        return F.interpolate(values[None], grid, mode="bilinear")[0]

    activations = torch.cat([grown(a) for a, _ in parts])
    gradients = torch.cat([share * grown(g) for share, (_, g) in zip(shares, parts)])
    return activations, gradients / len(parts)
