"""Grad-CAM: a stage's channels weighted by the mean gradient of the target's logit.

Selvaraju et al. 2017, section 3, in the convention of the `grad-cam` package (1.5.7): weights are
the spatial means of the gradient, the sum is cut at zero, scaled, resized and scaled again.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from kdcore.base.progress import Progress
from kdcore.explain.ensemble import mean_map
from kdcore.explain.maps import Heatmap, finish_cam, finish_cams
from kdcore.explain.passes import batch_gradient, stage_gradient
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


def grad_cams(
    model: Classifier, images: Tensor, targets: Sequence[int], stage: int = -1
) -> Heatmap:
    """Return the Grad-CAM heatmap of each image of a batch; of an ensemble, its members' means.

    Parameters
    ----------
    model : any `Classifier`; unchanged afterwards
    images : (B, 3, H, W), normalised
    targets : B class indices
    stage : index of the stage, negative from the end

    Returns
    -------
    (B, H, W) float32 in [0, 1]

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    size = (images.shape[-2], images.shape[-1])

    def one(network: Classifier, report: Progress | None) -> Heatmap:
        activations, gradient = batch_gradient(network, images, targets, stage)
        weights = gradient.mean((2, 3), keepdim=True)  # (B, K, 1, 1)
        return finish_cams((weights * activations).sum(1).numpy(), size)

    return mean_map(model, one, None)
