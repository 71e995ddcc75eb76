"""Folders and pictures below a folder or inside a zip, listed only where somebody looks.

Nothing is opened: a folder of a million pictures costs one listing of names.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from kdcore.base import DataError, way_out
from kdcore.data.files import Entry, is_zip, members

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".gif")
_DEEPEST = 30  # folders in folders
Names = tuple[list[str], list[str]]  # folders and pictures directly in a folder, both sorted


class Tree:
    """What lies below `root`, a folder or a zip; paths in it are relative, with "/".

    Names that begin with a dot, and what macOS adds to zips, are passed over. Links to folders
    are followed.
    """

    def __init__(self, root: Path) -> None:
        """List the members of a zip; of a folder nothing yet. DataError if the zip is broken."""
        self.root = root
        self._entries = {e.member: e for e in members(root)} if root.is_file() else None
        self._inside = _folders_of(self._entries) if self._entries is not None else {}

    def names(self, folder: str = "") -> Names:
        """Return the folders and the pictures directly in `folder`; none where there is none.

        Raises DataError if the root can't be read. Another folder that can't counts as empty:
        what only lies beside pictures, such as a disk's lost+found, need not be read.
        """
        try:
            return self._listed(folder)
        except DataError:
            if folder:
                return [], []
            raise

    def pictures(self, folder: str) -> Iterator[str]:
        """Yield the paths of all pictures below `folder`, at any depth, relative to it.

        Raises DataError if a folder can't be read, or folders that are linked into each other
        have no end.
        """
        folders, pictures = self._listed(folder)
        yield from pictures
        for name in folders:
            inside = join(folder, name)
            if inside.count("/") > _DEEPEST:
                raise DataError(
                    f"The folders in {str(self.root / folder)!r} have no end.",
                    "Remove the link that leads back to a folder above it.",
                )
            yield from (f"{name}/{path}" for path in self.pictures(inside))

    def _listed(self, folder: str) -> Names:
        if self._entries is None:
            return _on_disk(self.root / folder)
        folders, pictures = self._inside.get(folder, (set(), set()))
        return sorted(folders), sorted(pictures)

    def entry(self, path: str) -> Entry:
        """Return where the picture at `path`, which was listed, is."""
        return Entry(self.root / path) if self._entries is None else self._entries[path]


def open_tree(root: Path) -> Tree:
    """Return the tree of a folder or zip, or of the only zip in a folder without pictures.

    Raises DataError if the zip is not whole.
    """
    if root.is_dir() and not any(_on_disk(root)):
        zips = sorted(path for path in root.iterdir() if is_zip(path))
        if len(zips) == 1:
            return Tree(zips[0])
    return Tree(root)


def check_names(root: Path, names: Iterable[str]) -> None:
    """Raise DataError for a name below `root` that is no text: Linux allows any bytes.

    Names become ids and classes, which are hashed, written to files of UTF-8 and shown.
    """
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise DataError(
                f"The name {name!r} in {root.name!r} is not UTF-8.", "Rename that file or folder."
            ) from None


def join(folder: str, name: str) -> str:
    """Return the path of `name` in `folder`, where "" is the root."""
    return f"{folder}/{name}" if folder else name


def _on_disk(folder: Path) -> Names:
    folders: list[str] = []
    pictures: list[str] = []
    try:
        with os.scandir(folder) as found:
            for item in found:
                if _is_hidden(item.name):
                    continue
                if item.name.lower().endswith(SUFFIXES):  # no look at the disk for each of them
                    pictures.append(item.name)
                elif item.is_dir():
                    folders.append(item.name)
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    except OSError as error:
        raise DataError(
            f"The folder {str(folder)!r} can't be read: {error.strerror}.",
            way_out(error),
        ) from error
    return sorted(folders), sorted(pictures)


def _folders_of(entries: dict[str, Entry]) -> dict[str, tuple[set[str], set[str]]]:
    """Return the folders and pictures directly in each folder of a zip."""
    inside: dict[str, tuple[set[str], set[str]]] = {}
    for member in entries:
        *folders, name = member.split("/")  # a folder's own entry ends with "/"
        if any(_is_hidden(part) for part in (*folders, name) if part != "."):
            continue
        here = ""
        for folder in folders:
            inside.setdefault(here, (set(), set()))[0].add(folder)
            here = join(here, folder)
        if name.lower().endswith(SUFFIXES):
            inside.setdefault(here, (set(), set()))[1].add(name)
    return inside


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX"))
