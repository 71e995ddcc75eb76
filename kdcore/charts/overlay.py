"""Heatmaps laid over pictures, on one colour scale for every method and model.

Sequential maps use nine stops of matplotlib's "inferno" (perceptually uniform, CC0). A difference
uses the models' own colours: blue where the teacher looks more, vermilion where the student does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from kdcore.charts.style import STUDENT, TEACHER

_INFERNO = (
    "000004", "210c4a", "57106e", "8a226a", "bc3754", "e45a31", "f98e09", "f9cb35", "fcffa4",
)  # fmt: skip
Pixels = NDArray[np.uint8]


def overlay(picture: Image.Image, heatmap: ArrayLike, opacity: float) -> Image.Image:
    """Lay a heatmap (h, w) in [0, 1] over an RGB picture.

    Parameters
    ----------
    picture : RGB, any size; the result has its size
    heatmap : (h, w) in [0, 1], resized to the picture (bilinear)
    opacity : in [0, 1]; 0 shows the picture alone

    Raises
    ------
    ValueError
        If heatmap or opacity leaves [0, 1].
    """
    values = _resized(heatmap, picture.size, 0.0)
    colours = _colours(values)
    return _blend(picture, colours, np.full(values.shape, _share(opacity)))


def difference_overlay(
    picture: Image.Image, difference: ArrayLike, opacity: float
) -> Image.Image:
    """Lay a difference (h, w) in [-1, 1] over a picture; where it is 0 the picture shows.

    Parameters as `overlay`; raises ValueError where a value leaves [-1, 1].
    """
    values = _resized(difference, picture.size, -1.0)
    teacher, student = _rgb(TEACHER), _rgb(STUDENT)
    colours = np.where((values > 0)[..., None], teacher, student)
    return _blend(picture, colours, np.abs(values) * _share(opacity))


def mask_overlay(picture: Image.Image, mask: ArrayLike, opacity: float) -> Image.Image:
    """Darken a picture outside a mask (h, w) of {0, 1}, cell edges kept sharp.

    Parameters as `overlay`; 1 is inside.
    """
    inside = np.asarray(mask, dtype=np.uint8)
    grown = Image.fromarray(inside * 255).resize(picture.size, Image.Resampling.NEAREST)
    outside = (np.asarray(grown) < 128) * _share(opacity)
    return _blend(picture, np.zeros((*outside.shape, 3)), outside)


def enlarge(picture: Image.Image, side: int = 448) -> Image.Image:
    """Return a square picture at least `side` pixels wide, so that maps over it are smooth."""
    if picture.width >= side:
        return picture
    return picture.resize((side, side), Image.Resampling.BICUBIC)


def colour_bar(kind: str = "heat", width: int = 512, height: int = 12) -> Image.Image:
    """Return the scale as a strip: "heat" runs 0 to 1, "difference" student to teacher."""
    if kind == "heat":
        strip = _colours(np.linspace(0, 1, width))
    else:
        values = np.linspace(-1, 1, width)[:, None]
        ends = np.where(values > 0, _rgb(TEACHER), _rgb(STUDENT))
        strip = 255 + (ends - 255) * np.abs(values)
    return Image.fromarray(np.tile(strip[None].round().astype(np.uint8), (height, 1, 1)))


def _resized(values: ArrayLike, size: tuple[int, int], low: float) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float32)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"heatmap: expected shape (h, w), got {array.shape}")
    if array.min() < low - 1e-5 or array.max() > 1 + 1e-5:
        raise ValueError(f"heatmap: expected values in [{low:g}, 1]")
    image = Image.fromarray(array).resize(size, Image.Resampling.BILINEAR)
    return np.clip(np.asarray(image, dtype=np.float64), low, 1)


def _share(opacity: float) -> float:
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity: expected a number in [0, 1], got {opacity}")
    return opacity


def _colours(values: NDArray[np.float64]) -> NDArray[np.float64]:
    stops = np.array([_rgb(code) for code in _INFERNO])
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(values, at, stops[:, c]) for c in range(3)], -1)


def _blend(
    picture: Image.Image, colours: NDArray[np.float64], alpha: NDArray[np.float64]
) -> Image.Image:
    pixels = np.asarray(picture.convert("RGB"), dtype=np.float64)
    mixed = pixels + (colours - pixels) * alpha[..., None]
    return Image.fromarray(mixed.round().astype(np.uint8))


def _rgb(code: str) -> NDArray[np.float64]:
    digits = code.lstrip("#")
    return np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)], dtype=np.float64)
