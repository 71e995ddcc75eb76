"""Corruptions: each does what its level says, grows with severity and repeats itself."""

from __future__ import annotations

import io
import itertools
from functools import cache

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from kdcore.base import DataError
from kdcore.data import draw_lesion, read_image
from kdcore.data.corruptions import (
    CORRUPTIONS,
    GROUPS,
    REFERENCE_SIDE,
    Step,
    corrupt,
    image_seed,
    reference_square,
)
from kdcore.data.corruptions.blur import correlate, correlate_runs, disc_kernel, motion_kernel

NAMES = CORRUPTIONS.names()
EVERY = [(n, s) for n in NAMES for s in CORRUPTIONS.get(n).severities]
GROWING = ("hair", "ruler", "ink")  # what a severity draws, the next draws too
SHAPES = ("dark_corners", "hair", "ruler", "ink", "gel_bubbles", "gel_border", "colour_cast")
DRAWN = (("nv", 12), ("mel", 7), ("bcc", 3), ("vasc", 6))


@cache
def drawn(dx: str, seed: int, side: int = 96) -> Image.Image:
    return reference_square(draw_lesion(dx, seed, (side * 4 // 3, side)))


def flat(grey: int, side: int = 120) -> Image.Image:
    return Image.new("RGB", (side, side), (grey, grey, grey))


def spoil(image: Image.Image, name: str, severity: int, seed: int = 0) -> np.ndarray:
    return np.asarray(corrupt(image, (Step(name, severity),), seed), np.float64)


def distances(name: str, squares: list[Image.Image]) -> list[float]:
    """Return the mean absolute difference from clean at each severity, over all `squares`."""
    return [
        float(
            np.mean(
                [
                    np.abs(spoil(square, name, severity, seed) - np.asarray(square, float)).mean()
                    for seed, square in enumerate(squares)
                ]
            )
        )
        for severity in CORRUPTIONS.get(name).severities
    ]


def grows(values: list[float]) -> bool:
    return values[0] > 0 and all(a < b for a, b in itertools.pairwise(values))


def test_the_set_is_what_was_agreed() -> None:
    groups = {g: [n for n in NAMES if CORRUPTIONS.get(n).group == g] for g in GROUPS}
    assert groups == {
        "noise": ["gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"],
        "blur": ["defocus_blur", "motion_blur", "zoom_blur"],
        "colour": ["brightness_up", "brightness_down", "contrast_up", "contrast_down"],
        "digital": ["pixelate", "jpeg"],
        "dermoscopy": [
            "dark_corners", "colour_cast", "hair", "ruler", "ink", "gel_bubbles", "gel_border",
            "characters",
        ],
        "edge study": ["edge_noise", "edge_jpeg", "edge_contrast"],
    }  # fmt: skip
    edge = {n: CORRUPTIONS.get(n).levels for n in groups["edge study"]}
    assert edge == {
        "edge_noise": (0.1, 0.2, 0.3),
        "edge_jpeg": (90, 70, 50),
        "edge_contrast": (0.8, 0.6),
    }
    assert all(len(CORRUPTIONS.get(n).levels) == 5 for n in NAMES if n not in edge)


def test_a_severity_in_words() -> None:
    words = CORRUPTIONS.get("gaussian_noise").describe(3)
    assert words == "Gaussian noise 3 of 5: standard deviation on [0, 1] = 0.12"
    with pytest.raises(DataError, match="1 to 3"):
        CORRUPTIONS.get("edge_noise").describe(4)


@pytest.mark.parametrize(("name", "severity"), EVERY)
def test_repeats_itself_and_leaves_its_input(name: str, severity: int) -> None:
    square = drawn("nv", 12).copy()
    before = square.tobytes()
    first = corrupt(square, (Step(name, severity),), 5)
    assert square.tobytes() == before
    assert (first.mode, first.size) == ("RGB", square.size)
    assert first.tobytes() != before
    assert first.tobytes() == corrupt(square, (Step(name, severity),), 5).tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_only_what_is_random_depends_on_the_seed(name: str) -> None:
    square, step = drawn("nv", 12), (Step(name, 2),)
    same = corrupt(square, step, 1).tobytes() == corrupt(square, step, 2).tobytes()
    fixed = ("defocus", "zoom", "brightness", "contrast", "pixelate", "jpeg")
    assert same == any(part in name for part in fixed)


@pytest.mark.parametrize("name", NAMES)
def test_each_severity_is_farther_from_clean(name: str) -> None:
    assert grows(distances(name, [drawn(*which) for which in DRAWN]))


@pytest.mark.data
def test_each_severity_is_farther_from_clean_on_real_pictures(real_data) -> None:
    chosen = real_data.samples[:: len(real_data.samples) // 20][:20]
    squares = [reference_square(read_image(real_data.read(s.image_id)).rgb) for s in chosen]
    wrong = {n: found for n in NAMES if not grows(found := distances(n, squares))}
    assert wrong == {}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", [16, 32])
def test_small_and_plain_squares(name: str, side: int) -> None:
    tiny = drawn("mel", 7).resize((side, side))
    for square in (flat(0, side), flat(255, side), tiny):
        for severity in CORRUPTIONS.get(name).severities:
            assert spoil(square, name, severity).shape == (side, side, 3)


@pytest.mark.parametrize("name", SHAPES)
def test_a_picture_of_another_size_is_spoilt_alike(name: str) -> None:
    """The same shapes at 150 and 224 pixels, up to what resizing blurs."""
    large = drawn("nv", 12, 224)
    small = large.resize((150, 150), Image.Resampling.BOX)
    shrunk = corrupt(large, (Step(name, 4),), 3).resize((150, 150), Image.Resampling.BOX)
    apart = np.abs(spoil(small, name, 4, 3) - np.asarray(shrunk, float)).mean()
    assert apart < 0.25 * np.abs(np.asarray(shrunk, float) - np.asarray(small, float)).mean()


@pytest.mark.parametrize("name", GROWING)
def test_what_a_severity_covers_the_next_covers_too(name: str) -> None:
    square = flat(200)
    for severity in range(1, 5):
        less, more = spoil(square, name, severity), spoil(square, name, severity + 1)
        covered = (less < 170).any(2)
        assert covered.any()
        assert (more < 195).any(2)[covered].all()


# What each level means.


@pytest.mark.parametrize("name", ["gaussian_noise", "edge_noise"])
def test_gaussian_noise_has_its_standard_deviation(name: str) -> None:
    for severity, sigma in enumerate(CORRUPTIONS.get(name).levels, 1):
        noise = spoil(flat(128), name, severity) / 255 - 128 / 255
        # Clipping to black and white does not reach the quantiles at one standard deviation.
        low, middle, high = np.quantile(noise, [0.158655, 0.5, 0.841345])
        assert (high - low) / 2 == pytest.approx(sigma, rel=0.02)
        assert middle == pytest.approx(0, abs=0.01)
        if sigma <= 0.12:
            assert noise.std() == pytest.approx(sigma, rel=0.02)


def test_noise_is_one_field_that_grows() -> None:
    weak, strong = (spoil(flat(128), "gaussian_noise", s) - 128 for s in (1, 3))
    np.testing.assert_allclose(strong, 3 * weak, atol=2.001)  # both are rounded


def test_shot_noise_has_the_variance_of_photons() -> None:
    for severity, photons in enumerate(CORRUPTIONS.get("shot_noise").levels, 1):
        values = spoil(flat(64), "shot_noise", severity) / 255
        assert values.mean() == pytest.approx(64 / 255, rel=0.02)
        assert values.var() == pytest.approx(64 / 255 / photons, rel=0.05)


def test_impulse_noise_loses_its_share_half_to_black_half_to_white() -> None:
    for severity, share in enumerate(CORRUPTIONS.get("impulse_noise").levels, 1):
        values = spoil(flat(128, 224), "impulse_noise", severity)
        for extreme in (0, 255):
            assert (values == extreme).mean() == pytest.approx(share / 2, rel=0.1)
        assert ((values == 128) | (values == 0) | (values == 255)).all()


def test_speckle_noise_is_relative() -> None:
    for grey in (20, 100):
        values = spoil(flat(grey), "speckle_noise", 2) / grey - 1
        assert values.std() == pytest.approx(0.15, rel=0.03)


@pytest.mark.parametrize("name", ["jpeg", "edge_jpeg"])
def test_jpeg_is_pillows(name: str) -> None:
    square = drawn("mel", 7)
    for severity, quality in enumerate(CORRUPTIONS.get(name).levels, 1):
        file = io.BytesIO()
        square.save(file, format="JPEG", quality=quality)
        expected = np.asarray(Image.open(io.BytesIO(file.getvalue())), float)
        np.testing.assert_array_equal(spoil(square, name, severity), expected)


@pytest.mark.parametrize("name", ["brightness_up", "brightness_down"])
def test_brightness_multiplies(name: str) -> None:
    square = drawn("bcc", 3)
    for severity, factor in enumerate(CORRUPTIONS.get(name).levels, 1):
        expected = np.clip(np.asarray(square, float) * factor, 0, 255)
        assert np.abs(spoil(square, name, severity) - expected).max() <= 1


@pytest.mark.parametrize("name", ["contrast_up", "contrast_down", "edge_contrast"])
def test_contrast_stretches_about_the_mean_grey(name: str) -> None:
    square = drawn("bcc", 3)
    values = np.asarray(square, float)
    mean = (values @ [0.299, 0.587, 0.114]).mean()
    for severity, factor in enumerate(CORRUPTIONS.get(name).levels, 1):
        expected = np.clip(mean + factor * (values - mean), 0, 255)
        assert np.abs(spoil(square, name, severity) - expected).max() <= 1.6  # its mean is whole


def test_pixelate_averages_squares() -> None:
    square = drawn("mel", 7)  # 96 pixels a side; a half of them are kept at severity 2
    means = np.asarray(square, float).reshape(48, 2, 48, 2, 3).mean((1, 3))
    expected = means.repeat(2, 0).repeat(2, 1)
    assert np.abs(spoil(square, "pixelate", 2) - expected).max() <= 1


def test_colour_cast_weighs_channels_and_keeps_their_product() -> None:
    for seed in range(5):
        for severity, level in enumerate(CORRUPTIONS.get("colour_cast").levels, 1):
            gains = np.log(spoil(flat(180, 16), "colour_cast", severity, seed)[0, 0] / 180)
            assert np.linalg.norm(gains) == pytest.approx(level, abs=0.006)
            assert gains.sum() == pytest.approx(0, abs=0.01)


def test_dark_corners_are_outside_a_circle() -> None:
    side = 200
    y, x = (np.mgrid[:side, :side] + 0.5) * 2 / side - 1
    far = np.hypot(x, y)
    for severity, radius in enumerate(CORRUPTIONS.get("dark_corners").levels, 1):
        values = spoil(flat(200, side), "dark_corners", severity)
        assert (values[far > radius + 0.06] < 16).all()
        assert (values[far < radius - 0.3] == 200).all()
        assert (values[far < radius - 0.06] > 100).all()


def test_gel_border_leaves_its_share_dry() -> None:
    for severity, share in enumerate(CORRUPTIONS.get("gel_border").levels, 1):
        red = spoil(flat(90, 200), "gel_border", severity).mean(2)
        assert (red > 93).mean() == pytest.approx(share, abs=0.03)


# Kernels and their convolution.


@pytest.mark.parametrize("radius", [0.3, 0.57, 1.1, 2.7, 5.4, 8.0])
def test_disc_kernel_sums_to_one_and_covers_the_disc(radius: float) -> None:
    kernel = disc_kernel(radius)
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(kernel, kernel[::-1])
    np.testing.assert_array_equal(kernel, kernel.T)
    if radius > 2:  # a disc's second moment about its centre is r² / 2
        y, x = np.indices(kernel.shape) - len(kernel) // 2
        assert (kernel * (x**2 + y**2)).sum() == pytest.approx(radius**2 / 2, rel=0.05)


@pytest.mark.parametrize("angle", [-np.pi / 4, -0.2, 0.0, 0.5, np.pi / 4])
@pytest.mark.parametrize("sigma", [0.36, 1.0, 3.3, 10.0])
def test_motion_kernel_sums_to_one_and_is_centred(sigma: float, angle: float) -> None:
    kernel = motion_kernel(sigma, angle)
    assert kernel.shape[0] % 2 == 1
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    y, x = np.indices(kernel.shape) - len(kernel) // 2
    along = (kernel * x).sum() * np.cos(angle) + (kernel * y).sum() * np.sin(angle)
    across = (kernel * y).sum() * np.cos(angle) - (kernel * x).sum() * np.sin(angle)
    assert abs(along) <= 0.5 / np.cos(angle) + 1e-6
    assert abs(across) < 1e-6
    if sigma > 3:  # half a normal's variance, its tail cut at three sigmas
        spread = (kernel * (x**2 + y**2)).sum() - along**2
        assert spread == pytest.approx(sigma**2 * (1 - 2 / np.pi), rel=0.15)


@pytest.mark.parametrize("side", [16, 33])
def test_both_ways_to_correlate_are_scipys(side: int, rng: np.random.Generator) -> None:
    pixels = rng.random((side, side, 3), np.float32)
    for kernel in (disc_kernel(4.3), motion_kernel(2.0, -0.4), rng.random((5, 5), np.float32)):
        expected = ndimage.correlate(pixels.astype(float), kernel[..., None], mode="mirror")
        np.testing.assert_allclose(correlate(pixels, kernel), expected, atol=1e-4)
        np.testing.assert_allclose(correlate_runs(pixels, kernel), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["defocus_blur", "motion_blur", "zoom_blur"])
def test_blurs_keep_a_plain_picture(name: str) -> None:
    for severity in range(1, 6):
        assert (spoil(flat(77, 40), name, severity) == 77).all()


def test_zoom_blur_is_the_mean_of_magnified_pictures() -> None:
    """A ramp from the centre outwards, magnified z times, is divided by z."""
    y, x = np.mgrid[:101, :101].astype(float)
    ramp = np.hypot(x - 50, y - 50) * 2
    image = Image.fromarray(np.repeat(np.rint(ramp).astype(np.uint8)[..., None], 3, 2))
    expected = ramp * np.mean(1 / np.linspace(1, 1.3, 11))
    off = np.abs(spoil(image, "zoom_blur", 5)[..., 0] - expected)
    assert off[ramp > 10].max() < 1.2


def test_reference_side_and_seeds_are_fixed() -> None:
    assert REFERENCE_SIDE == 224
    assert image_seed("ISIC_0024306") == image_seed("ISIC_0024306", 0)
    assert image_seed("ISIC_0024306") != image_seed("ISIC_0024306", 1)
    # SHA-256 of "0/ISIC_0024306", its first 16 hex digits: saved results rely on it.
    assert f"{image_seed('ISIC_0024306'):016x}" == "0c92ba0a9b65809c"
