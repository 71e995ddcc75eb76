"""Noise of a sensor: Gaussian, shot, impulse and speckle, a number of its own for each channel.

Levels are those of MedMNIST-C's dermamnist (Di Salvo et al. 2024, arXiv 2406.17536). Two things
differ: results are rounded where it cuts off, which darkens by half a grey level, and but for shot
noise all severities scale or widen one field, so that they differ in strength alone. Noise is
per pixel of the picture, whatever its size.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from kdcore.data.corruptions.corruption import corruption, to_image, to_pixels


@corruption(
    "gaussian_noise", "Gaussian noise", "noise",
    (0.04, 0.08, 0.12, 0.18, 0.26), "standard deviation on [0, 1]",
)  # fmt: skip
def gaussian_noise(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Add normal noise: a high gain in poor light."""
    pixels = to_pixels(image)
    return to_image(pixels + level * rng.standard_normal(pixels.shape, np.float32))


@corruption(
    "shot_noise", "Shot noise", "noise", (60, 25, 18, 10, 5), "photons counted for full white"
)
def shot_noise(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Count photons: Poisson noise, its variance proportional to the light."""
    return to_image(rng.poisson(to_pixels(image) * level).astype(np.float32) / level)


@corruption(
    "impulse_noise", "Impulse noise", "noise",
    (0.01, 0.03, 0.06, 0.09, 0.17), "share of values that are lost",
)  # fmt: skip
def impulse_noise(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Set values to black or full, half of each: salt and pepper, channel by channel."""
    values = np.array(image)
    chance = rng.random(values.shape, np.float32)
    values[chance < level / 2] = 0
    values[chance >= 1 - level / 2] = 255
    return Image.fromarray(values)


@corruption(
    "speckle_noise", "Speckle noise", "noise",
    (0.05, 0.15, 0.2, 0.35, 0.45), "standard deviation relative to the value",
)  # fmt: skip
def speckle_noise(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Multiply by 1 + normal noise."""
    pixels = to_pixels(image)
    return to_image(pixels * (1 + level * rng.standard_normal(pixels.shape, np.float32)))
