"""Stacks of corruptions: text and back, order, refusals, and the square they are applied to."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from kdcore.base import DataError
from kdcore.data import draw_lesion
from kdcore.data.corruptions import (
    CORRUPTIONS,
    Step,
    corrupt,
    image_seed,
    parse_stack,
    reference_square,
    stack_name,
)

EVERY = [(n, s) for n in CORRUPTIONS.names() for s in CORRUPTIONS.get(n).severities]


def square(side: int = 64) -> Image.Image:
    return reference_square(draw_lesion("nv", 12, (side * 4 // 3, side)))


@pytest.mark.parametrize("text", ["clean", *(f"{n}-{s}" for n, s in EVERY), "hair-3+jpeg-2+hair-1"])
def test_text_and_back(text: str) -> None:
    assert stack_name(parse_stack(text)) == text


def test_clean_and_nothing_are_no_steps() -> None:
    assert parse_stack("") == parse_stack("clean") == ()
    assert stack_name(()) == "clean"
    assert parse_stack("hair-3+jpeg-2") == (Step("hair", 3), Step("jpeg", 2))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hair", "hyphen"),
        ("hair-3+", "hyphen"),
        ("hair-x", "hyphen"),
        ("hair--1", "hyphen"),
        ("hair 3", "hyphen"),
        ("hair-3,jpeg-2", "hyphen"),
        ("Clean", "hyphen"),
        ("hair-1+clean", "hyphen"),
        ("hair-" + "9" * 5000, "hyphen"),
        ("hair-0", "1 to 5"),
        ("hair-6", "1 to 5"),
        ("edge_contrast-3", "1 to 2"),
        ("hairs-3", "Choose one of: hair"),
        ("nothing_like_it-3", "Choose one of"),
    ],
)
def test_what_is_no_stack_says_what_to_write(text: str, expected: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_stack(text)
    assert expected in caught.value.hint


@pytest.mark.parametrize("severity", [0, 6, -1, 2.0, True, "2", None])
def test_a_step_checks_its_severity(severity: object) -> None:
    with pytest.raises(DataError, match="1 to 5"):
        Step("jpeg", severity)  # type: ignore[arg-type]


def test_order_matters() -> None:
    one = corrupt(square(), parse_stack("jpeg-4+brightness_up-4"), 0)
    other = corrupt(square(), parse_stack("brightness_up-4+jpeg-4"), 0)
    assert one.tobytes() != other.tobytes()


def test_a_stack_is_its_steps_in_turn() -> None:
    two = corrupt(square(), parse_stack("pixelate-3+contrast_up-2"), 9)
    in_turn = corrupt(square(), parse_stack("pixelate-3"), 9)
    assert two.tobytes() == corrupt(in_turn, parse_stack("contrast_up-2"), 9).tobytes()


def test_a_step_twice_is_not_the_same_noise_twice() -> None:
    grey = Image.new("RGB", (200, 200), (128, 128, 128))
    twice = np.asarray(corrupt(grey, parse_stack("gaussian_noise-2+gaussian_noise-2"), 0), float)
    assert twice.std() / 255 == pytest.approx(0.08 * 2**0.5, rel=0.02)


def test_no_step_gives_a_copy() -> None:
    clean = square()
    copy = corrupt(clean, (), 0)
    assert copy is not clean
    assert copy.tobytes() == clean.tobytes()


def test_what_cannot_be_corrupted_raises() -> None:
    step = parse_stack("jpeg-1")
    with pytest.raises(ValueError, match="RGB, got L"):
        corrupt(square().convert("L"), step, 0)
    with pytest.raises(ValueError, match="16 or more"):
        corrupt(Image.new("RGB", (40, 30)), step, 0)
    with pytest.raises(ValueError, match="16 or more"):
        corrupt(Image.new("RGB", (15, 15)), step, 0)
    with pytest.raises(ValueError, match="seed"):
        corrupt(square(), step, -1)
    with pytest.raises(ValueError, match="RGB, got RGBA"):
        reference_square(square().convert("RGBA"))


@pytest.mark.parametrize("size", [(200, 150), (150, 200), (201, 150), (32, 32), (224, 300)])
def test_a_small_picture_keeps_its_pixels(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    side = min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    middle = pixels[top : top + side, left : left + side]
    np.testing.assert_array_equal(np.asarray(reference_square(Image.fromarray(pixels))), middle)


def test_a_large_picture_is_reduced_about_its_centre() -> None:
    picture = draw_lesion("mel", 7)
    reduced = reference_square(picture)
    assert reduced.size == (224, 224)
    middle = picture.crop((75, 0, 525, 450)).resize((224, 224), Image.Resampling.BOX)
    assert np.abs(np.asarray(reduced, float) - np.asarray(middle, float)).mean() < 2


def test_a_seed_for_each_picture() -> None:
    seeds = {image_seed(f"ISIC_{i:07d}", s) for i in range(200) for s in range(3)}
    assert len(seeds) == 600
    assert all(0 <= seed < 2**64 for seed in seeds)
    corrupt(square(), parse_stack("hair-1"), max(seeds))
