"""Untrusted bytes to one clean RGB picture, with what was changed on the way said in words.

Everything that the header declares is checked before a pixel is decoded, the decoding must be
complete, and the result carries no metadata. The file name is never looked at for its meaning.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from kdcore.base import ImageError, sha256_bytes, way_out

MAX_BYTES = 40_000_000
MAX_PIXELS = 50_000_000
MIN_SIDE = 16
# Formats that Pillow decodes by itself: others (EPS) would start a program on foreign bytes.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")  # JPEG brings MPO, its several views
_SAVE_AGAIN = "Save it as JPEG or PNG and try again."
_ORIENTATION = 0x0112  # EXIF tag; 1 is upright


@dataclass(frozen=True)
class LoadedImage:
    """A picture ready for a network or a page.

    Attributes
    ----------
    rgb : PIL.Image.Image
        Mode RGB, 8 bits a channel, upright, without metadata.
    sha256 : str
        Hash of the bytes as they came, 64 hex digits; the key for caches and manifests.
    notes : tuple of str
        One sentence for each thing that was changed, empty when nothing was.
    """

    rgb: Image.Image
    sha256: str
    notes: tuple[str, ...]


def read_image(source: bytes | Path, max_pixels: int = MAX_PIXELS, name: str = "") -> LoadedImage:
    """Decode a picture that nobody has vouched for.

    Parameters
    ----------
    source : bytes or Path
        The encoded picture (JPEG, PNG, WebP, TIFF, BMP or GIF), or the file that holds it.
    max_pixels : int
        The largest declared width × height that is decoded.
    name : str
        What errors call the picture; by default its file's name, or "The file" for bytes.

    Returns
    -------
    LoadedImage
        Rotated as its EXIF says, the first frame of several, transparency laid on white, more
        than 8 bits a channel scaled to 8, any colour mode as RGB.

    Raises
    ------
    ImageError
        If it can't be read, is larger than 40 MB or `max_pixels`, smaller than 16 pixels a side,
        not a supported picture, or not complete.
    """
    data, name = _bytes_of(source, name)
    image = _open(data, name)
    _check_size(image.size, name, max_pixels)
    notes: list[str] = []
    _note_frames(image, notes)
    turned = _orientation(image)
    _decode(image, data, name)
    upright = _turn(image, turned, notes)
    try:
        rgb = _to_rgb(upright, notes)
    except _NotFinite as error:
        raise ImageError(
            f"{name} has pixels that are no number or infinite.", _SAVE_AGAIN
        ) from error
    except (ValueError, OSError) as error:
        raise ImageError(
            f"{name} is in the colour mode {image.mode}, which can't be shown.", _SAVE_AGAIN
        ) from error
    # A new picture from bare pixels: no EXIF, no profile, no comment comes along.
    clean = Image.frombytes("RGB", rgb.size, rgb.tobytes())
    return LoadedImage(clean, sha256_bytes(data), tuple(notes))


def _bytes_of(source: bytes | Path, name: str) -> tuple[bytes, str]:
    """Return the bytes and what to call them in a message; at most `MAX_BYTES` are read."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        data, name, size = bytes(source), name or "The file", len(source)
    else:
        name = name or Path(source).name
        try:
            with open(source, "rb") as file:
                data = file.read(MAX_BYTES + 1)
                size = max(len(data), Path(source).stat().st_size)
        except OSError as error:
            raise ImageError(
                f"{name} can't be read: {error.strerror or error}.", way_out(error)
            ) from error
    if not data:
        raise ImageError(f"{name} is empty.", "Choose a file that holds a picture.")
    if size > MAX_BYTES:
        raise ImageError(
            f"{name} has {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read.",
            "Save it smaller or as JPEG and try again.",
        )
    return data, name


