"""Surgical marker: a violet ring round the lesion, more of it with each severity.

Not in MedMNIST-C; its looks were chosen by eye on dermoscopy. The ink is a pigment (light falls
off exponentially with its density), so that skin shows through, and gathers in the furrows.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from kdcore.data.corruptions.corruption import corruption, to_image, to_pixels
from kdcore.data.corruptions.shapes import Mask, smooth_field

_STEPS = 160  # dabs of the pen in a whole ring
_VIOLET = np.array([0.95, 1.25, 0.42], np.float32)  # what the ink takes of red, green and blue


def _ring(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the pen's dabs (_STEPS, 3), x, y and radius, along a ring drawn by hand."""
    start, way = rng.uniform(0, 2 * math.pi), rng.choice([-1, 1])
    turn = start + way * np.linspace(0, 2 * math.pi, _STEPS)
    waves = sum(
        rng.normal(0, 0.03 / k) * np.cos(k * turn + rng.uniform(0, 2 * math.pi)) for k in (2, 3)
    )
    radius = rng.uniform(0.37, 0.43) + waves
    x, y = 0.5 + rng.normal(0, 0.03, 2)
    press = 0.026 + 0.006 * np.cos(2 * turn + rng.uniform(0, 2 * math.pi))
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn), press], 1)


@corruption(
    "ink", "Marker ink", "dermoscopy", (0.15, 0.3, 0.5, 0.75, 1.0), "share of a ring that is drawn"
)
def ink(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Draw on the skin with a violet marker."""
    side = image.width
    mask = Mask(side)
    for x, y, radius in _ring(rng)[: round(level * _STEPS)]:
        mask.disc(x, y, radius, 1)
    soft = np.asarray(mask.image().filter(ImageFilter.GaussianBlur(0.011 * side)), np.float32)
    relief = 0.5 * smooth_field(rng, side, 70) + 0.4 * smooth_field(rng, side, 25)
    relief = np.clip(relief, -1.6, 1.6)  # no deep furrow far from the pen has ink
    edge = np.clip((soft / 255 - 0.42 + 0.22 * relief) / 0.3, 0, 1)  # it runs along the relief
    density = edge * (0.8 + 0.35 * relief)
    return to_image(to_pixels(image) * np.exp(-density[..., None] * _VIOLET))
