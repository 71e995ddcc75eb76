"""Contact gel: air bubbles in it, and the border where it ends and the skin is dry.

Not in MedMNIST-C (its `bubble` is a plain white disc, for microscopy); counts, sizes and looks
were chosen by eye on dermoscopy.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from kdcore.data.corruptions.corruption import corruption, to_image, to_pixels
from kdcore.data.corruptions.shapes import Mask, coordinates, covered, smooth_field

_COUNTS = (3, 6, 11, 18, 28)
_RIM, _SHINE = (46, 32, 34), (250, 242, 240)
_GLARE = np.array([0.93, 0.89, 0.89], np.float32)


@corruption("gel_bubbles", "Gel bubbles", "dermoscopy", _COUNTS, "number of bubbles")
def gel_bubbles(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Put air bubbles into the gel: a dark rim, a pale inside, a highlight towards the lamp."""
    places = rng.uniform(0.03, 0.97, (max(_COUNTS), 2))
    radii = 0.011 + 0.07 * rng.random(max(_COUNTS)) ** 3
    lamp = rng.uniform(0, 2 * math.pi)
    right, down = math.cos(lamp), math.sin(lamp)
    rims, shine = Mask(image.width), Mask(image.width)
    for (x, y), r in zip(places[: int(level)], radii):
        wall = 0.0035 + 0.08 * r
        rims.disc(x, y, r, 0.6)
        rims.disc(x, y, r - wall, 0.0)
        shine.disc(x, y, r - wall, 0.45)
        shine.disc(x - 0.1 * r * right, y - 0.1 * r * down, 0.88 * (r - wall), 0.14)
        shine.disc(x + 0.5 * r * right, y + 0.5 * r * down, 0.16 * r, 0.9)
    return covered(covered(image, rims.image(), _RIM), shine.image(), _SHINE)


@corruption(
    "gel_border", "Gel border", "dermoscopy",
    (0.06, 0.13, 0.22, 0.33, 0.45), "share of the picture without gel",
)  # fmt: skip
def gel_border(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Leave a side of the picture dry: the horny layer glares, and the gel's edge draws a line."""
    x, y = coordinates(image.width)
    angle = rng.uniform(0, 2 * math.pi)
    across = x * np.float32(math.cos(angle)) + y * np.float32(math.sin(angle))
    across = across + 0.12 * smooth_field(rng, image.width, 4)
    across += 0.016 * smooth_field(rng, image.width, 16)
    scales = 0.6 * smooth_field(rng, image.width, 60) + 0.6 * smooth_field(rng, image.width, 14)
    first = round((1 - level) * (across.size - 1))
    dry = across - np.partition(across.ravel(), first)[first]  # (S, S), above 0 without gel
    glare = np.clip(dry / 0.05 + 0.5, 0, 1) * np.clip(0.3 + 0.12 * scales, 0, 1)
    glare += np.exp(-(((dry - 0.03) / 0.014) ** 2)) * np.clip(0.22 + 0.15 * scales, 0, 1)
    shade = 1 - 0.28 * np.exp(-(((dry + 0.012) / 0.022) ** 2))
    pixels = to_pixels(image) * shade[..., None]
    return to_image(pixels + np.minimum(glare, 1)[..., None] * (_GLARE - pixels))
