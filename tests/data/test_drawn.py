"""Drawn samples: the same for a seed, different for classes, and said to be drawn."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from kdcore.base import DataError
from kdcore.data import HAM10000, draw_lesion, drawn_samples

SMALL = (120, 90)


def pixels(dx: str, seed: int, size: tuple[int, int] = SMALL) -> np.ndarray:
    return np.asarray(draw_lesion(dx, seed, size), np.float64)


@pytest.mark.parametrize("dx", HAM10000.classes)
def test_a_seed_is_one_picture(dx: str) -> None:
    np.testing.assert_array_equal(pixels(dx, 3), pixels(dx, 3))
    assert np.abs(pixels(dx, 3) - pixels(dx, 4)).mean() > 1


def test_global_random_state_is_neither_read_nor_changed() -> None:
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = pixels("nv", 0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_array_equal(pixels("nv", 0), first)


def test_default_size_and_mode() -> None:
    image = draw_lesion("bkl", 0)
    assert image.size == (600, 450)
    assert image.mode == "RGB"
    assert image.info == {}


@pytest.mark.parametrize("dx", HAM10000.classes)
def test_looks_like_skin_with_a_lesion_in_the_middle(dx: str) -> None:
    for seed in range(3):
        rgb = pixels(dx, seed)
        middle = rgb[30:60, 45:75].mean((0, 1))
        side = np.median(np.concatenate([rgb[20:70, 20:28], rgb[20:70, -28:-20]]), (0, 1))
        assert side[0] > side[1]
        assert 140 < side[0] < 250
        assert middle[1] < side[1] + 10  # a lesion takes green light
        # Not sharper than a photograph: most of its variation is smooth.
        grey = draw_lesion(dx, seed, SMALL).convert("L")
        smooth = np.asarray(grey.filter(ImageFilter.GaussianBlur(1)), float)
        assert (np.asarray(grey, float) - smooth).std() < 9


def test_unknown_class_names_the_known() -> None:
    with pytest.raises(DataError, match="akiec"):
        draw_lesion("scc", 0)


def test_too_small_raises() -> None:
    with pytest.raises(ValueError, match="32"):
        draw_lesion("nv", 0, (31, 100))


def test_the_gallery_has_every_class_and_says_drawn() -> None:
    samples = drawn_samples()
    assert {s.dx for s in samples} == set(HAM10000.classes)
    assert len({s.name for s in samples}) == len(samples)
    assert all("drawn" in s.title.lower() for s in samples)
    assert [s.dx for s in samples] == sorted(s.dx for s in samples)


def test_the_gallery_shows_hair_ruler_and_dark_corners() -> None:
    """Corners: nearly black. The whole gallery together has both kinds of picture."""
    corners = [
        np.asarray(draw_lesion(s.dx, s.seed, SMALL).crop((0, 0, 4, 4)), float).mean()
        for s in drawn_samples()
    ]
    assert min(corners) < 40
    assert max(corners) > 100


def test_pictures_are_independent_of_each_other() -> None:
    alone = draw_lesion("mel", 5, SMALL)
    draw_lesion("vasc", 1, SMALL)
    assert isinstance(alone, Image.Image)
    assert alone.tobytes() == draw_lesion("mel", 5, SMALL).tobytes()
