"""What a corruption is, and the registry that its families enter themselves in.

After Hendrycks & Dietterich 2019 (arXiv 1903.12261): a named way to spoil a picture, in a few
severities. A level is one number; where a family needs a length, it is a fraction of the side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kdcore.base import DataError, Registry

VERSION = 1  # raised when a picture comes out otherwise; what is kept on disk is keyed by it
REFERENCE_SIDE = 224  # pixels; the size that MedMNIST-C gives its radii for
EDGE_STUDY = "edge study"  # the grid of a published study, beside the others
GROUPS = ("noise", "blur", "colour", "digital", "dermoscopy", EDGE_STUDY)

Pixels = NDArray[np.float32]  # (S, S, 3) on [0, 1]
Function = Callable[[Image.Image, float, np.random.Generator], Image.Image]


@dataclass(frozen=True)
class Corruption:
    """A way to spoil a picture, in `len(levels)` severities that grow.

    Attributes
    ----------
    name : str
        Lower case letters and underscores, fit for a link ("gaussian_noise").
    title : str
        For people ("Gaussian noise").
    group : str
        One of `GROUPS`.
    levels : tuple of float
        The number that each severity stands for, severity 1 first.
    unit : str
        What that number is, in words ("standard deviation on [0, 1]").
    function : (image, level, generator) -> image
        Square RGB picture in, a new one of the same size out.
    """

    name: str
    title: str
    group: str
    levels: tuple[float, ...]
    unit: str
    function: Function

    @property
    def severities(self) -> range:
        """The severities that there are, from 1 on."""
        return range(1, len(self.levels) + 1)

    def level(self, severity: int) -> float:
        """Return the number that a severity stands for; raises DataError if there is no such."""
        if type(severity) is not int or severity not in self.severities:
            raise DataError(
                f"{self.title} has no severity {severity!r}.",
                f"Choose a whole number from 1 to {len(self.levels)}.",
            )
        return self.levels[severity - 1]

    def describe(self, severity: int) -> str:
        """Return a severity in words, "Gaussian noise 3 of 5: standard deviation … = 0.12"."""
        level = self.level(severity)
        return f"{self.title} {severity} of {len(self.levels)}: {self.unit} = {level:.3g}"


CORRUPTIONS: Registry[Corruption] = Registry("corruption", DataError)


def corruption(
    name: str, title: str, group: str, levels: tuple[float, ...], unit: str
) -> Callable[[Function], Function]:
    """Return a decorator that registers a function as a corruption; parameters as `Corruption`."""
    if group not in GROUPS:
        raise ValueError(f"group: expected one of {', '.join(GROUPS)}, got {group!r}")

    def decorate(function: Function) -> Function:
        CORRUPTIONS.register(name)(Corruption(name, title, group, levels, unit, function))
        return function

    return decorate


def to_pixels(image: Image.Image) -> Pixels:
    """Return an RGB image as float32 (S, S, 3) on [0, 1]."""
    return np.asarray(image, np.float32) / np.float32(255)


def to_image(pixels: NDArray[np.floating[Any]]) -> Image.Image:
    """Return float pixels (S, S, 3) as an RGB image: clipped to [0, 1], then rounded."""
    return Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))
