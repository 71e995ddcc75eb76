"""Everything that people may bring by mistake: pictures, checkpoints and tables, made here."""

from __future__ import annotations

import dataclasses
import io
import json
import pickle
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from kdcore.data import draw_lesion
from kdcore.models import load_checkpoint, save_checkpoint

LESION = draw_lesion("mel", 5, (120, 90))


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return a picture as a file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that declares a size and has next to no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        whole = kind + body
        return struct.pack(">I", len(body)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0"))


def _sixteen_bit() -> Image.Image:
    return Image.fromarray(np.asarray(LESION.convert("L")).astype(np.uint16) * 257)


def _rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(LESION, "JPEG", exif=exif)


REFUSED: dict[str, bytes] = {
    "text": b"This is not a picture. " * 40,
    "empty": b"",
    "truncated": encode(LESION, "JPEG")[:900],
    "1x1": encode(LESION.resize((1, 1)), "PNG"),
    "12000x12000": png_header(12_000, 12_000),
}
# A picture of each unusual kind, and what the page says was done with it; "" for nothing.
UNUSUAL: dict[str, tuple[bytes, str]] = {
    "animated": (
        encode(LESION, "GIF", save_all=True, append_images=[LESION.rotate(90)]),
        "first",
    ),
    "cmyk": (encode(LESION.convert("CMYK"), "JPEG"), "CMYK"),
    "palette": (encode(LESION.quantize(64), "PNG"), ""),
    "16-bit": (encode(_sixteen_bit(), "PNG"), "8 bits"),
    "grey": (encode(LESION.convert("L"), "PNG"), "no colour"),
    "transparent": (encode(LESION.convert("RGBA").rotate(20), "PNG"), "ransparen"),
    "rotated": (_rotated(), "upright"),
}


def _changed_card(folder: Path, **fields: object) -> None:
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | fields))


def _other_classes(folder: Path) -> None:
    checkpoint = load_checkpoint(folder)
    card = dataclasses.replace(checkpoint.card, classes=("a", "b", "c", "d", "e", "f", "g"))
    save_checkpoint(folder, checkpoint.model, card)


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(pickle.dumps({"weight": print}))


# How to spoil a whole checkpoint, and a word of the message.
CHECKPOINTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "other classes": (_other_classes, "was trained on the classes"),
    "other architecture": (lambda f: _changed_card(f, architecture="resnet34"), "do not fit"),
    "unknown architecture": (lambda f: _changed_card(f, architecture="resnet999"), "resnet999"),
    "pickle payload": (_pickled, "safetensors"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "model.safetensors"),
    "half a card": (lambda f: (f / "card.json").write_text('{"name": "x"'), "can't be read"),
}


def spoilt_checkpoint(whole: Path, target: Path, how: str) -> Path:
    """Copy a checkpoint and spoil the copy."""
    shutil.copytree(whole, target)
    CHECKPOINTS[how][0](target)
    return target


# How to spoil a metadata table's lines, and words of the message.
TABLES: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "unknown diagnosis": (
        lambda rows: [*rows, rows[1].replace("akiec", "wart").replace("0000000", "9999999")],
        "unknown diagnosis",
    ),
    "duplicate id": (lambda rows: [*rows, rows[1]], "more than once"),
    "no lesion id": (
        lambda rows: [rows[0], *("," + r.partition(",")[2] for r in rows[1:])],
        "84 rows without lesion_id",
    ),
}
MISSING_FILE = "HAM_9,ISIC_9999999,nv,histo,1,male,back"


def spoil_table(folder: Path, change: Callable[[list[str]], list[str]]) -> None:
    """Change the lines of the metadata table in a data folder."""
    path = folder / "HAM10000_metadata.csv"
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")


_PAIR = ["--classes", "a,b"]
# Predictions that another program wrote: the file, options, and words of the message.
PREDICTIONS: dict[str, tuple[bytes, list[str], str]] = {
    "empty": (b"", _PAIR, "theirs.csv is empty"),
    "picture": (encode(LESION, "JPEG"), _PAIR, "theirs.csv is not text"),
    "no head": (b"1,a,0.5,0.5\n", _PAIR, "theirs.csv, row 1 has no column"),
    "logits": (b"id,label,a,b\n1,a,3.5,-1\n", _PAIR, "row 2, column a: 3.5 is not a probability"),
    "nan": (b"id,label,a,b\n1,a,1,0\n2,a,nan,1\n", _PAIR, "row 3, column a"),
    "other classes": (b"id,label,a,b\n1,a,1,0\n", ["--classes", "ham10000"], "no column akiec"),
    "unknown classes": (b"id,label,a,b\n1,a,1,0\n", [], "a known data set"),
    "one class": (b"id,label,a,b\n1,a,1,0\n", ["--classes", "a"], "nor two or more"),
}
