"""A canvas to draw on with formulas: smooth noise, pigments, lines and spots.

What `kdcore.data.drawn` draws its lesions with. Pigments follow Beer and Lambert: light falls off
exponentially with their density, so that the skin's texture shows through.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFilter

Field = NDArray[np.floating[Any]]  # (H, W), one number per pixel
Colour = tuple[float, float, float]  # RGB, 0 to 255, or a step per channel
Line = list[tuple[float, float]]  # points in the canvas's units

_SHARP = 2  # lines are drawn this many times larger, then shrunk, so that they have soft edges


def sigmoid(field: Field) -> Field:
    """Return 1 / (1 + exp(-field)), a soft step from 0 to 1."""
    return 1 / (1 + np.exp(-np.clip(field, -30, 30)))


class Canvas:
    """A picture being drawn; units are half heights, the origin is the middle.

    Parameters
    ----------
    size : (int, int)
        Width and height in pixels.
    rng : numpy.random.Generator
        Where all of its randomness comes from.

    Attributes
    ----------
    x, y : (H, W) float32
        Coordinates of the pixels, -1 to 1 from the top to the bottom.
    rgb : (H, W, 3) float32
        The picture so far, 0 to 255; changed in place.
    """

    def __init__(self, size: tuple[int, int], rng: np.random.Generator) -> None:
        """Start with a black picture."""
        self.rng = rng
        self.width, self.height = size
        self.unit = self.height / 2
        y, x = np.mgrid[: self.height, : self.width].astype(np.float32)
        self.x: Field = (x + 0.5 - self.width / 2) / self.unit
        self.y: Field = (y + 0.5 - self.height / 2) / self.unit
        self.rgb: NDArray[np.float32] = np.zeros((self.height, self.width, 3), np.float32)

    def noise(self, scale: float) -> Field:
        """Return smooth noise with mean 0 and deviation 1, its bumps about `scale` units wide."""
        white = np.fft.rfft2(self.rng.standard_normal((self.height, self.width)))
        fy = np.fft.fftfreq(self.height)[:, None]
        fx = np.fft.rfftfreq(self.width)[None]
        white *= np.exp(-2 * (math.pi * scale * self.unit / 2.5) ** 2 * (fy**2 + fx**2))
        field = np.fft.irfft2(white, (self.height, self.width))
        return ((field - field.mean()) / (field.std() + 1e-12)).astype(np.float32)

    def blend(self, alpha: ArrayLike, colour: ArrayLike) -> None:
        """Cover the picture with `colour`, opaque where `alpha` is 1."""
        opacity = np.clip(np.asarray(alpha, np.float32), 0, 1)[..., None]
        self.rgb += opacity * (np.asarray(colour, np.float32) - self.rgb)

    def shade(self, field: Field, per_channel: Colour) -> None:
        """Add `field` times a colour step."""
        self.rgb += field[..., None] * np.asarray(per_channel, np.float32)

    def absorb(self, density: Field, per_channel: Colour) -> None:
        """Put a pigment in front of the picture: light falls off as exp(-density * step)."""
        thick = np.clip(density, 0, None).astype(np.float32)[..., None]
        self.rgb *= np.exp(-thick * np.asarray(per_channel, np.float32))

    def lines(self, lines: list[tuple[Line, float]], blur: float = 0.0) -> Field:
        """Return the opacity of polylines, each with its width in units; `blur` in pixels."""
        mask = Image.new("L", (self.width * _SHARP, self.height * _SHARP))
        pen = ImageDraw.Draw(mask)
        scale = self.unit * _SHARP
        for points, width in lines:
            pixels = [(x * scale + mask.width / 2, y * scale + mask.height / 2) for x, y in points]
            pen.line(pixels, 255, max(1, round(width * scale)), "curve")
        return self._soften(mask, blur)

    def spots(self, spots: list[tuple[float, float, float]], blur: float = 1.5) -> Field:
        """Return the opacity of discs (x, y, radius)."""
        mask = Image.new("L", (self.width * _SHARP, self.height * _SHARP))
        pen = ImageDraw.Draw(mask)
        scale = self.unit * _SHARP
        for x, y, radius in spots:
            px, py = x * scale + mask.width / 2, y * scale + mask.height / 2
            wide, high = radius * scale * self.rng.uniform(0.8, 1.25, 2)
            pen.ellipse((px - wide, py - high, px + wide, py + high), 255)
        return self._soften(mask, blur)

    def _soften(self, mask: Image.Image, blur: float) -> Field:
        small = mask.resize((self.width, self.height), Image.Resampling.BOX)
        if blur:
            small = small.filter(ImageFilter.GaussianBlur(blur * self.height / 450))
        return np.asarray(small, np.float32) / 255

    def places(self, where: Field, count: int) -> list[tuple[float, float]]:
        """Return `count` random points, more of them where the weight `where` is large."""
        weight = np.clip(where, 0, None).ravel().astype(np.float64) + 1e-12
        index = self.rng.choice(weight.size, count, p=weight / weight.sum())
        return [(float(self.x.flat[i]), float(self.y.flat[i])) for i in index]

    def scatter(
        self, where: Field, count: int, low: float, high: float, blur: float = 2.0
    ) -> Field:
        """Return the opacity of `count` discs, radii from `low` to `high` units.

        More of them lie where the weight `where` is large; `blur` is in pixels.
        """
        places = self.places(where, count)
        return self.spots([(x, y, self.rng.uniform(low, high)) for x, y in places], blur)
