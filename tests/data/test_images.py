"""Every kind of bad or unusual picture gives one clear sentence or a right RGB picture."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kdcore.base import ImageError, sha256_bytes
from kdcore.data import images, read_image


def picture(width: int = 40, height: int = 30) -> Image.Image:
    """Return a smooth RGB picture: red grows to the right, green downwards."""
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([x * 255 // (width - 1), y * 255 // (height - 1), x * 0 + 90], -1)
    return Image.fromarray(rgb.astype(np.uint8))


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Return `image` as a file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that declares a size and has next to no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0"))


def refused(source: bytes | Path, *words: str, **options: int) -> ImageError:
    """Check that `source` is refused with one sentence that holds `words`, and a way out."""
    with pytest.raises(ImageError) as caught:
        read_image(source, **options)
    error = caught.value
    assert all(word in error.problem for word in words), error.problem
    assert error.problem.count(". ") == 0
    assert error.problem.endswith(".")
    assert error.hint.endswith(".")
    return error


def test_errors_call_the_picture_what_the_caller_does(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"text")
    for source in (b"text", b"", tmp_path / "x.jpg", tmp_path / "none.jpg"):
        with pytest.raises(ImageError, match=r"^Image 7 "):
            read_image(source, name="Image 7")


def test_plain_picture_comes_back_as_it_is() -> None:
    data = encode(picture())
    loaded = read_image(data)
    assert loaded.rgb.mode == "RGB"
    assert loaded.notes == ()
    assert loaded.sha256 == sha256_bytes(data)
    np.testing.assert_array_equal(np.asarray(loaded.rgb), np.asarray(picture()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_supported_formats(kind: str) -> None:
    loaded = read_image(encode(picture(), kind))
    assert loaded.rgb.size == (40, 30)
    difference = np.asarray(loaded.rgb, float) - np.asarray(picture(), float)
    assert np.abs(difference).mean() < 12  # GIF has 256 colours


def test_path_is_read_whatever_its_name_says(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(encode(picture()))
    assert read_image(path).rgb.size == (40, 30)
    path = tmp_path / "lesion.jpg"
    path.write_text("this is not a picture")
    refused(path, "lesion.jpg", "not a picture")


def test_missing_path_and_folder(tmp_path: Path) -> None:
    refused(tmp_path / "no.png", "no.png", "can't be read")
    refused(tmp_path, "can't be read")


@pytest.mark.parametrize("data", [b"hello, I am text", b"\0" * 300, b"%PDF-1.4\n%stuff"])
def test_not_an_image(data: bytes) -> None:
    refused(data, "not a picture")


def test_empty() -> None:
    refused(b"", "empty")


def test_a_format_that_would_start_a_program_is_refused() -> None:
    refused(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\n%%EndComments\n", "not a picture")


@pytest.mark.parametrize("size", [(1, 1), (15, 400), (400, 15)])
def test_too_small(size: tuple[int, int]) -> None:
    refused(encode(Image.new("RGB", size)), f"{size[0]} × {size[1]}", "at least 16")


def test_smallest_allowed() -> None:
    assert read_image(encode(Image.new("RGB", (16, 16)))).rgb.size == (16, 16)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_is_refused_from_the_header() -> None:
    data = png_header(12_000, 12_000)
    assert len(data) < 100  # nothing could be decoded: it was refused before
    refused(data, "12000 × 12000", "50 million")


@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_when_warnings_are_errors() -> None:
    refused(png_header(12_000, 12_000), "too many pixels")


def test_pillows_own_bomb_limit() -> None:
    refused(png_header(100_000, 100_000), "too many pixels")


def test_max_pixels_is_a_choice() -> None:
    refused(encode(picture()), "40 × 30", max_pixels=1_000)
    assert read_image(encode(picture()), max_pixels=1_200).rgb.size == (40, 30)


def test_too_many_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = encode(picture())
    monkeypatch.setattr(images, "MAX_BYTES", len(data) - 1)
    refused(data, "MB")
    (tmp_path / "a.png").write_bytes(data)
    refused(tmp_path / "a.png", "a.png", "MB")


def noisy() -> Image.Image:
    """Return a picture that does not compress, so that half of its bytes is half of its rows."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_truncated(kind: str, part: float) -> None:
    data = encode(noisy(), kind)
    with pytest.raises(ImageError) as caught:
        read_image(data[: int(part * len(data))])
    assert caught.value.hint


