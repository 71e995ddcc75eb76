"""Class activation maps besides Grad-CAM: Grad-CAM++, Layer-CAM and Eigen-CAM.

Chattopadhay et al. 2018 (equation 19), Jiang et al. 2021 (equation 6) and Muhammad & Yeasin 2020
(section III). The first two are the `grad-cam` package's own arithmetic (1.5.7), given what our
explicit taps return: the package would hook the model that browser sessions share, so it gets a
layer of its own to hold. Eigen-CAM differs from the package in two things. Its decomposition is
the economical one: the package's holds a square of all cells, 17 GB for a stage of 256 × 256. And
the sign, arbitrary in any decomposition, is the one by which the strongest cell is positive
(Chung & Ying 2025, equation 13; in the package's Seg-EigenCAM).
"""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from kdcore.explain.maps import Heatmap, finish_cam
from kdcore.explain.passes import check_stage, forward, stage_gradient
from kdcore.models import Classifier


def grad_cam_pp(model: Classifier, tensor: Tensor, target: int, stage: int = -1) -> Heatmap:
    """Return the Grad-CAM++ heatmap (H, W) in [0, 1] of one input (1, 3, H, W).

    Arguments and errors are the same as `grad_cam`'s.
    """
    return _from_package("GradCAMPlusPlus", model, tensor, target, stage)


def layer_cam(model: Classifier, tensor: Tensor, target: int, stage: int = -1) -> Heatmap:
    """Return the Layer-CAM heatmap (H, W) in [0, 1] of one input (1, 3, H, W).

    Arguments and errors are the same as `grad_cam`'s.
    """
    return _from_package("LayerCAM", model, tensor, target, stage)


def eigen_cam(model: Classifier, tensor: Tensor, stage: int = -1) -> Heatmap:
    """Return the Eigen-CAM heatmap (H, W) in [0, 1] of one input (1, 3, H, W); it has no target.

    `model` is unchanged afterwards; a `stage` or `tensor` out of range raises ValueError.
    """
    activations = forward(model, tensor).stages[check_stage(model, stage)][0].float().cpu().numpy()
    cells = activations.reshape(len(activations), -1).T  # (h·w, K)
    cells = cells - cells.mean(0)
    first = np.linalg.svd(cells, full_matrices=False)[2][0]  # (K,)
    projection = (cells @ first).reshape(activations.shape[1:])
    if abs(projection.min()) > abs(projection.max()):
        projection = -projection
    return finish_cam(projection, (tensor.shape[-2], tensor.shape[-1]))


def _from_package(name: str, model: Classifier, tensor: Tensor, target: int, stage: int) -> Heatmap:
    import pytorch_grad_cam  # seconds, so only where it is used

    activations, gradient = (
        values[None].numpy() for values in stage_gradient(model, tensor, target, stage)
    )  # (1, K, h, w) each
    arithmetic = getattr(pytorch_grad_cam, name)(nn.Linear(1, 1), target_layers=[])
    raw = arithmetic.get_cam_image(tensor, [], [], activations, gradient, eigen_smooth=False)[0]
    return finish_cam(raw, (tensor.shape[-2], tensor.shape[-1]))
