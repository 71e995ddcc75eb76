"""Attribution on the input's own grid: integrated gradients and occlusion, both by Captum.

Sundararajan et al. 2017, equation 1, and Zeiler & Fergus 2014, section 4.2. The baseline of both
is zero after normalisation, the data set's mean colour, so neither a black picture nor a black
patch, which no network was trained on, is asked about. Captum gives signed values; a heatmap
keeps what speaks for the target. Captum sees a function, not the model, and registers nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from kdcore.base.progress import CancelCheck, Progress, stop_if
from kdcore.explain.ensemble import mean_map
from kdcore.explain.maps import Heatmap, finish_cam
from kdcore.explain.passes import check_image, check_target, evaluating, forward
from kdcore.models import Classifier

STEPS = 64  # of the integral
SMOOTHING = 1 / 50  # deviation, in image sides: single pixels' signs alternate
PATCH = 1 / 8  # side, in image sides
_STRIDES = 2  # positions of the patch within its own side
_BATCH = 16
_GRADIENT_BATCH = 4  # activations stay in memory for the gradient


def integrated_gradients(
    model: Classifier,
    tensor: Tensor,
    target: int,
    steps: int = STEPS,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> Heatmap:
    """Return where the picture speaks for the target by integrated gradients, (H, W) in [0, 1].

    Of an ensemble, the mean of its members' maps.

    Parameters
    ----------
    model : any `Classifier`; unchanged afterwards
    tensor : (1, 3, H, W), normalised
    target : class index
    steps : of the Gauss-Legendre rule, ≥ 1
    progress : called with (done, total) steps after each batch
    cancelled : asked before each batch

    Raises
    ------
    ValueError
        If an argument is out of range.
    Cancelled
        If `cancelled` returned true.
    """

    def one(network: Classifier, report: Progress | None) -> Heatmap:
        values = gradient_integral(network, tensor, target, steps, report, cancelled)
        return finish_cam(smooth(values), values.shape)

    return mean_map(model, one, progress)


def occlusion(
    model: Classifier,
    tensor: Tensor,
    target: int,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> Heatmap:
    """Return where covering the picture costs the target, (H, W) in [0, 1].

    Arguments and errors are the same as `integrated_gradients`'s; progress counts inputs.
    """

    def one(network: Classifier, report: Progress | None) -> Heatmap:
        values = occlusion_drops(network, tensor, target, report, cancelled)
        return finish_cam(values, values.shape)

    return mean_map(model, one, progress)


def gradient_integral(
    model: Classifier,
    tensor: Tensor,
    target: int,
    steps: int = STEPS,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> NDArray[np.float32]:
    """Return each pixel's integrated gradient, signed, summed over colours, (H, W).

    They sum to the target's logit less that of the mean colour, up to the error of the rule.
    Arguments and errors are the same as `integrated_gradients`'s.
    """
    from captum.attr import IntegratedGradients  # seconds, so only where it is used

    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    image = _checked(model, tensor, target)
    logits = _counted(model, steps, "Integrated gradients", progress, cancelled)
    with torch.inference_mode(False), evaluating(model):
        values = IntegratedGradients(logits).attribute(
            image, target=target, n_steps=steps, internal_batch_size=_GRADIENT_BATCH
        )
    return values[0].sum(0).detach().float().cpu().numpy()


def occlusion_drops(
    model: Classifier,
    tensor: Tensor,
    target: int,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> NDArray[np.float32]:
    """Return the target's logit less that behind a patch, a mean over each pixel's patches, (H, W).

    Arguments and errors are the same as `occlusion`'s.
    """
    from captum.attr import Occlusion

    image = _checked(model, tensor, target)
    window, stride = patch_of((tensor.shape[-2], tensor.shape[-1]))
    counts = [1 + -(-(n - window) // stride) for n in tensor.shape[-2:]]
    total = 1 + counts[0] * counts[1]  # the uncovered picture, too
    logits = _counted(model, total, "The occlusion", progress, cancelled)
    with torch.inference_mode(), evaluating(model):
        values = Occlusion(logits).attribute(
            image,
            sliding_window_shapes=(3, window, window),
            strides=(3, stride, stride),
            target=target,
            perturbations_per_eval=_BATCH,
        )
    return values[0, 0].float().cpu().numpy()  # colours are covered together and so share it


def patch_of(size: tuple[int, int]) -> tuple[int, int]:
    """Return the side of the patch and its stride, pixels, for a picture of `size` (H, W)."""
    window = max(1, round(PATCH * min(size)))
    return window, max(1, window // _STRIDES)


def smooth(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return signed `values` (H, W) smoothed; the sum stays, as edges reflect."""
    return gaussian_filter(values, SMOOTHING * min(values.shape), mode="reflect")


def _checked(model: Classifier, tensor: Tensor, target: int) -> Tensor:
    check_target(forward(model, tensor).logits, target)
    return check_image(tensor)


def _counted(
    model: Classifier,
    total: int,
    what: str,
    progress: Progress | None,
    cancelled: CancelCheck | None,
) -> Callable[[Tensor], Tensor]:
    """Return the model's logits as a function that can be cancelled and reports its inputs."""
    done = 0

    def logits(images: Tensor) -> Tensor:
        nonlocal done
        stop_if(cancelled, what)
        result = model(images).logits
        done += len(images)
        if progress is not None:
            progress(min(done, total), total)
        return result

    return logits
