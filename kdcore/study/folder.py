"""A reader study on disk: one folder with its cases, a manifest and the answers.

A folder `studies/ID` holds `manifest.json` (models with their hashes, method, versions, cases),
`case-000.png` (the square that the networks saw), `case-000.npz` (both heatmaps) and
`answers.sqlite`. It is filled under another name and renamed when it is whole.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kdcore.base import StudyError, sha256_bytes, state_folder
from kdcore.study.database import create_database
from kdcore.study.order import ROLES
from kdcore.study.questions import check_title

FORMAT = 1
Heatmap = NDArray[np.float32]


@dataclass(frozen=True)
class NewCase:
    """A case to be stored.

    Attributes
    ----------
    image_id, dx, group : the picture's id, true class ("" if unknown) and lesion; no reader
        sees them
    target : the class that both maps explain, in words
    picture : RGB, the square that the networks saw
    heatmaps : (H, W) float32 in [0, 1] by role
    manifest : JSON-ready record of how the maps came about
    """

    image_id: str
    dx: str
    group: str
    target: str
    picture: Image.Image
    heatmaps: Mapping[str, Heatmap]
    manifest: Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A stored case: what is known of its picture, the class explained, its files' hashes."""

    number: int
    image_id: str
    dx: str
    group: str
    target: str
    png_sha256: str
    npz_sha256: str

    @property
    def stem(self) -> str:
        """The name of its files, without suffix."""
        return f"case-{self.number:03d}"


@dataclass(frozen=True)
class Study:
    """A study as its manifest tells it; `about` says which models and method, and unblinds."""

    id: str
    title: str
    created: str
    seed: int
    about: dict[str, Any]
    cases: tuple[Case, ...]
    folder: Path

    @property
    def answers(self) -> Path:
        """The database of the answers."""
        return self.folder / "answers.sqlite"

    def picture(self, case: int) -> Image.Image:
        """Return a case's picture, RGB; StudyError if the file is not what was stored."""
        found = self.cases[case]
        data = self._read(f"{found.stem}.png", found.png_sha256)
        return Image.open(io.BytesIO(data)).convert("RGB")

    def heatmap(self, case: int, role: str) -> Heatmap:
        """Return a role's heatmap of a case, (H, W) in [0, 1]; StudyError as `picture`."""
        found = self.cases[case]
        data = self._read(f"{found.stem}.npz", found.npz_sha256)
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return np.asarray(arrays[role], dtype=np.float32)

    def _read(self, name: str, sha256: str) -> bytes:
        try:
            data = (self.folder / name).read_bytes()
        except OSError as error:
            raise StudyError(f"{name} of the study {self.title!r} is gone.", _RESTORE) from error
        if sha256_bytes(data) != sha256:
            raise StudyError(f"{name} of the study {self.title!r} was changed.", _RESTORE)
        return data


_RESTORE = "Put the study's folder back from a copy: readers have to see the same maps."


def studies_folder() -> Path:
    """Return the folder of reader studies, inside the state folder."""
    return state_folder() / "studies"


