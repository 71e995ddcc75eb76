"""Attributes: bands against a plain table, brightness against its formula, gaps stay gaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kdcore.base import ImageError
from kdcore.data import CIFAR10, CIFAR100, Ham10000, attributes_of, brightness_of, open_dataset
from kdcore.data.attributes import AGES, BRIGHTNESS, BRIGHTNESS_EDGES, LESION_SIZE_EDGES, age_band
from tests.data.cifar_makers import make_cifar

NAMES = ["sex", "age", "site", "dx_type", "brightness", "lesion_size"]


@pytest.mark.parametrize("age", range(0, 100))
def test_age_bands_hold_their_ages(age: int) -> None:
    low, _, high = age_band(age).replace("+", "-").partition("-")
    assert int(low) <= age <= int(high or 200)
    assert age_band(age + 0.9) == age_band(age)


def test_no_age_has_no_band() -> None:
    assert [age_band(age) for age in (None, float("nan"), -1)] == ["", "", ""]
    assert len(AGES) == len(set(map(age_band, range(100))))


def test_tertiles_are_right_open() -> None:
    for edges in (*BRIGHTNESS_EDGES.values(), LESION_SIZE_EDGES):
        assert 0 < edges.low < edges.high < 1
        levels = [0, edges.low - 1e-9, edges.low, edges.high - 1e-9, edges.high, 1]
        named = [edges.name(level, BRIGHTNESS) for level in levels]
        assert named == ["dark", "dark", "middle", "middle", "bright", "bright"]


@pytest.mark.parametrize("size", [(60, 45), (45, 60), (33, 20), (32, 32)])
def test_brightness_is_the_formula_on_the_centre_square(
    rng: np.random.Generator, size: tuple[int, int]
) -> None:
    pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    side, (top, left) = min(size), ((size[1] - min(size)) // 2, (size[0] - min(size)) // 2)
    square = pixels[top : top + side, left : left + side].astype(float)
    expected = (square @ [0.299, 0.587, 0.114]).mean() / 255
    found = brightness_of(Image.fromarray(pixels))
    assert found == pytest.approx(expected, abs=0.5 / 255)  # Pillow rounds each pixel


def test_brightness_of_plain_colours() -> None:
    levels = [brightness_of(Image.new("RGB", (40, 30), c)) for c in ("black", "grey", "white")]
    assert levels == pytest.approx([0, 128 / 255, 1])


def test_attributes_of_samples_with_gaps(ham_dataverse: Path) -> None:
    data = Ham10000.open(ham_dataverse)
    first, second, *_ = data.samples
    changed = (
        replace(first, sex="unknown", localization="unknown", age=None, dx_type=""),
        replace(second, sex="female", localization="face", age=70.0),
    )
    found = attributes_of(data, changed)
    assert list(found) == NAMES
    assert all(v.dtype.kind == "U" and v.shape == (2,) for v in found.values())
    people = [found[name].tolist() for name in ("sex", "age", "site", "dx_type")]
    assert people == [["", "female"], ["", "70+"], ["", "face"], ["", "histo"]]
    # The fixture's masks leave out a quarter at each border: 31 × 23 of 60 × 45 pixels.
    assert found["lesion_size"].tolist() == ["middle", "middle"]
    assert set(found["brightness"]) == {"dark"}


def test_pictures_that_were_decoded_are_not_decoded_again(
    make_ham: Callable[..., Path], tmp_path: Path
) -> None:
    make_ham(tmp_path)
    data = Ham10000.open(tmp_path)
    for path in tmp_path.rglob("*.jpg"):
        path.unlink()
    known = {s.image_id: 0.6 for s in data.samples}
    seen: list[tuple[int, int]] = []
    found = attributes_of(data, data.samples, lambda *at: seen.append(at), known)
    assert set(found["brightness"]) == {"middle"}
    assert set(found["lesion_size"]) == {""}  # this layout has no masks
    assert seen[-1] == (84, 84)


def test_a_damaged_picture_is_named_and_a_damaged_mask_is_a_gap(
    make_ham: Callable[..., Path], tmp_path: Path
) -> None:
    make_ham(tmp_path)
    (tmp_path / "ISIC_0000001_segmentation.png").write_bytes(b"no picture")
    data = Ham10000.open(tmp_path)
    assert data.has_mask("ISIC_0000001")
    assert attributes_of(data, data.samples[1:2])["lesion_size"].tolist() == [""]
    next(tmp_path.rglob("ISIC_0000001.jpg")).write_bytes(b"no picture")
    with pytest.raises(ImageError, match="ISIC_0000001"):
        attributes_of(data, data.samples[1:2])


def test_no_samples_have_no_attributes(ham_folder: Path) -> None:
    assert attributes_of(Ham10000.open(ham_folder), ()) == {}


def test_cifar_has_brightness_where_its_edges_are_known(tmp_path: Path) -> None:
    ten = open_dataset(make_cifar(tmp_path / "10", "binary", CIFAR10))
    found = attributes_of(ten, ten.samples[:5])
    assert list(found) == ["brightness"]
    expected = [brightness_of(ten.picture(s.image_id).rgb) for s in ten.samples[:5]]
    edges = BRIGHTNESS_EDGES["cifar10"]
    assert found["brightness"].tolist() == [edges.name(level, BRIGHTNESS) for level in expected]
    hundred = open_dataset(make_cifar(tmp_path / "100", "binary", CIFAR100))
    assert attributes_of(hundred, hundred.samples[:5]) == {}


@pytest.mark.slow
@pytest.mark.data
def test_edges_are_the_tertiles_of_the_training_part(real_data: Ham10000) -> None:
    parts = real_data.parts()
    train = [s for s, part in zip(real_data.samples, parts) if part == "train"]
    found = attributes_of(real_data, train)
    for name in ("brightness", "lesion_size"):
        _, counts = np.unique(found[name], return_counts=True)
        assert counts / len(train) == pytest.approx([1 / 3] * 3, abs=0.005)
