"""Four maps that never saw the network, to stand beside every map that claims to explain it.

A metric alone says little: on centred lesions a blob in the middle scores well whatever the
network does. Centre prior and edges after Adebayo et al. 2018, section 5, and Zhang et al. 2018.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, sobel
from torch import Tensor

from kdcore.base import numpy_generator
from kdcore.explain.maps import Heatmap, finish_cam, scale_unit
from kdcore.explain.passes import check_image

BASELINE_MAPS = ("random", "uniform", "centre", "edges")
_GRID = 7  # cells a side: the last stage's grid at 224 pixels, so noise is as coarse as a CAM
_CENTRE = 1 / 4  # deviation of the centre prior, in sides
_SMOOTH = 1 / 32  # deviation of the edge map's blur, in sides: edges become regions
_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


def baseline_maps(
    tensor: Tensor, std: tuple[float, float, float], seed: int = 0
) -> dict[str, Heatmap]:
    """Return the four maps (H, W) in [0, 1] of one picture by their names in `BASELINE_MAPS`.

    `tensor` (1, 3, H, W) is normalised with the deviations `std` (RGB on [0, 1]); `seed` is that
    of the random map.
    """
    size = (tensor.shape[-2], tensor.shape[-1])
    return {
        "random": random_map(size, seed),
        "uniform": uniform_map(size),
        "centre": centre_map(size),
        "edges": edge_map(tensor, std),
    }


def random_map(size: tuple[int, int], seed: int = 0) -> Heatmap:
    """Return noise (H, W) in [0, 1], as coarse as a CAM: 7 × 7 cells, resized like one."""
    return finish_cam(numpy_generator(seed).random((_GRID, _GRID), dtype=np.float32), size)


def uniform_map(size: tuple[int, int]) -> Heatmap:
    """Return ones (H, W): every pixel tied, so that any order of them is `pixel_ranks`' chance."""
    return np.ones(size, dtype=np.float32)


def centre_map(size: tuple[int, int]) -> Heatmap:
    """Return a Gaussian (H, W) in [0, 1] around the middle, deviation a quarter of each side."""
    rows, columns = (
        np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) / (_CENTRE * n)) ** 2) for n in size
    )
    return scale_unit(np.outer(rows, columns).astype(np.float32))


def edge_map(tensor: Tensor, std: tuple[float, float, float]) -> Heatmap:
    """Return where the luminance changes (H, W), in [0, 1]: Sobel magnitude, then smoothed.

    `tensor` (1, 3, H, W) is normalised with the deviations `std` (RGB on [0, 1]); its mean
    doesn't matter to a derivative. A picture of one colour gives all zeros.
    """
    channels = check_image(tensor)[0].cpu().numpy()
    luminance = np.tensordot(np.array(_LUMINANCE) * std, channels, 1)  # (H, W)
    magnitude = np.hypot(sobel(luminance, 0), sobel(luminance, 1))
    return scale_unit(gaussian_filter(magnitude, min(magnitude.shape) * _SMOOTH))
