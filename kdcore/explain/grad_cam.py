"""Grad-CAM: a stage's channels weighted by the mean gradient of the target's logit.

Selvaraju et al. 2017, section 3, in the convention of the `grad-cam` package (1.5.7): weights are
the spatial means of the gradient, the sum is cut at zero, scaled, resized and scaled again.
"""

from __future__ import annotations

from torch import Tensor

from kdcore.explain.maps import Heatmap, finish_cam
from kdcore.explain.taps import stage_gradient
from kdcore.models import Classifier


def grad_cam(model: Classifier, tensor: Tensor, target: int, stage: int = -1) -> Heatmap:
    """Return the Grad-CAM heatmap (H, W) in [0, 1] of one input (1, 3, H, W).

    Parameters
    ----------
    model : any `Classifier`; unchanged afterwards
    tensor : (1, 3, H, W), normalised
    target : class index
    stage : index of the stage, negative from the end

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    raw = grad_cam_grid(model, tensor, target, stage)
    return finish_cam(raw, (tensor.shape[-2], tensor.shape[-1]))


def grad_cam_grid(model: Classifier, tensor: Tensor, target: int, stage: int = -1) -> Heatmap:
    """Return the gradient-weighted activation on the stage's own grid (h, w), signed, unscaled.

    Arguments and errors are the same as `grad_cam`'s.
    """
    activations, gradient = stage_gradient(model, tensor, target, stage)
    weights = gradient.mean((1, 2), keepdim=True)  # (K, 1, 1)
    return (weights * activations).sum(0).numpy()
