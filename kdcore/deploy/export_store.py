"""Exported files that are kept: by the SHA-256 of the weights, each with its record and its zip."""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from kdcore.base import KdError, sha256_file, state_folder
from kdcore.deploy.artefact import Artefact, read_artefact, record_of
from kdcore.deploy.export import FORMATS

MOST_FILES = 60
MOST_BYTES = 3_000_000_000
BOUNDS = (
    f"At most {MOST_FILES} files, {MOST_BYTES / 1e9:.0f} GB, are kept on this machine; older ones "
    "make room for new ones."
)
STAGING = ".being-made-"
_STALE_S = 86_400


@dataclass(frozen=True)
class Kept:
    """An exported file on disk: its record, and the paths of the file and of its zip."""

    artefact: Artefact
    path: Path
    zip: Path

    @property
    def name(self) -> str:
        """What tells it apart from all others."""
        return f"{self.artefact.checkpoint_hash[:12]}-{self.artefact.file}"

    @property
    def paths(self) -> tuple[Path, Path, Path]:
        """Record, file and zip: without the first, the others are not listed."""
        return record_of(self.path), self.path, self.zip


def exports_folder() -> Path:
    """Return where exported files are kept, each in a folder called like its weights' SHA-256."""
    return state_folder() / "exported"


def zip_of(path: Path) -> Path:
    """Return where the zip of an exported file is: formats share a stem, so the suffix stays."""
    return path.with_name(f"{path.stem}-{path.suffix[1:]}.zip")


def keep_exports(folder: Path) -> tuple[Kept, ...]:
    """Move the exported files of `folder` into the store; the oldest make room for them.

    Raises
    ------
    ExportError
        If a record can't be read.
    OSError
        If the store can't be written.
    """
    found = []
    for kept in _in_folder(folder):
        target = exports_folder() / kept.artefact.checkpoint_hash
        target.mkdir(parents=True, exist_ok=True)
        for path in reversed(kept.paths):  # the record last: it is what makes a file listed
            os.replace(path, target / path.name)
        found.append(_kept(target / kept.path.name))
    _make_room({kept.path for kept in found})
    return tuple(found)


def list_exports() -> tuple[list[Kept], list[KdError]]:
    """Return what is kept, the latest first, and what could not be read."""
    found, problems = [], []
    for path in exports_folder().glob("[!.]*/[!.]*"):
        if path.suffix not in FORMATS.values():
            continue
        try:
            found.append((path.stat().st_mtime, path.name, _kept(path)))
        except KdError as error:
            problems.append(error)
    found.sort(key=lambda item: item[:2], reverse=True)
    return [kept for _, _, kept in found], problems


def damage(kept: Kept) -> str:
    """Return what is wrong with a kept file or its zip, in one sentence; "" if they are whole."""
    try:
        if sha256_file(kept.path) != kept.artefact.sha256:
            return f"{kept.path.name} is not the file that its record describes (SHA-256 differs)."
        with zipfile.ZipFile(kept.zip) as archive:
            broken = archive.testzip()
    except (OSError, zipfile.BadZipFile) as error:
        return f"{kept.path.name} or its zip can't be read: {error}."
    return f"{broken} in {kept.zip.name} is damaged." if broken else ""


def read_member(kept: Kept, name: str) -> str:
    """Return a text in the zip of a kept file, such as its example; it has to be whole."""
    with zipfile.ZipFile(kept.zip) as archive:
        return archive.read(name).decode()


def delete_export(kept: Kept) -> None:
    """Delete a kept file with its record and zip; one that is gone already is no error."""
    for path in kept.paths:
        path.unlink(missing_ok=True)
    if kept.path.parent.is_dir() and not any(kept.path.parent.iterdir()):
        kept.path.parent.rmdir()


def remove_stale() -> None:
    """Delete what a killed program has left half made, a day ago or longer."""
    for folder in exports_folder().glob(f"{STAGING}*"):
        if time.time() - folder.stat().st_mtime > _STALE_S:
            shutil.rmtree(folder, ignore_errors=True)


def _kept(path: Path) -> Kept:
    return Kept(read_artefact(path), path, zip_of(path))


def _in_folder(folder: Path) -> list[Kept]:
    paths = sorted(folder.iterdir())
    return [_kept(path) for path in paths if path.suffix in FORMATS.values()]


def _make_room(new: set[Path]) -> None:
    """Delete the oldest files until the store is within its bounds; never what is new."""
    size = 0
    new_first = sorted(list_exports()[0], key=lambda kept: kept.path not in new)
    for count, kept in enumerate(new_first, 1):
        size += sum(path.stat().st_size for path in kept.paths if path.exists())
        if kept.path not in new and (size > MOST_BYTES or count > MOST_FILES):
            delete_export(kept)
