"""Blur: out of focus, moved while exposed, zoomed while exposed.

Levels are those of MedMNIST-C's dermamnist (Di Salvo et al. 2024, arXiv 2406.17536), its pixels of
224 given as fractions of the side. Differences: the disc has a soft edge by exact coverage, not by
a second blur. Motion: what counts in ImageMagick's motion blur is its sigma (5, 5, 8, 12, 15), so
the second is 6.5 to be above the first; the tail of half a Gaussian is centred on its mean, so
that the lesion stays where it was and maps of both pictures can be compared. Zoom: eleven steps at
each severity, the unzoomed picture counted once.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kdcore.data.corruptions.corruption import (
    REFERENCE_SIDE,
    Pixels,
    corruption,
    to_image,
    to_pixels,
)

_FINE = 8  # sub-pixels a side for the disc's coverage
_TAIL = 3.0  # where the motion's Gaussian ends, in sigmas
_ZOOMS = 11


def _of_side(*pixels: float) -> tuple[float, ...]:
    return tuple(p / REFERENCE_SIDE for p in pixels)


@lru_cache(maxsize=16)
def disc_kernel(radius: float) -> NDArray[np.float32]:
    """Return a disc of `radius` pixels as a kernel (K, K), K odd, that sums to 1."""
    reach = max(0, math.ceil(radius - 0.5))
    size = 2 * reach + 1
    at = (np.arange(size * _FINE) + 0.5) / _FINE - size / 2
    inside = at[:, None] ** 2 + at**2 <= radius**2
    cover = inside.reshape(size, _FINE, size, _FINE).mean((1, 3))
    kernel = (cover / cover.sum()).astype(np.float32)
    kernel.flags.writeable = False  # the cache gives the same array to everyone
    return kernel


def motion_kernel(sigma: float, angle: float) -> NDArray[np.float32]:
    """Return half a Gaussian along a line as a kernel (K, K), K odd, that sums to 1.

    `sigma` is in pixels, `angle` in radians from the x axis, within ±π/4. The kernel's centre is
    the Gaussian's centre of mass, to half a pixel.
    """
    steps = np.arange(math.ceil(_TAIL * sigma * math.cos(angle)) + 1)
    weights = np.exp(-0.5 * (steps / (sigma * math.cos(angle))) ** 2)
    weights /= weights.sum()
    x = steps - round(float(weights @ steps))
    y = x * math.tan(angle)
    low = np.floor(y).astype(int)
    reach = int(np.abs(x).max()) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    kernel[reach + low, reach + x] = weights * (1 - (y - low))
    kernel[reach + low + 1, reach + x] = weights * (y - low)
    return kernel


def correlate(pixels: Pixels, kernel: NDArray[np.float32]) -> Pixels:
    """Return `pixels` (S, S, 3) correlated with a kernel (K, K), the picture mirrored outside.

    Its cost is the number of weights that are not 0.
    """
    reach = len(kernel) // 2
    padded = np.pad(pixels, ((reach, reach), (reach, reach), (0, 0)), "reflect")
    return _shift_and_add(padded, kernel, len(pixels))


def correlate_runs(pixels: Pixels, kernel: NDArray[np.float32]) -> Pixels:
    """Return the same as `correlate`, faster for a kernel whose rows are mostly constant.

    A row of equal weights is a difference of two running sums.
    """
    reach = len(kernel) // 2
    padded = np.pad(pixels, ((reach, reach), (reach + 1, reach), (0, 0)), "reflect")
    changes = -np.diff(kernel, axis=1, prepend=0, append=0)  # (K, K + 1)
    return _shift_and_add(np.cumsum(padded, 1, np.float32), changes, len(pixels))


def _shift_and_add(padded: Pixels, weights: NDArray[np.float32], side: int) -> Pixels:
    total = np.zeros((side, side, 3), np.float32)
    term = np.empty_like(total)
    for y, x in np.argwhere(weights):
        np.multiply(padded[y : y + side, x : x + side], weights[y, x], out=term)
        total += term
    return total


@corruption(
    "defocus_blur", "Defocus blur", "blur",
    _of_side(4, 5, 6, 7, 8), "radius of the disc as a share of the side",
)  # fmt: skip
def defocus_blur(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Spread each point over a disc: the lens was not focused."""
    return to_image(correlate_runs(to_pixels(image), disc_kernel(level * image.width)))


@corruption(
    "motion_blur", "Motion blur", "blur",
    _of_side(5, 6.5, 8, 12, 15), "standard deviation of the smear as a share of the side",
)  # fmt: skip
def motion_blur(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Smear along a line within 45° of level, the same one at all severities."""
    kernel = motion_kernel(level * image.width, rng.uniform(-math.pi / 4, math.pi / 4))
    return to_image(correlate(to_pixels(image), kernel))


@corruption(
    "zoom_blur", "Zoom blur", "blur", (1.10, 1.15, 1.20, 1.24, 1.30), "largest magnification"
)
def zoom_blur(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Average over magnifications from 1 on: the device came nearer while exposed."""
    side = image.width
    total = np.array(image, np.uint16)
    for zoom in np.linspace(1, level, _ZOOMS)[1:]:
        off = float(side - side / zoom) / 2
        box = (off, off, side - off, side - off)
        total += np.asarray(image.resize(image.size, Image.Resampling.BILINEAR, box))
    return to_image(total.astype(np.float32) / (255 * _ZOOMS))
