"""Characters: codes burnt into the picture, such as a number of the patient or a date.

Word counts are those of MedMNIST-C's dermamnist (Di Salvo et al. 2024, arXiv 2406.17536); there a
count is the most that may come, and letters are 3 to 4 of 224 pixels high; here it is exact, and
letters are as high as in such captions, 4 to 6 % of the side.
"""

from __future__ import annotations

import string
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kdcore.data.corruptions.corruption import corruption

_COUNTS = (1, 2, 3, 4, 6)
_LETTERS = list(string.ascii_uppercase + string.digits * 3 + "-/")
_COLOURS = ((255, 255, 255), (20, 20, 20), (255, 226, 60), (60, 220, 90))
_SMALLEST = 6  # pixels of a letter's height that can still be read


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@corruption("characters", "Characters", "dermoscopy", _COUNTS, "number of words")
def characters(image: Image.Image, level: float, rng: np.random.Generator) -> Image.Image:
    """Write codes of 3 to 8 characters in the colours of a screen."""
    out = image.copy()
    pen = ImageDraw.Draw(out)
    colour = _COLOURS[rng.integers(len(_COLOURS))]
    for _ in range(int(level)):  # word by word from one generator, so that severities nest
        word = "".join(rng.choice(_LETTERS, rng.integers(3, 9)))
        font = _font(max(_SMALLEST, round(rng.uniform(0.06, 0.09) * image.width)))
        across, down = rng.uniform(0.02, 0.98, 2)
        left, top, right, bottom = pen.textbbox((0, 0), word, font)
        at = (across * (image.width - right + left), down * (image.height - bottom + top))
        pen.text((at[0] - left, at[1] - top), word, colour, font)
    return out