def _open(data: bytes, name: str) -> Image.Image:
    """Read the header only."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            f"{name} declares too many pixels to be decoded.", "Make it smaller and try again."
        ) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name} is not a picture that can be read.",
            "Choose a JPEG, PNG, WebP, TIFF, BMP or GIF file.",
        ) from error
    except Exception as error:  # each decoder raises its own kinds on a broken header
        raise ImageError(f"{name} is a damaged picture.", _SAVE_AGAIN) from error


def _check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    """Refuse what the header declares too small or too large."""
    width, height = size
    if width * height > max_pixels:
        raise ImageError(
            f"{name} is {width} × {height} pixels; at most {max_pixels / 1e6:g} million pixels "
            "are decoded.",
            "Make it smaller (a few hundred pixels a side are enough) and try again.",
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"{name} is {width} × {height} pixels; at least {MIN_SIDE} a side are needed.",
            "Choose the full-size picture.",
        )


def _note_frames(image: Image.Image, notes: list[str]) -> None:
    try:
        several = bool(getattr(image, "is_animated", False))
    except Exception:  # a later frame is broken; the first is checked when it is decoded
        several = True
    if several:
        image.seek(0)
        notes.append("The file holds several frames or pages; the first is used.")


def _orientation(image: Image.Image) -> int | None:
    """Return the EXIF orientation, 1 when there is none, None when the EXIF is broken."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # malformed EXIF raises many kinds, and the pixels may still be fine
        return None


def _decode(image: Image.Image, data: bytes, name: str) -> None:
    """Decode every pixel of the current frame, or raise."""
    try:
        # A PNG is decoded without a look at its checksums; verifying needs a copy of its own.
        Image.open(io.BytesIO(data), formats=FORMATS).verify()
        image.load()
    except Exception as error:  # OSError for most, but each decoder has its own
        raise ImageError(
            f"{name} is incomplete or damaged: not all of its pixels could be decoded.",
            "Copy or download it again.",
        ) from error


def _turn(image: Image.Image, orientation: int | None, notes: list[str]) -> Image.Image:
    """Rotate or mirror as EXIF says; a TIFF may have done so while decoding."""
    if orientation == 1:
        return image
    try:
        upright = ImageOps.exif_transpose(image)
    except Exception:  # as in _orientation
        orientation, upright = None, image
    if orientation is None:
        notes.append("Its EXIF block is broken and was ignored.")
    elif 2 <= orientation <= 8:
        notes.append("Turned upright as its EXIF orientation says.")
    return upright


def _to_rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """Return 8-bit RGB, and note a change that can be seen."""
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        notes.append("Scaled from more than 8 bits to 8 bits a channel, grey.")
        return Image.fromarray(_to_8_bits(np.asarray(image))).convert("RGB")
    if mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        return _on_white(image, notes)
    if mode == "CMYK":
        notes.append("Converted from CMYK to RGB without a colour profile.")
    elif mode in ("1", "L"):
        notes.append(
            "The picture has no colour; a network that was trained on colour may answer otherwise."
        )
    return image.convert("RGB")


class _NotFinite(ValueError):
    """A grey value is NaN or infinite."""


def _on_white(image: Image.Image, notes: list[str]) -> Image.Image:
    if image.mode == "La":
        image = image.convert("LA")
    rgba = image.convert("RGBA")
    low = rgba.getchannel("A").getextrema()[0]
    if isinstance(low, (int, float)) and low < 255:
        notes.append("Its transparent parts were laid on white.")
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba).convert("RGB")


def _to_8_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale grey values of any range to 0 to 255.

    Integers up to 65535 count as 16-bit (÷ 257, so that white stays white), floats up to 1 as
    fractions; anything else is stretched from its lowest to its highest value.

    Raises
    ------
    _NotFinite
        If a value is not finite.
    """
    grey = values.astype(np.float64)
    if not np.isfinite(grey).all():
        raise _NotFinite("grey values: expected finite values, got NaN or infinity")
    low, high = grey.min(), grey.max()
    if low >= 0 and np.issubdtype(values.dtype, np.integer) and high <= 65535:
        grey /= 257
    elif low >= 0 and not np.issubdtype(values.dtype, np.integer) and high <= 1:
        grey *= 255
    else:
        grey = (grey - low) * (255 / max(high - low, 1e-12))
    return np.rint(grey).astype(np.uint8)
