"""Where a data folder keeps its files: in folders, in zips, or all of them in one zip.

Nothing is unpacked: a member of a zip is read when it is asked for, after a look at the size that
the zip declares for it.
"""

from __future__ import annotations

import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kdcore.base import DataError, way_out
from kdcore.data.images import MAX_BYTES

Entries = dict[str, "Entry"]
_METADATA = "HAM10000_metadata"
_TABLES = ("", ".csv", ".tab", ".tsv")
_PICTURES = ("jpg", "jpeg", "png")
_MASK = "_segmentation"
# What reading a file or a member raises: RuntimeError for an encrypted one, KeyError for one that
# is gone, and each way of packing has its own error for damaged bytes.
DAMAGED = (
    OSError,
    KeyError,
    RuntimeError,
    ValueError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


@dataclass(frozen=True)
class Entry:
    """The file at `path`, or the member of that name in the open zip at `path`."""

    path: Path
    member: str = ""
    archive: zipfile.ZipFile | None = None

    @property
    def name(self) -> str:
        """The file's name without folders."""
        return (self.member or self.path.name).rpartition("/")[2]

    def read(self, what: str) -> bytes:
        """Return the bytes; `what` names them in the DataError for what is damaged or too large."""
        try:
            if (size := self._size()) <= MAX_BYTES:
                # One handle per zip stays open: reading its directory takes 40 ms, and ZipFile
                # locks seek and read together, so threads and sessions can share it.
                return self.archive.read(self.member) if self.archive else self.path.read_bytes()
        except DAMAGED as error:
            text = str(error.args[-1] if error.args else error).rstrip(".")
            raise DataError(
                f"{what} can't be read from {self.path.name}: {text}.",
                way_out(error)
                if isinstance(error, PermissionError)
                else "Download that file again; a zip must be whole and not encrypted.",
            ) from error
        raise DataError(
            f"{what} has {size / 1e6:.0f} MB in {self.path.name}; at most {MAX_BYTES / 1e6:.0f} MB "
            "are read.",
            "Replace it with the file of the public distribution.",
        )

    def _size(self) -> int:
        if self.archive:
            return self.archive.getinfo(self.member).file_size
        status = self.path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is no file")  # reading a pipe or a device may have no end
        return status.st_size


def find_metadata(root: Path) -> Entry:
    """Return the `HAM10000_metadata` table in `root` or two levels below, else within a zip there.

    `root` may be the zip itself.

    Raises
    ------
    DataError
        If `root` is no folder or zip, has no such file, or a zip that is searched is not whole.
    """
    if not (root.is_dir() or (is_zip(root) and root.is_file())):
        held = "it" if root.is_file() else "HAM10000"
        raise DataError(
            f"{root.name!r} is not a folder or zip.", f"Name the folder that holds {held}."
        )
    # Only names that count become paths: class folders may hold a million others.
    names = (f"{_METADATA}*", "*.[zZ][iI][pP]")
    levels = [[f"{'*/' * depth}{name}" for name in names] for depth in range(3)]
    below = [path for level in levels for path in sorted(p for n in level for p in root.glob(n))]
    paths = below if root.is_dir() else [root]
    for path in paths:
        if _is_table(path.name) and path.is_file():
            return Entry(path)
    for path in paths:
        if is_zip(path) and path.is_file():
            for entry in members(path):
                if _is_table(entry.name):
                    return entry
    raise DataError(
        f"No HAM10000_metadata file was found in {root.name!r} or two levels below.",
        "Put HAM10000_metadata.csv beside the images or their zips.",
    )


def index_files(root: Path) -> tuple[Entries, Entries]:
    """Return pictures and lesion masks by image id, from folders at any depth, then from zips.

    Links to folders are followed. Raises DataError if a zip is not whole.
    """
    images: Entries = {}
    masks: Entries = {}
    paths = list(_walk(root))
    plain = (Entry(path) for path in paths)
    packed = (entry for path in paths if is_zip(path) for entry in members(path))
    for entries in (plain, packed):
        for entry in entries:
            stem, _, suffix = entry.name.rpartition(".")
            if suffix.lower() not in _PICTURES or stem.startswith("."):
                continue
            kind = masks if stem.endswith(_MASK) else images
            kind.setdefault(stem.removesuffix(_MASK), entry)
    return images, masks


def _walk(root: Path) -> Iterator[Path]:
    """Yield every file below `root` in a fixed order; a folder linked twice is entered once."""
    if root.is_file():
        yield root
    seen = set()
    for here, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        yield from (path for name in sorted(files) if (path := Path(here, name)).is_file())


def members(path: Path) -> Iterator[Entry]:
    """Yield what a zip holds, in its order; raises DataError if it is not whole."""
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise DataError(
            f"{path.name} can't be read: {error.strerror or error}.", way_out(error)
        ) from error
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"{path.name} is not a whole zip file.", "Download it again.") from error
    for member in archive.namelist():
        yield Entry(path, member, archive)


def is_zip(path: Path) -> bool:
    """Tell whether a file is named like a zip."""
    return path.suffix.lower() == ".zip"


def _is_table(name: str) -> bool:
    return name.startswith(_METADATA) and Path(name).suffix.lower() in _TABLES
