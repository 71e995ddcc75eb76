"""Stacks of corruptions: written as text, and applied to the square that every network starts from.

Corruptions are applied to the picture's centre square before a network's own resize, so that
networks of different input sizes see the same spoilt picture.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass

from PIL import Image

from kdcore.base import DataError, numpy_generator
from kdcore.data.corruptions.corruption import CORRUPTIONS, REFERENCE_SIDE

CLEAN = "clean"
MIN_SIDE = 16
_STEP = re.compile(r"([a-z_]+)-([0-9]{1,3})")


@dataclass(frozen=True)
class Step:
    """One corruption at one severity.

    Raises
    ------
    DataError
        If there is no such corruption, or it has no such severity.
    """

    name: str
    severity: int

    def __post_init__(self) -> None:
        CORRUPTIONS.get(self.name).level(self.severity)

    def __str__(self) -> str:
        return f"{self.name}-{self.severity}"


Stack = tuple[Step, ...]


def parse_stack(text: str) -> Stack:
    """Return the steps of a text such as "hair-3+jpeg-2", in the order they are applied in.

    "clean" and the empty text are no steps. Raises DataError for anything else.
    """
    if text in ("", CLEAN):
        return ()
    return tuple(_parse_step(part) for part in text.split("+"))


def _parse_step(part: str) -> Step:
    found = _STEP.fullmatch(part)
    if not found:
        raise DataError(
            f"{part!r} is not a corruption with its severity.",
            'Write name, hyphen and severity, joined by plus signs: "hair-3+jpeg-2".',
        )
    return Step(found[1], int(found[2]))


def stack_name(stack: Stack) -> str:
    """Return a stack as the text that `parse_stack` reads; "clean" for no steps."""
    return "+".join(map(str, stack)) or CLEAN


def image_seed(image_id: str, seed: int = 0) -> int:
    """Return a seed for a picture, the same on every machine, from a hash of its id."""
    digest = hashlib.sha256(f"{seed}/{image_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def reference_square(image: Image.Image) -> Image.Image:
    """Return an RGB picture's centre square, reduced to `REFERENCE_SIDE` if larger.

    It is never enlarged: a small picture's pixels stay as they are.

    Raises
    ------
    ValueError
        If the picture is not RGB.
    """
    _check_mode(image)
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    if side <= REFERENCE_SIDE:
        return image.crop((int(left), int(top), int(left) + side, int(top) + side))
    box = (left, top, left + side, top + side)
    return image.resize((REFERENCE_SIDE, REFERENCE_SIDE), Image.Resampling.BICUBIC, box)


def corrupt(square: Image.Image, stack: Stack, seed: int) -> Image.Image:
    """Return a spoilt copy of a square: each step in turn, 8 bits a channel in between.

    Each step has a generator of its own, from the seed, its place and its name: severities of a
    corruption share their hairs or noise, and a step doesn't depend on those before it.

    Parameters
    ----------
    square : PIL.Image.Image
        RGB, as wide as high, at least 16 pixels; see `reference_square`.
    stack : tuple of Step
        Applied in order; none gives a copy.
    seed : int
        Non-negative; see `image_seed`.

    Raises
    ------
    ValueError
        If the picture is not RGB, not square or too small, or the seed is negative.
    """
    _check_mode(square)
    if square.width != square.height or square.width < MIN_SIDE:
        raise ValueError(f"square: expected {MIN_SIDE} or more pixels squared, got {square.size}")
    if seed < 0:
        raise ValueError(f"seed: expected a non-negative integer, got {seed}")
    image = square.copy()
    for place, step in enumerate(stack):
        chosen = CORRUPTIONS.get(step.name)
        rng = numpy_generator(seed, place, zlib.crc32(step.name.encode()))
        image = chosen.function(image, chosen.level(step.severity), rng)
    return image


def _check_mode(image: Image.Image) -> None:
    if image.mode != "RGB":
        raise ValueError(f"image: expected mode RGB, got {image.mode}")
