"""What the drawn corruptions share: coordinates, smooth fields and soft-edged masks.

All lengths are shares of the side and random numbers don't depend on it, so that a picture of
150 pixels and one of 224 get the same hairs and bubbles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Field = NDArray[np.float32]
_SHARP = 4  # masks are drawn this many times larger, then averaged


def coordinates(side: int) -> tuple[Field, Field]:
    """Return x (1, S) and y (S, 1) of the pixels' centres, from -1 to 1."""
    at = ((np.arange(side, dtype=np.float32) + 0.5) * (2 / side)) - 1
    return at[None, :], at[:, None]


def smooth_field(rng: np.random.Generator, side: int, bumps: int) -> Field:
    """Return smooth noise (S, S), about `bumps` bumps a side, deviation below 1."""
    coarse = rng.standard_normal((bumps, bumps), np.float32)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


class Mask:
    """A mask for a picture of `side` pixels, drawn in shares of the side from the top left."""

    def __init__(self, side: int) -> None:
        """Start with nothing covered."""
        self.scale = side * _SHARP
        self._large = Image.new("L", (self.scale, self.scale))
        self._pen = ImageDraw.Draw(self._large)

    def polygon(self, outline: NDArray[np.float64], opacity: float) -> None:
        """Fill an outline (P, 2) of x and y; opacity as in `disc`."""
        self._pen.polygon((outline * self.scale).ravel().tolist(), round(255 * opacity))

    def disc(self, x: float, y: float, radius: float, opacity: float) -> None:
        """Fill a disc at x, y of some radius; opacity 0 to 1 replaces what is below it."""
        box = [v * self.scale for v in (x - radius, y - radius, x + radius, y + radius)]
        self._pen.ellipse(box, round(255 * opacity))

    def image(self) -> Image.Image:
        """Return the mask at the picture's size, mode L, 255 where it covers."""
        return self._large.reduce(_SHARP)


def covered(image: Image.Image, mask: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """Return a copy of `image` with `colour` laid over where the mask (mode L) is."""
    out = image.copy()
    out.paste(colour, mask=mask)
    return out


def field_mask(opacity: Field) -> Image.Image:
    """Return opacities (S, S) on [0, 1] as a mask of mode L."""
    return Image.fromarray((np.clip(opacity, 0, 1) * 255 + 0.5).astype(np.uint8))
