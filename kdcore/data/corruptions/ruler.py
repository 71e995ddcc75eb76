"""The millimetre scale of a dermatoscope's glass, along one edge and then along the next.

Not in MedMNIST-C; its looks were chosen by eye on dermoscopy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kdcore.data.corruptions.corruption import corruption
from kdcore.data.corruptions.shapes import Mask, covered

_MILLIMETRE = 0.076  # of the side: a field of 13 mm
_EDGE = 12  # marks that fit along an edge
_INK = (28, 24, 27)
_TURNS = (
    None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270,
)  # fmt: skip


def _bar(left: float, top: float, right: float, bottom: float) -> NDArray[np.float64]:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _marks(count: int, thick: float) -> list[NDArray[np.float64]]:
    """Return the outlines of `count` marks: from the bottom left to the right, then upwards."""
    bars = []
    for i in range(count):
        at = 0.06 + (i % _EDGE) * _MILLIMETRE
        long = 0.085 if i % _EDGE % 5 == 0 else 0.045
        if i < _EDGE:
            bars.append(_bar(at - thick / 2, 0.97 - long, at + thick / 2, 0.97))
        else:
            high = 0.94 - _MILLIMETRE - (at - 0.06)
            bars.append(_bar(0.03, high - thick / 2, 0.03 + long, high + thick / 2))
    return bars


@corruption("ruler", "Ruler", "dermoscopy", (4, 8, 12, 18, 23), "number of marks")
def ruler(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Lay a scale over the picture, starting in one of its corners."""
    mask = Mask(image.width)
    thick = rng.uniform(0.009, 0.013)
    for bar in _marks(int(level), thick):
        mask.polygon(bar, 0.88)
    turn = _TURNS[rng.integers(4)]
    drawn = mask.image() if turn is None else mask.image().transpose(turn)
    return covered(image, drawn, _INK)
