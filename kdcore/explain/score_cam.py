"""Score-CAM, streamed: what the target's logit becomes behind each channel's own mask.

Wang et al. 2020, "Score-CAM", algorithm 1, in the convention of the `grad-cam` package (1.5.7),
which differs from the paper: the target's raw logit is taken, not its increase over a baseline
or its probability. The package holds all masked inputs at once; here a batch is made, scored and
dropped, so memory doesn't grow with the channels. Channels that are constant all give the same
masked input, zero everywhere: it is scored once for all of them.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from kdcore.explain.ensemble import mean_map, members
from kdcore.explain.maps import Heatmap, finish_cam
from kdcore.explain.taps import (
    CancelCheck,
    Progress,
    check_image,
    check_stage,
    check_target,
    evaluating,
    stop_if,
)
from kdcore.models import Classifier

BATCH_SIZE = 32
_EPSILON = 1e-8  # the package's, added to each channel's range


def score_cam(
    model: Classifier,
    tensor: Tensor,
    target: int,
    stage: int = -1,
    batch_size: int = BATCH_SIZE,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
    low_precision: bool = False,
) -> Heatmap:
    """Return the Score-CAM heatmap of one input; of an ensemble, the mean of its members'.

    Parameters
    ----------
    model : any `Classifier`; unchanged afterwards
    tensor : (1, 3, H, W), normalised
    target : class index
    stage : which stage's channels are the masks, negative from the end
    batch_size : masked inputs in one forward pass; bounds the memory
    progress : called with (done, total) channels after each batch; of an ensemble, with
        thousandths of each member
    cancelled : asked before each batch
    low_precision : run the masked passes in bfloat16, about twice as fast where the processor
        has it; scores then carry about three digits

    Returns
    -------
    (H, W) float32 in [0, 1]

    Raises
    ------
    ValueError
        If an argument is out of range.
    Cancelled
        If `cancelled` returned true.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size: expected at least 1, got {batch_size}")
    index, image = check_stage(model, stage), check_image(tensor)
    image = image.to(memory_format=torch.channels_last)

    def one(network: Classifier, report: Progress | None) -> Heatmap:
        stop_if(cancelled, "Score-CAM")
        with evaluating(network), torch.inference_mode():
            output = network(image)
            check_target(output.logits, target)
            activations = output.stages[index][0]  # (K, h, w)
            with torch.autocast(image.device.type, torch.bfloat16, enabled=low_precision):
                scores = _scores(network, image, activations, target, batch_size, report, cancelled)
            weights = torch.softmax(scores, 0)
            cam = (weights[:, None, None] * activations).sum(0)
        return finish_cam(cam.cpu().numpy(), (image.shape[-2], image.shape[-1]))

    return mean_map(model, one, progress)


def estimate_seconds(
    model: Classifier, tensor: Tensor, stage: int = -1, batch_size: int = BATCH_SIZE
) -> float:
    """Return about how many seconds `score_cam` will take here, from one short timed batch.

    `model`, `tensor` and `stage` are those of `score_cam`; at most `batch_size` images are timed.
    Constant channels, which are skipped, are not paid for.
    """
    return sum(_estimate(network, tensor, stage, batch_size) for network in members(model))


def _estimate(model: Classifier, tensor: Tensor, stage: int, batch_size: int) -> float:
    index, image = check_stage(model, stage), check_image(tensor)
    image = image.to(memory_format=torch.channels_last)
    with evaluating(model), torch.inference_mode():
        activations = model(image).stages[index][0]
        spread = activations.flatten(1).amax(1) - activations.flatten(1).amin(1)
        passes = int((spread > 0).sum()) + 1
        sample = _masked(image, activations[: min(8, batch_size, len(activations))])
        started = time.perf_counter()
        model(sample)
        return (time.perf_counter() - started) * passes / len(sample)


def _masked(image: Tensor, channels: Tensor) -> Tensor:
    """Return `image` (1, 3, H, W) behind each channel's mask, (k, 3, H, W)."""
    grown, low, span = _grow(channels, (image.shape[-2], image.shape[-1]))
    masks = (grown - low) / (span + _EPSILON)
    return (image * masks[:, None]).contiguous(memory_format=torch.channels_last)


def _grow(channels: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    # Corners aligned, as `UpsamplingBilinear2d` in the package; the final map is resized without.
    grown = F.interpolate(channels[None], size=size, mode="bilinear", align_corners=True)[0]
    low, high = grown.amin((1, 2), keepdim=True), grown.amax((1, 2), keepdim=True)
    return grown, low, high - low


def _scores(
    model: Classifier,
    image: Tensor,
    activations: Tensor,
    target: int,
    batch_size: int,
    progress: Progress | None,
    cancelled: CancelCheck | None,
) -> Tensor:
    """Return the target's logit behind each channel's mask, (K,) float32."""
    channels = _not_constant(activations, (image.shape[-2], image.shape[-1]), batch_size)
    total = len(activations)
    scores = torch.empty(total, dtype=torch.float32)
    skipped = total - len(channels)
    if skipped:
        scores[:] = model(torch.zeros_like(image)).logits[0, target].float().cpu()
    if progress is not None:
        progress(skipped, total)
    for start in range(0, len(channels), batch_size):
        stop_if(cancelled, "Score-CAM")
        batch = channels[start : start + batch_size]
        scores[batch] = model(_masked(image, activations[batch])).logits[:, target].float().cpu()
        if progress is not None:
            progress(skipped + start + len(batch), total)
    return scores.to(activations.device)


def _not_constant(activations: Tensor, size: tuple[int, int], batch_size: int) -> Tensor:
    """Return the indices of the channels whose mask isn't zero everywhere.

    Asked of the upsampled channel, as the package does: rounding while upsampling a constant
    that isn't zero can leave a range, and there the package has a mask.
    """
    spans = [
        _grow(activations[i : i + batch_size], size)[2].flatten()
        for i in range(0, len(activations), batch_size)
    ]
    return torch.from_numpy(np.flatnonzero(torch.cat(spans).cpu().numpy() > 0))
