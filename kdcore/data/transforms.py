"""From a picture to a network's input: centre square, antialiased resize, normalise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor


@dataclass(frozen=True)
class Preprocess:
    """Centre square of the short side, resized to `size` pixels, normalised per channel.

    Attributes
    ----------
    size : side of the square input, pixels
    mean, std : RGB on [0, 1]
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def crop(self, image: Image.Image) -> Image.Image:
        """Return the centre square of an RGB image at `size` × `size`, bicubic, antialiased."""
        width, height = image.size
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        return image.resize((self.size, self.size), Image.Resampling.BICUBIC, box=box)

    def tensor(self, cropped: Image.Image) -> Tensor:
        """Return a cropped RGB image as a normalised float32 tensor (3, size, size)."""
        pixels = torch.from_numpy(np.asarray(cropped, dtype=np.uint8).copy())
        return self.normalise(pixels.permute(2, 0, 1).float() / 255)

    def normalise(self, images: Tensor) -> Tensor:
        """Normalise images (..., 3, H, W) on [0, 1] channel by channel."""
        mean = images.new_tensor(self.mean).view(3, 1, 1)
        std = images.new_tensor(self.std).view(3, 1, 1)
        return (images - mean) / std

    def __call__(self, image: Image.Image) -> Tensor:
        """Return the network's input (3, size, size) for an RGB image."""
        return self.tensor(self.crop(image))
