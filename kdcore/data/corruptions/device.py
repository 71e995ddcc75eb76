"""What another dermatoscope brings: the dark corners of its round field, and its colours.

Dark corners: radii of MedMNIST-C's dermamnist (Di Salvo et al. 2024, arXiv 2406.17536), its 0.90
and 0.95 put in order; there the edge is hard and exactly centred, here it is soft, a little off
centre, and light falls off before it. Colour cast: not in MedMNIST-C; a gain per channel (von
Kries), which is how light sources and white balances differ between devices (Barata et al. 2015,
doi:10.1109/JBHI.2014.2336473), levels chosen by eye.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from kdcore.data.corruptions.corruption import corruption
from kdcore.data.corruptions.shapes import coordinates, covered, field_mask

_EDGE = 0.02  # width of the field's edge, in half sides
_FALL = 0.25  # where light begins to fall off before it
_NIGHT = (12, 9, 10)


@corruption(
    "dark_corners", "Dark corners", "dermoscopy",
    (1.10, 1.05, 1.00, 0.95, 0.90), "radius of the field in half sides",
)  # fmt: skip
def dark_corners(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Blacken what lies outside the round field of view."""
    x, y = coordinates(image.width)
    right, down = rng.uniform(-0.03, 0.03, 2).astype(np.float32)
    beyond = np.hypot(x - right, y - down) - np.float32(level)
    falling = np.clip(1 + beyond / _FALL, 0, 1) ** 2 * 0.45
    return covered(image, field_mask(np.maximum(falling, beyond / _EDGE + 0.5)), _NIGHT)


@corruption(
    "colour_cast", "Colour cast", "dermoscopy",
    (0.06, 0.10, 0.15, 0.20, 0.26), "length of the vector of log gains",
)  # fmt: skip
def colour_cast(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Weigh red, green and blue differently, in one hue at all severities.

    The gains' logarithms sum to 0, so that it is a colour and not a brightness.
    """
    hue = rng.uniform(0, 2 * math.pi) + np.arange(3) * (2 * math.pi / 3)
    gains = np.exp(level * math.sqrt(2 / 3) * np.cos(hue))
    table = np.clip(np.arange(256) * gains[:, None] + 0.5, 0, 255).astype(np.uint8)  # (3, 256)
    return image.point(table.ravel().tolist())
