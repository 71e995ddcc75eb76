"""What groups the pictures of a data set: of whom, where on the body, how bright, how large.

Scores within such groups show whom a network serves less well. Ages are joined into decades, all
below 30 and all from 70 on, since those are few. Edges of tertiles are fixed numbers, so that a
picture is "dark" in every part, on every machine and for every network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kdcore.base import KdError
from kdcore.base.progress import Progress
from kdcore.data.dataset import ImageDataset
from kdcore.data.ham10000 import Ham10000
from kdcore.data.sample import GAPS, Sample

AGES = ("0-29", "30-39", "40-49", "50-59", "60-69", "70+")
BRIGHTNESS = ("dark", "middle", "bright")
LESION_SIZE = ("small", "middle", "large")
# Values that have an order; those of the other attributes have none.
ORDER: Mapping[str, tuple[str, ...]] = {
    "age": AGES,
    "brightness": BRIGHTNESS,
    "lesion_size": LESION_SIZE,
}


@dataclass(frozen=True)
class Tertiles:
    """The two edges between three groups of equally many training pictures, and their `source`.

    A value at an edge belongs to the higher group.
    """

    low: float
    high: float
    source: str

    def name(self, value: float, names: tuple[str, str, str]) -> str:
        """Return which of three `names`, lowest first, a value falls under."""
        return names[(value >= self.low) + (value >= self.high)]


_HAM_SOURCE = (
    "the 6,311 training pictures of the lesion-grouped split (seed 0) of 9,013 pictures of "
    "HAM10000 at 200 × 150 pixels, rounded to 3 decimals"
)
BRIGHTNESS_EDGES: Mapping[str, Tertiles] = {
    "ham10000": Tertiles(0.574, 0.641, _HAM_SOURCE),
    "cifar10": Tertiles(
        0.428, 0.524, "the 45,000 training pictures of the official split (seed 0), 3 decimals"
    ),
}
LESION_SIZE_EDGES = Tertiles(0.154, 0.316, _HAM_SOURCE)


def attributes_of(
    data: ImageDataset,
    samples: Sequence[Sample],
    progress: Progress | None = None,
    brightness: Mapping[str, float] | None = None,
) -> dict[str, NDArray[np.str_]]:
    """Return what is known of N samples, by attribute; "" is what is not known.

    Parameters
    ----------
    data : where the pictures and lesion masks are
    samples : N of its samples
    progress : called with pictures done and pictures in all
    brightness : `brightness_of` by image id where pictures were decoded anyway; those that it
        lacks are decoded here

    Returns
    -------
    Texts (N,) by name. HAM10000 has `sex` ("female", "male"), `age` (a band of years), `site`
    (where on the body), `dx_type` (how the diagnosis was confirmed), `brightness` (tertile of
    `brightness_of`) and `lesion_size` (tertile of the lesion mask's share of the picture); other
    data sets have `brightness` if its edges are in `BRIGHTNESS_EDGES`, else nothing.

    Raises
    ------
    DataError, ImageError
        If a picture that has to be decoded can't be; it is named. A mask that can't be is "".
    """
    known = brightness or {}
    columns: dict[str, list[str]] = {}
    for done, sample in enumerate(samples, 1):
        for name, value in _values(data, sample, known).items():
            columns.setdefault(name, []).append(value)
        if progress:
            progress(done, len(samples))
    return {name: np.array(values, dtype=np.str_) for name, values in columns.items()}


def brightness_of(image: Image.Image) -> float:
    """Return the mean luminance of an RGB picture's centre square, on [0, 1].

    The luminance is ITU-R BT.601's, 0.299 R + 0.587 G + 0.114 B, as Pillow computes it.
    """
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    square = image.crop((left, top, left + side, top + side)).convert("L")
    return float(np.asarray(square).mean() / 255)


def age_band(age: float | None) -> str:
    """Return the band of `AGES` for an age in years, "" where there is none or it is below 0."""
    if age is None or not age >= 0:
        return ""
    return AGES[int(min(max(age, 20), 70) // 10) - 2]


def _values(data: ImageDataset, sample: Sample, known: Mapping[str, float]) -> dict[str, str]:
    found = _people(sample) if isinstance(data, Ham10000) else {}
    edges = BRIGHTNESS_EDGES.get(data.info.key)
    if edges is not None:
        level = known.get(sample.image_id)
        if level is None:
            level = brightness_of(data.picture(sample.image_id).rgb)
        found["brightness"] = edges.name(level, BRIGHTNESS)
    if isinstance(data, Ham10000):
        found["lesion_size"] = _lesion_size(data, sample.image_id)
    return found


def _people(sample: Sample) -> dict[str, str]:
    texts = {"sex": sample.sex, "site": sample.localization, "dx_type": sample.dx_type}
    known = {name: "" if text in GAPS else text for name, text in texts.items()}
    return {"sex": known.pop("sex"), "age": age_band(sample.age), **known}


def _lesion_size(data: Ham10000, image_id: str) -> str:
    try:
        mask = data.mask(image_id)
    except KdError:  # a damaged mask is no reason to lose a prediction
        return ""
    return "" if mask is None else LESION_SIZE_EDGES.name(float(mask.mean()), LESION_SIZE)
