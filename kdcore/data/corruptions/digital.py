"""What storing does to a picture: fewer pixels, and JPEG.

Levels are those of MedMNIST-C's dermamnist (Di Salvo et al. 2024, arXiv 2406.17536). Both are
relative to the picture's own pixels, so a smaller picture suffers more, as it would.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from kdcore.data.corruptions.corruption import corruption


@corruption(
    "pixelate",
    "Pixelation",
    "digital",
    (0.7, 0.5, 0.4, 0.3, 0.25),
    "share of the side's pixels kept",
)
def pixelate(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Average into fewer, larger pixels."""
    side = max(1, int(image.width * level))
    small = image.resize((side, side), Image.Resampling.BOX)
    return small.resize(image.size, Image.Resampling.NEAREST)


@corruption("jpeg", "JPEG compression", "digital", (30, 20, 15, 10, 7), "JPEG quality")
def jpeg(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Save as JPEG of that quality and read again."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=int(level))
    with Image.open(file) as decoded:
        return decoded.convert("RGB")
