"""The masks that Score-CAM makes of a stage's channels, in the convention of `grad-cam` 1.5.7.

A mask is a channel upsampled to the input's size and scaled to [0, 1]. It keeps nothing of the
channel's offset and, the package's epsilon aside, of its scale: channels of one shape, all
constant ones first, have one mask.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

_EPSILON = 1e-8  # the package's, added to each channel's range
_STEPS = 2**14  # a mask's values as close as one step are the same: a hundredth of a grey level
_LOST = 1e-5  # a range this small beside the values is rounding, and so is the mask made of it


def masked_images(image: Tensor, channels: Tensor, dtype: torch.dtype) -> Tensor:
    """Return `image` (1, 3, H, W) behind each channel's mask.

    Parameters
    ----------
    image : (1, 3, H, W), float32
    channels : (k, h, w), float32
    dtype : of what is returned

    Returns
    -------
    (k, 3, H, W), channels last
    """
    size = (image.shape[-2], image.shape[-1])
    # Corners aligned, as `UpsamplingBilinear2d` in the package; the final map is resized without.
    grown = F.interpolate(channels[None], size=size, mode="bilinear", align_corners=True)[0]
    low, high = grown.amin((1, 2), keepdim=True), grown.amax((1, 2), keepdim=True)
    masks = (grown - low) / (high - low + _EPSILON)
    return (image * masks[:, None]).to(dtype, memory_format=torch.channels_last)


def mask_points(channels: Tensor) -> NDArray[np.float32]:
    """Return the masks of channels (k, h, w) before upsampling, (k, h·w) in [0, 1]."""
    flat = channels.flatten(1)
    low, high = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
    return ((flat - low) / (high - low + _EPSILON)).cpu().numpy()


def distinct_masks(channels: Tensor) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return one channel for each distinct mask, and which of these masks each channel has.

    Parameters
    ----------
    channels : (k, h, w)

    Returns
    -------
    first : (m,) channels, ascending, m ≤ k
    which : (k,) places in `first`
    """
    flat = channels.flatten(1).cpu().numpy()
    keys = np.rint(mask_points(channels) * _STEPS).astype(np.int32)  # (k, h·w)
    # Upsampling a constant can round it to a range, and there the package has a mask of noise:
    # such channels are told apart by their own bits. Zero has none, so it has no mask either.
    lost = np.ptp(flat, axis=1) <= _LOST * np.abs(flat).max(1)
    keys[lost] = (flat[lost] + 0.0).view(np.int32)
    _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order], place[which.ravel()]
