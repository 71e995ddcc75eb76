"""Heatmaps as colours: small anchor tables, blending over an image, colour bars.

Inferno and viridis (Smith & van der Walt 2015, CC0) rise evenly in lightness and stay in order
for colour-blind eyes; differences go from blue over white to red. Between anchors sRGB is
interpolated linearly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kdcore.base import Registry, SettingError
from kdcore.explain.maps import Heatmap, upsample

Values = NDArray[np.floating[Any]]
Anchors = tuple[tuple[int, int, int], ...]
COLORMAPS: Registry[Anchors] = Registry("colour map", SettingError)

COLORMAPS.register("inferno")((
    (0, 0, 4), (22, 11, 57), (66, 10, 104), (106, 23, 110), (147, 38, 103), (188, 55, 84),
    (221, 81, 58), (243, 120, 25), (252, 165, 10), (246, 215, 70), (252, 255, 164),
))  # fmt: skip
COLORMAPS.register("viridis")((
    (68, 1, 84), (72, 36, 117), (65, 68, 135), (53, 95, 141), (42, 120, 142), (33, 145, 140),
    (34, 168, 132), (68, 191, 112), (122, 209, 81), (189, 223, 38), (253, 231, 37),
))  # fmt: skip
COLORMAPS.register("blue-white-red")((
    (20, 60, 130), (70, 130, 190), (165, 205, 228), (250, 250, 250), (245, 190, 165),
    (214, 96, 77), (130, 15, 40),
))  # fmt: skip


def colorize(values: Values, colormap: str = "inferno") -> NDArray[np.uint8]:
    """Return colours (..., 3) of values in [0, 1].

    Raises
    ------
    SettingError
        If the colour map is unknown.
    ValueError
        If a value leaves [0, 1].
    """
    anchors = np.array(COLORMAPS.get(colormap), dtype=np.float64)
    values = np.asarray(values, dtype=np.float64)
    if not np.all((values >= -1e-6) & (values <= 1 + 1e-6)):
        raise ValueError("values: expected numbers in [0, 1]")
    at = np.linspace(0, 1, len(anchors))
    channels = [np.interp(values, at, anchors[:, c]) for c in range(3)]
    return np.stack(channels, -1).round().astype(np.uint8)


def overlay(
    image: Image.Image, heatmap: Heatmap, opacity: float = 0.5, colormap: str = "inferno"
) -> Image.Image:
    """Return `heatmap` in [0, 1], resized to `image`, over it as RGB.

    `opacity` in [0, 1], where 0 shows the image only; `colormap` is a name in `COLORMAPS`.
    """
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity: expected 0 to 1, got {opacity}")
    grown = upsample(heatmap, (image.height, image.width)).clip(0, 1)
    colours = Image.fromarray(colorize(grown, colormap))
    return Image.blend(image.convert("RGB"), colours, opacity)


def difference_image(difference: Heatmap, size: tuple[int, int] | None = None) -> Image.Image:
    """Return a difference in [-1, 1] as RGB, red where the teacher looks more.

    `size` is (H, W); None keeps the map's own grid.
    """
    grown = difference if size is None else upsample(difference, size)
    return Image.fromarray(colorize((grown + 1) / 2, "blue-white-red"))


def color_bar(width: int, height: int, colormap: str = "inferno") -> Image.Image:
    """Return a horizontal bar of the whole colour map, low values at the left."""
    row = colorize(np.linspace(0, 1, width), colormap)
    return Image.fromarray(np.repeat(row[None], height, 0))
