"""Pictures for a page: a mask or its outline over a picture, small pictures grown, a blend."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageFilter

_SIDE = 448  # pixels; networks see 96 to 224, too coarse to lay a smooth map over
_HALO, _LINE = 5, 3  # widths of an outline, in pixels, both odd
_HALF = [0] * 128 + [255] * 128  # a table for `Image.point`: half covered is inside


def enlarge(picture: Image.Image, side: int = _SIDE) -> Image.Image:
    """Return a square picture at least `side` pixels wide (bicubic)."""
    if picture.width >= side:
        return picture
    return picture.resize((side, side), Image.Resampling.BICUBIC)


def blend(picture: Image.Image, over: Image.Image, opacity: float) -> Image.Image:
    """Lay one RGB picture over another of the same size; opacity is in [0, 1]."""
    return Image.blend(picture.convert("RGB"), over.convert("RGB"), opacity)


def mask_overlay(picture: Image.Image, mask: ArrayLike, opacity: float) -> Image.Image:
    """Darken a picture outside a mask, whose cells keep sharp edges.

    Parameters
    ----------
    picture : RGB, any size; the result has its size
    mask : (h, w), true inside
    opacity : in [0, 1]; how dark the outside becomes
    """
    inside = np.asarray(mask).astype(np.uint8) * 255
    grown = Image.fromarray(inside).resize(picture.size, Image.Resampling.NEAREST)
    rgb = picture.convert("RGB")
    dark = Image.blend(rgb, Image.new("RGB", rgb.size), opacity)
    return Image.composite(rgb, dark, grown)


def outline(picture: Image.Image, mask: ArrayLike) -> Image.Image:
    """Draw the edge of a mask: white between two dark lines, seen on any colours.

    Parameters
    ----------
    picture : RGB, any size; the result has its size
    mask : (h, w), true inside
    """
    inside = Image.fromarray(np.asarray(mask).astype(np.uint8) * 255)
    grown = inside.resize(picture.size, Image.Resampling.BILINEAR).point(_HALF)
    drawn = picture.convert("RGB")
    for width, colour in ((_HALO, "black"), (_LINE, "white")):
        drawn.paste(colour, mask=_edge(grown, width))
    return drawn


def _edge(mask: Image.Image, width: int) -> Image.Image:
    """Return where a mask changes within a square of `width` (odd) pixels."""
    wide = np.asarray(mask.filter(ImageFilter.MaxFilter(width)))
    narrow = np.asarray(mask.filter(ImageFilter.MinFilter(width)))
    return Image.fromarray(wide - narrow)
