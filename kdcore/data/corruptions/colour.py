"""Brightness and contrast, lighter and darker, stronger and weaker.

Levels are those of MedMNIST-C's dermamnist (Di Salvo et al. 2024, arXiv 2406.17536), which like
this uses Pillow: brightness multiplies, contrast stretches about the mean grey of the picture.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageEnhance

from kdcore.data.corruptions.corruption import corruption


@corruption("brightness_down", "Too dark", "colour", (0.9, 0.8, 0.7, 0.6, 0.5), "brightness factor")
@corruption("brightness_up", "Too bright", "colour", (1.1, 1.2, 1.3, 1.4, 1.5), "brightness factor")
def brightness(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Multiply all values by the level."""
    return ImageEnhance.Brightness(image).enhance(level)


@corruption("contrast_down", "Low contrast", "colour", (0.8, 0.7, 0.6, 0.5, 0.4), "contrast factor")
@corruption("contrast_up", "High contrast", "colour", (1.1, 1.2, 1.3, 1.4, 1.6), "contrast factor")
def contrast(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Multiply distances from the picture's mean grey by the level."""
    return ImageEnhance.Contrast(image).enhance(level)
