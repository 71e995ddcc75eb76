"""Hashes of what was read and writes that are whole or not there at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

# What NumPy raises for an `.npz` that is missing, cut short, encrypted, or another kind of file,
# and what its reader raises for fields that are missing or of another kind.
BAD_NPZ = (
    OSError,
    EOFError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def sha256_bytes(data: bytes | memoryview) -> str:
    """Return the SHA-256 of `data` as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of the file at `path` as 64 hex digits, read in pieces."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def group_hash(group_id: str) -> str:
    """Return the first 12 hex digits of a lesion id's SHA-256, as checkpoint cards hold them."""
    return sha256_bytes(group_id.encode())[:12]


def folder_bytes(folder: Path) -> int:
    """Return the size of all files below a folder; what goes away meanwhile counts nothing."""
    total = 0
    for path in Path(folder).rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it into place.

    A killed process or a full disk leaves the old file as it was. A device or a pipe, such as
    /dev/stdout, is written to; a link stays one. An OSError names `path`.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        write(path)  # a file in its place would be nobody's device any more
        return
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write_beside(path, write)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def _write_beside(path: Path, write: Callable[[Path], object]) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` in UTF-8, as `write_atomically` does.

    A file's name may be no text: what of it is none is written as its code, as in JSON.
    """
    how = {"encoding": "utf-8", "errors": "backslashreplace"}
    write_atomically(path, lambda temporary: temporary.write_text(text, **how))


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write `data`, as `write_atomically` does."""
    write_atomically(path, lambda temporary: temporary.write_bytes(data))


def save_npz(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write `arrays` as a compressed `.npz`, as `write_atomically` does."""

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:  # to a path NumPy would add a suffix of its own
            np.savez_compressed(file, **arrays)

    write_atomically(path, write)
