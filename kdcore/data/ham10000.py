"""HAM10000 from a folder or its zips, as Dataverse and Kaggle distribute it, at any resolution.

Source: Tschandl, Rosendahl & Kittler 2018 (doi:10.1038/sdata.2018.161); lesion masks: Tschandl et
al. 2020 (doi:10.1038/s41591-020-0942-0).
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from kdcore.base import DataError
from kdcore.data.info import HAM10000

_COLUMNS = ("lesion_id", "image_id", "dx")
_MASK = "_segmentation"


@dataclass(frozen=True)
class Sample:
    """One row of the metadata; `age` is in years, None where it has a gap."""

    image_id: str
    lesion_id: str
    dx: str
    label: int
    dx_type: str = ""
    age: float | None = None
    sex: str = ""
    localization: str = ""


@dataclass(frozen=True)
class _Entry:
    """A file, or a member of an open zip."""

    path: Path
    archive: zipfile.ZipFile | None = None

    def read(self) -> bytes:
        # One handle per zip stays open: reading its directory takes 40 ms, and ZipFile locks
        # seek and read together, so threads and sessions can share it.
        return self.archive.read(str(self.path)) if self.archive else self.path.read_bytes()


@dataclass(frozen=True)
class Ham10000:
    """The samples of a folder and where their files are.

    Use `Ham10000.open`. `masks` counts the samples that have a lesion mask, `missing` the
    rows that were left out because they have no image file.
    """

    root: Path
    samples: tuple[Sample, ...]
    _images: dict[str, _Entry]
    _masks: dict[str, _Entry]
    missing: int = 0

    @staticmethod
    def open(root: Path | str, skip_missing: bool = False) -> Ham10000:
        """Find images, metadata and masks at or below `root` (two levels).

        Parameters
        ----------
        root : path
            A folder with `HAM10000_metadata` (csv, tab or no suffix) and the images, as zips or
            in folders; or the folder above it.
        skip_missing : bool
            Leave out rows without an image file instead of raising.

        Raises
        ------
        DataError
            If there is no metadata, a diagnosis is unknown, an id repeats, or images are missing.
        """
        root = Path(root)
        metadata = _find_metadata(root)
        images, masks = _index_files(metadata.parent)
        samples = _read_metadata(metadata)
        missing = [s.image_id for s in samples if s.image_id not in images]
        if missing and (not skip_missing or len(missing) == len(samples)):
            raise DataError(
                f"{len(missing):,} of {len(samples):,} images named in {metadata.name} have no "
                f"file (first: {missing[0]}.jpg).",
                "Add HAM10000_images_part_1 and part_2 (folders or zips) beside it"
                + ("." if skip_missing else ", or leave them out with --skip-missing."),
            )
        present = tuple(s for s in samples if s.image_id in images)
        return Ham10000(metadata.parent, present, images, masks, len(missing))

    @property
    def masks(self) -> int:
        """Number of samples with a lesion mask."""
        return sum(s.image_id in self._masks for s in self.samples)

    def read(self, image_id: str) -> bytes:
        """Return the bytes of an image file; raises DataError for an unknown id."""
        return self._entry(self._images, image_id).read()

    def has_mask(self, image_id: str) -> bool:
        """Tell whether the image has a lesion mask."""
        return image_id in self._masks

    def mask(self, image_id: str) -> NDArray[np.bool_] | None:
        """Return the lesion mask (H, W), True inside the lesion, or None where there is none."""
        if image_id not in self._masks:
            return None
        with Image.open(io.BytesIO(self._masks[image_id].read())) as image:
            return np.asarray(image.convert("L")) > 127

    def _entry(self, entries: dict[str, _Entry], image_id: str) -> _Entry:
        if image_id not in entries:
            raise DataError(
                f"There is no image {image_id!r} in this data set.",
                "Choose one of the ids in its metadata.",
            )
        return entries[image_id]


def _find_metadata(root: Path) -> Path:
    if not root.is_dir():
        raise DataError(f"{root.name!r} is not a folder.", "Name the folder that holds HAM10000.")
    for pattern in ("", "*/", "*/*/"):
        for path in sorted(root.glob(f"{pattern}HAM10000_metadata*")):
            if path.is_file() and path.suffix in ("", ".csv", ".tab", ".tsv"):
                return path
    raise DataError(
        f"No HAM10000_metadata file was found in {root.name!r} or two levels below.",
        "Put HAM10000_metadata.csv beside the images or their zips.",
    )


def _read_metadata(path: Path) -> list[Sample]:
    try:
        table = pd.read_csv(path, sep=None, engine="python", dtype={"image_id": str})
    except (ValueError, OSError, pd.errors.ParserError) as error:
        raise DataError(
            f"{path.name} can't be read as a table: {error}.", "Download it again."
        ) from error
    absent = [c for c in _COLUMNS if c not in table.columns]
    if absent:
        raise DataError(
            f"{path.name} has no column {absent[0]!r} (found: {', '.join(table.columns[:8])}).",
            "Use the metadata file of the public distribution.",
        )
    _check_rows(table, path.name)
    index = {dx: i for i, dx in enumerate(HAM10000.classes)}
    return [
        Sample(
            image_id=str(row["image_id"]),
            lesion_id=str(row["lesion_id"]),
            dx=row["dx"],
            label=index[row["dx"]],
            dx_type=_text(row.get("dx_type")),
            age=None if pd.isna(row.get("age")) else float(row["age"]),
            sex=_text(row.get("sex")),
            localization=_text(row.get("localization")),
        )
        for row in table.to_dict("records")
    ]


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)


def _check_rows(table: pd.DataFrame, name: str) -> None:
    if table.empty:
        raise DataError(f"{name} has no rows.", "Use the metadata file of the distribution.")
    unknown = sorted({str(d) for d in table["dx"]} - set(HAM10000.classes))
    if unknown:
        rows = int(table["dx"].astype(str).isin(unknown).sum())
        raise DataError(
            f"{name} has {rows:,} rows with an unknown diagnosis ({', '.join(unknown[:3])}).",
            f"Known ones are {', '.join(HAM10000.classes)}; correct or remove those rows.",
        )
    counts = Counter(table["image_id"])
    repeated = [i for i, n in counts.items() if n > 1]
    if repeated:
        raise DataError(
            f"{name} lists {len(repeated):,} image ids more than once (first: {repeated[0]}).",
            "Keep one row for each image.",
        )


def _index_files(root: Path) -> tuple[dict[str, _Entry], dict[str, _Entry]]:
    """Return image and mask entries by image id, from folders first, then from zips."""
    images: dict[str, _Entry] = {}
    masks: dict[str, _Entry] = {}

    def add(name: str, entry: _Entry) -> None:
        stem, _, suffix = name.rpartition("/")[2].rpartition(".")
        if suffix.lower() not in ("jpg", "jpeg", "png") or stem.startswith("."):
            return
        if stem.endswith(_MASK):
            masks.setdefault(stem.removesuffix(_MASK), entry)
        else:
            images.setdefault(stem, entry)

    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix.lower() != ".zip":
            add(path.name, _Entry(path))
    for path in sorted(root.rglob("*.zip")):
        try:
            archive = zipfile.ZipFile(path)
            for member in archive.namelist():
                add(member, _Entry(Path(member), archive))
        except zipfile.BadZipFile as error:
            raise DataError(
                f"{path.name} is not a whole zip file.", "Download it again."
            ) from error
    return images, masks
