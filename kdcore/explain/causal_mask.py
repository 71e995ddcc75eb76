"""Causal mask: the cells of a stage that speak most for the target, tested by intervention.

The mask holds the top fraction q of cells by gradient-weighted activation, on the feature grid.
It earns its name only by intervention: blur the region away and compare the fall of the target's
probability with the fall for random regions of equal area (Fong & Vedaldi 2017, section 4, remove
by blurring as here; they optimise the region, we take it from the stage).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from kdcore.base import numpy_generator
from kdcore.base.progress import CancelCheck, Progress, stop_if
from kdcore.explain.grad_cam import grad_cam_grid
from kdcore.explain.maps import Heatmap
from kdcore.explain.passes import check_image, target_probs
from kdcore.models import Classifier

Mask = NDArray[np.bool_]
_BLUR = 1 / 10  # deviation of the blur that removes, in image sides: structure goes, colour stays
_EDGE = 1 / 64  # deviation of the soft edge, so that no border is drawn that was not there
_BATCH = 16


@dataclass(frozen=True)
class InterventionTest:
    """What removing the mask did, beside the same for random regions of equal area.

    Attributes
    ----------
    probability : softmax probability of the target, T = 1, image untouched
    drop : how much of it went with the mask removed; negative if it rose
    random_drops : (R,) the same for each random region
    p_value : (1 + #{random drop ≥ drop}) / (1 + R), one-sided
    area : removed share of the cells
    seed : of the random regions
    removed : the tested image (1, 3, H, W) with the mask removed, normalised
    """

    probability: float
    drop: float
    random_drops: NDArray[np.float64]
    p_value: float
    area: float
    seed: int
    removed: Tensor

    def as_dict(self) -> dict[str, float | int | list[float]]:
        """Return what belongs in a manifest."""
        return {
            "probability": self.probability,
            "drop": self.drop,
            "random_drops": [float(v) for v in self.random_drops],
            "p_value": self.p_value,
            "area": self.area,
            "seed": self.seed,
        }


def causal_mask(
    model: Classifier, tensor: Tensor, target: int, stage: int = -1, q: float = 0.2
) -> Mask:
    """Return the mask (h, w) of a stage for the target, True inside.

    Of an ensemble, the members' gradient-weighted activations are averaged as they are, not
    scaled: together they are what the mean logit depends on.

    Parameters
    ----------
    model : any `Classifier`; unchanged afterwards
    tensor : (1, 3, H, W), normalised
    target : class index
    stage : index of the stage, negative from the end
    q : fraction of the cells kept, in (0, 1]; at least one cell, rounded to whole ones

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    return top_fraction(grad_cam_grid(model, tensor, target, stage), q)


def top_fraction(values: Heatmap, q: float) -> Mask:
    """Return the cells with the largest `values` (h, w), exactly max(1, round(q·h·w)) of them.

    Ties go to the earlier cell in reading order.
    """
    if not 0 < q <= 1:
        raise ValueError(f"q: expected a fraction in (0, 1], got {q}")
    order = np.argsort(-values.ravel(), kind="stable")
    mask = np.zeros(values.size, dtype=bool)
    mask[order[: max(1, round(q * values.size))]] = True
    return mask.reshape(values.shape)


def random_regions(mask: Mask, count: int, seed: int = 0) -> NDArray[np.bool_]:
    """Return `count` blob-like regions (R, h, w), each with as many cells as `mask`.

    Smoothed noise cut at the value that leaves the right number, hence contiguous-ish; the
    smoothing grows with the region so that it stays in about as few pieces.
    """
    generator = numpy_generator(seed)
    noise = generator.standard_normal((count, *mask.shape))
    sigma = max(0.5, 0.5 * float(np.sqrt(mask.sum() / np.pi)))
    smooth = gaussian_filter(noise, (0, sigma, sigma), mode="reflect")
    return np.stack([top_fraction(s, float(mask.mean())) for s in smooth])


def remove_region(tensor: Tensor, mask: Mask) -> Tensor:
    """Return the image (1, 3, H, W) with `mask` (h, w) replaced by a blurred version of it.

    Cells grow to pixels by nearest neighbour, then the edge is softened.
    """
    return remove_regions(tensor, mask[None])


def remove_regions(
    tensor: Tensor, masks: NDArray[np.bool_], backdrop: Tensor | None = None
) -> Tensor:
    """Return the image behind each of `masks` (M, h, w) as `remove_region` does, (M, 3, H, W).

    Parameters
    ----------
    tensor : (1, 3, H, W), normalised
    masks : on any grid of the same square
    backdrop : `blurred` of the image, where it is known already
    """
    image = check_image(tensor).cpu()
    backdrop = blurred(image) if backdrop is None else backdrop.cpu()
    height, width = image.shape[-2:]
    rows = np.arange(height) * masks.shape[1] // height
    columns = np.arange(width) * masks.shape[2] // width
    edge = min(height, width) * _EDGE
    grown = gaussian_filter(masks[:, rows][:, :, columns].astype(np.float32), (0, edge, edge))
    soft = torch.from_numpy(grown)[:, None]  # (M, 1, H, W)
    return soft * backdrop + (1 - soft) * image


def blurred(image: Tensor) -> Tensor:
    """Return images (B, 3, H, W) without their structure: only the broad colours stay.

    The deviation of the Gaussian is a tenth of the shorter side.
    """
    sigma = min(image.shape[-2:]) * _BLUR
    smooth = gaussian_filter(image.cpu().numpy(), (0, 0, sigma, sigma), mode="reflect")
    return torch.from_numpy(smooth).to(image.device)


def intervention_test(
    model: Classifier,
    tensor: Tensor,
    target: int,
    mask: Mask,
    regions: int = 32,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> InterventionTest:
    """Remove `mask`, then random regions of equal area, and compare the target's probability.

    Parameters
    ----------
    model : any `Classifier`; unchanged afterwards
    tensor : (1, 3, H, W), normalised
    target : class index
    mask : (h, w) bool, from `causal_mask`
    regions : R, number of random regions, ≥ 1
    seed : of the random regions
    progress : called with (done, total) images
    cancelled : asked before each batch

    Raises
    ------
    ValueError
        If an argument is out of range.
    Cancelled
        If `cancelled` returned true.
    """
    if regions < 1 or mask.ndim != 2 or not mask.any():
        raise ValueError("mask, regions: expected a mask (h, w) with a cell and 1 or more regions")
    masks = np.concatenate([mask[None], random_regions(mask, regions, seed)])
    device, backdrop = tensor.device, blurred(check_image(tensor))
    probabilities = [target_probs(model, check_image(tensor), target)]
    for start in range(0, len(masks), _BATCH):
        stop_if(cancelled, "The intervention test")
        batch = remove_regions(tensor, masks[start : start + _BATCH], backdrop)
        probabilities.append(target_probs(model, batch.to(device), target))
        if progress is not None:
            progress(min(start + _BATCH, len(masks)), len(masks))
    probs = np.concatenate(probabilities)
    drops = probs[0] - probs[1:]
    return InterventionTest(
        probability=float(probs[0]),
        drop=float(drops[0]),
        random_drops=drops[1:],
        p_value=float((1 + (drops[1:] >= drops[0]).sum()) / (1 + regions)),
        area=float(mask.mean()),
        seed=seed,
        removed=remove_region(tensor, mask),
    )