def test_truncated_progressive_jpeg() -> None:
    data = encode(noisy(), "JPEG", progressive=True)
    refused(data[: len(data) * 2 // 3], "incomplete or damaged")


def test_a_flipped_byte_in_the_pixels_is_seen() -> None:
    data = bytearray(encode(noisy()))
    data[len(data) // 2] ^= 0xFF
    refused(bytes(data), "incomplete or damaged")


@pytest.mark.parametrize("orientation", range(2, 9))
def test_exif_rotation_is_honoured_and_dropped(orientation: int) -> None:
    upright = picture()
    # Store the pixels so that turning them as `orientation` says gives `upright` again.
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    loaded = read_image(encode(upright.transpose(undo), exif=exif))
    np.testing.assert_array_equal(np.asarray(loaded.rgb), np.asarray(upright))
    assert "upright" in loaded.notes[0]
    assert not loaded.rgb.getexif()


def test_broken_exif_is_ignored() -> None:
    data = encode(picture(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7fgarbage")
    assert read_image(data).rgb.size == (40, 30)


def test_metadata_is_dropped() -> None:
    exif = Image.Exif()
    exif[0x010F] = "camera of a named person"
    loaded = read_image(encode(picture(), "JPEG", exif=exif, comment=b"secret", dpi=(72, 72)))
    assert loaded.rgb.info == {}
    assert not loaded.rgb.getexif()
    assert b"camera" not in encode(loaded.rgb, "JPEG")


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_first_frame_of_several(kind: str) -> None:
    frames = [Image.new("RGB", (40, 30), c) for c in ("red", "lime", "blue")]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    loaded = read_image(data)
    assert any("first" in note for note in loaded.notes)
    red, green, blue = np.asarray(loaded.rgb, float).mean((0, 1))
    assert red > 240
    assert green < 15
    assert blue < 15


def test_cmyk() -> None:
    loaded = read_image(encode(Image.new("CMYK", (40, 30), (0, 255, 255, 0)), "JPEG"))
    assert any("CMYK" in note for note in loaded.notes)
    red, green, blue = np.asarray(loaded.rgb, float).mean((0, 1))
    assert red > 200
    assert green < 60
    assert blue < 60


def test_palette() -> None:
    loaded = read_image(encode(picture().quantize(64)))
    assert loaded.notes == ()
    difference = np.asarray(loaded.rgb, float) - np.asarray(picture(), float)
    assert np.abs(difference).mean() < 15


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(kind: str) -> None:
    wide = np.linspace(0, 65535, 40 * 30).reshape(30, 40).astype(np.uint16)
    loaded = read_image(encode(Image.fromarray(wide), kind))
    expected = np.rint(wide / 257).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(loaded.rgb)[..., 1], expected)
    assert any("8 bits" in note for note in loaded.notes)


def test_float_and_32_bit_grey() -> None:
    ramp = np.linspace(0, 1, 40 * 30).reshape(30, 40)
    expected = np.rint(ramp * 255)
    for values in (ramp.astype(np.float32), (ramp * 2e9).astype(np.int32)):
        loaded = read_image(encode(Image.fromarray(values), "TIFF"))
        assert np.abs(np.asarray(loaded.rgb, float)[..., 0] - expected).max() <= 1
    ramp[3, 4] = np.nan
    refused(encode(Image.fromarray(ramp.astype(np.float32)), "TIFF"), "no number or infinite")


@pytest.mark.parametrize(("mode", "colour"), [("L", 128), ("1", 1)])
def test_grey_and_1_bit(mode: str, colour: int) -> None:
    loaded = read_image(encode(Image.new(mode, (40, 30), colour)))
    assert loaded.rgb.mode == "RGB"
    assert "no colour" in loaded.notes[0]
    assert loaded.rgb.getpixel((5, 5)) == ((128,) * 3 if mode == "L" else (255,) * 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_is_laid_on_white(mode: str) -> None:
    image = Image.new(mode, (40, 30), (0, 0, 0, 0) if mode == "RGBA" else (0, 0))
    opaque = (0, 0, 0, 255) if mode == "RGBA" else (0, 255)
    image.paste(opaque, (20, 0, 40, 30))
    loaded = read_image(encode(image))
    assert loaded.rgb.getpixel((5, 5)) == (255, 255, 255)
    assert loaded.rgb.getpixel((30, 5)) == (0, 0, 0)
    assert any("white" in note for note in loaded.notes)


def test_opaque_alpha_needs_no_note() -> None:
    assert read_image(encode(picture().convert("RGBA"))).notes == ()


def test_transparent_palette_and_colour_key() -> None:
    palette = Image.new("P", (40, 30), 0)
    palette.putpalette([255, 0, 0, 0, 0, 255])
    for data in (
        encode(palette, transparency=0),
        encode(Image.new("RGB", (40, 30), "red"), transparency=(255, 0, 0)),
    ):
        loaded = read_image(data)
        assert loaded.rgb.getpixel((5, 5)) == (255, 255, 255)
        assert any("white" in note for note in loaded.notes)
