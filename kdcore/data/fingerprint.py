"""Fingerprints by which copies of a picture are found, re-encoded, mirrored or turned.

The hash is the sign pattern of the lowest frequencies of a small grey picture (pHash: Zauner 2010,
"Implementation and benchmarking of perceptual image hash functions"). Deviations: signs instead of
"above the median", so that a mirrored picture's hash follows from the coefficients, and 63 bits,
as the mean carries no sign. Round lesions in the middle of smooth skin share most of these bits;
what tells them apart is their texture: detail at the scale of a pixel or two of a 64 × 64 picture,
divided by its local strength, and faded towards the dark corners that dermatoscopes leave.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

SIDE = 64  # pixels of a thumbnail; smaller pictures keep their size
# What was done to a picture, by `view` 0 to 7: 1 mirrors x, 2 mirrors y, 4 swaps x and y after.
VIEWS = (
    "same way round",
    "mirrored",
    "upside down and mirrored",
    "turned by 180°",
    "mirrored and turned by 90°",
    "turned by 90° to the left",
    "turned by 90° to the right",
    "mirrored and turned by 270°",
)
_LOW = 8  # frequencies a side
_DETAIL, _AROUND = 1.5, 4.0  # pixels: deviation of what is detail, and of what it is divided by
_FLAT = 2.0  # grey levels; weaker detail is noise
_LEVELS = 30.0  # int8 steps per unit of texture


def thumbnail(rgb: Image.Image, side: int = SIDE) -> NDArray[np.uint8]:
    """Return a picture as (side, side) grey values, averaged, its aspect given up."""
    return np.asarray(rgb.convert("L").resize((side, side), Image.Resampling.BOX))


def hashes(thumbnails: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the hashes of thumbnails (N, S, S) in each of the eight `VIEWS`, (N, 8)."""
    low = dctn(thumbnails.astype(np.float32), axes=(1, 2))[:, :_LOW, :_LOW]  # (N, 8, 8)
    sign = (-1.0) ** np.arange(low.shape[1])
    found = []
    for view in range(len(VIEWS)):
        seen = low * (sign if view & 1 else 1) * (sign[:, None] if view & 2 else 1)
        if view & 4:
            seen = seen.transpose(0, 2, 1)
        bits = seen.reshape(len(seen), -1) > 0
        bits[:, 0] = False  # the mean is positive in every picture
        found.append(np.packbits(bits, axis=1).view(np.uint64)[:, 0])
    return np.stack(found, 1)


def textures(thumbnails: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Return the locally normalised detail of thumbnails (N, S, S), same shape."""
    grey = thumbnails.astype(np.float32)
    detail = grey - gaussian_filter(grey, (0, _DETAIL, _DETAIL))
    power = gaussian_filter(detail * detail, (0, _AROUND, _AROUND))
    side = grey.shape[1]
    fade = np.sqrt(np.sin(np.pi * (np.arange(side) + 0.5) / side))
    texture = detail / (np.sqrt(power) + _FLAT) * np.outer(fade, fade)
    return np.clip(np.rint(texture * _LEVELS), -127, 127).astype(np.int8)


def correlations(
    first: NDArray[np.int8], second: NDArray[np.int8], view: int
) -> NDArray[np.float32]:
    """Return the correlation of each pair of textures (M, S, S), the first turned as `view`: (M,).

    It is in [-1, 1], and 0 where one of the two has no texture.
    """
    seen = first[:, :, ::-1] if view & 1 else first
    seen = seen[:, ::-1] if view & 2 else seen
    seen = seen.transpose(0, 2, 1) if view & 4 else seen
    a = seen.reshape(len(seen), -1).astype(np.float32)
    b = second.reshape(len(second), -1).astype(np.float32)
    product = np.einsum("ij,ij->i", a, b)
    norms = np.einsum("ij,ij->i", a, a) * np.einsum("ij,ij->i", b, b)
    return product / np.sqrt(np.maximum(norms, 1e-6))