def create_study(
    title: str,
    seed: int,
    cases: Iterable[NewCase],
    about: Mapping[str, Any],
    root: Path | None = None,
) -> Study:
    """Store a new study, whole or not at all.

    Parameters
    ----------
    title : for the readers, too: it should name no model
    seed : non-negative, of the readers' orders
    cases : may be made one by one; what their making raises leaves nothing behind
    about : JSON-ready: "teacher", "student" and "method", each a dict with its "name" and more
        (hashes, convention), and where the pictures are from
    root : the folder of all studies (default: the state folder's)

    Raises
    ------
    StudyError
        If the title is none, there is no case, or the folder can't be written.
    KeyError
        If `about` lacks a name.
    """
    _check_named(about)
    title, root = check_title(title), root or studies_folder()
    with _written(root):
        root.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
    try:
        listed = [_write_case(new, number, case) for number, case in enumerate(cases)]
        if not listed:
            raise StudyError("A study needs at least one case.", "Choose some pictures.")
        facts = {"format": FORMAT, "id": secrets.token_hex(4), "title": title, "seed": int(seed)}
        facts |= {"created": now(), "about": dict(about), "cases": listed}
        folder = root / str(facts["id"])
        with _written(root):
            text = json.dumps(facts, indent=1, ensure_ascii=False)
            (new / "manifest.json").write_text(text, encoding="utf-8")
            create_database(new / "answers.sqlite")
            os.rename(new, folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return read_study(folder)


def list_studies(root: Path | None = None) -> tuple[list[Study], list[StudyError]]:
    """Return the studies in `root`, the newest first, and what could not be read."""
    found, problems = [], []
    for path in sorted((root or studies_folder()).glob("[!.]*/manifest.json")):
        try:
            found.append(read_study(path.parent))
        except StudyError as error:
            problems.append(error)
    return sorted(found, key=lambda s: (s.created, s.id), reverse=True), problems


def read_study(folder: Path) -> Study:
    """Return the study in a folder; StudyError if its manifest can't be read."""
    try:
        facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if facts["format"] != FORMAT:
            raise StudyError(
                f"The study in {folder.name!r} has format {facts['format']!r}; this app reads "
                f"format {FORMAT}.",
                "Open it with the version of the app that made it.",
            )
        names = Case.__dataclass_fields__
        cases = tuple(Case(**{n: c[n] for n in names}) for c in facts["cases"])
        _check_named(facts["about"])
        known = (facts["title"], facts["created"], facts["seed"], facts["about"])
        return Study(folder.name, *known, cases, folder)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StudyError(
            f"The study in {folder.name!r} can't be read: its manifest.json is damaged or gone.",
            "Put the file back from a copy; the answers beside it were not touched.",
        ) from error


def delete_study(study: Study) -> None:
    """Delete a study with its cases and answers; it is gone from the list before its files are."""
    with _written(study.folder.parent):
        hidden = study.folder.with_name(f".old-{study.id}-{secrets.token_hex(2)}")
        os.rename(study.folder, hidden)
        shutil.rmtree(hidden)


def now() -> str:
    """Return the time in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _check_named(about: Mapping[str, Any]) -> None:
    """Raise KeyError or TypeError unless teacher, student and method have names."""
    for what in (*ROLES, "method"):
        about[what]["name"]


def _write_case(folder: Path, number: int, case: NewCase) -> dict[str, Any]:
    """Write a case's files and return what the manifest says of it."""
    for role in ROLES:
        values = np.asarray(case.heatmaps[role])
        if values.ndim != 2 or not np.all((values >= -1e-6) & (values <= 1 + 1e-6)):
            raise ValueError(f"heatmaps[{role!r}]: expected (H, W) in [0, 1]")
    png, npz = io.BytesIO(), io.BytesIO()
    case.picture.convert("RGB").save(png, "PNG")
    maps: dict[str, Any] = {r: np.asarray(case.heatmaps[r], dtype=np.float32) for r in ROLES}
    np.savez_compressed(npz, **maps)
    hashes = {
        "png_sha256": sha256_bytes(png.getvalue()),
        "npz_sha256": sha256_bytes(npz.getvalue()),
    }
    kept = Case(number, case.image_id, case.dx, case.group, case.target, **hashes)
    with _written(folder.parent):
        (folder / f"{kept.stem}.png").write_bytes(png.getvalue())
        (folder / f"{kept.stem}.npz").write_bytes(npz.getvalue())
    facts = {name: getattr(kept, name) for name in Case.__dataclass_fields__}
    return facts | {"explanation": dict(case.manifest)}


@contextmanager
def _written(root: Path) -> Iterator[None]:
    """Turn a failed write in the block into a StudyError."""
    try:
        yield
    except OSError as error:
        raise StudyError(
            f"{str(root)!r} can't be written: {error.strerror or error}.",
            "Make room on the disk, or give the app write access to its state folder.",
        ) from error
