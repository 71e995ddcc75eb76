"""Hair: dark, curved and tapered, the same hairs and more of them with each severity.

Not in MedMNIST-C; counts, widths and colours were chosen by eye on dermoscopy.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kdcore.data.corruptions.corruption import corruption
from kdcore.data.corruptions.shapes import Mask, covered

_COUNTS = (4, 8, 14, 22, 32)
_POINTS = 14  # along a hair


def _outlines(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return the outlines (count, 2 * _POINTS, 2) of hairs that share a direction, roughly."""
    t = np.linspace(-0.5, 0.5, _POINTS)
    middle = rng.uniform(-0.05, 1.05, (count, 1, 2))
    main = rng.uniform(0, 2 * math.pi)
    angle = main + rng.normal(0, 0.5, (count, 1))
    bend, twist = rng.normal(0, 0.7, (count, 1)), rng.normal(0, 1.2, (count, 1))
    length, root = rng.uniform(0.45, 1.3, (count, 1)), rng.uniform(0.0055, 0.0115, (count, 1))
    heading = angle + bend * t + twist * t**2  # (count, P)
    along = np.stack([np.cos(heading), np.sin(heading)], 2)  # (count, P, 2)
    line = middle + np.cumsum(along, 1) * (length / _POINTS)[..., None]
    line -= line[:, _POINTS // 2, None] - middle
    half = root / 2 * (0.75 - 0.5 * t)  # thick at the root, half as thick at the tip
    aside = np.stack([-along[..., 1], along[..., 0]], 2) * half[..., None]
    return np.concatenate([line + aside, (line - aside)[:, ::-1]], 1)


@corruption("hair", "Hair", "dermoscopy", _COUNTS, "number of hairs")
def hair(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Lay hairs over the picture."""
    outlines = _outlines(rng, max(_COUNTS))
    opacities = rng.uniform(0.7, 0.95, max(_COUNTS))
    red, green, blue = (np.array([52, 36, 33]) + rng.integers(-14, 15)).tolist()
    mask = Mask(image.width)
    for outline, opacity in zip(outlines[: int(level)], opacities):
        mask.polygon(outline, opacity)
    return covered(image, mask.image(), (red, green, blue))
