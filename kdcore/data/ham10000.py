"""HAM10000 from a folder or its zips, as Dataverse and Kaggle distribute it, at any resolution.

Source: Tschandl, Rosendahl & Kittler 2018 (doi:10.1038/sdata.2018.161); lesion masks: Tschandl et
al. 2020 (doi:10.1038/s41591-020-0942-0).
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdcore.base import DataError
from kdcore.data.files import Entries, Entry, find_metadata, index_files
from kdcore.data.images import LoadedImage, read_image
from kdcore.data.info import HAM10000, DatasetInfo
from kdcore.data.sample import Sample
from kdcore.data.splits import lesion_grouped_split, split_dataset

_IDS = ("lesion_id", "image_id")
_COLUMNS = (*_IDS, "dx")
_PUBLISHED = Path(__file__).with_name("ham10000_parts.txt")


@dataclass(frozen=True)
class Ham10000:
    """The samples of a folder and where their files are.

    Use `Ham10000.open`. `masks` counts the samples that have a lesion mask, `missing` the
    rows that were left out because they have no image file.
    """

    root: Path
    samples: tuple[Sample, ...]
    _images: Entries
    _masks: Entries
    missing: int = 0

    @staticmethod
    def open(root: Path | str, skip_missing: bool = False) -> Ham10000:
        """Find metadata, images and masks in a folder, its sub-folders and its zips.

        Parameters
        ----------
        root : path
            The folder with `HAM10000_metadata` (csv, tab or no suffix), or one or two levels above
            it; or with the zip that holds it, or that zip. Images and masks lie beside the metadata
            or at any depth below it, in folders or zips; if images lack there, anywhere below
            `root`.
        skip_missing : bool
            Leave out rows without an image file instead of raising.

        Raises
        ------
        DataError
            If there is no metadata, an id is empty or repeats, a diagnosis is unknown, a zip is
            not whole, or images are missing.
        """
        root = Path(root)
        metadata = find_metadata(root)
        samples = _read_metadata(metadata.name, metadata.read("The metadata table"))
        home = root if root.is_file() else metadata.path.parent
        images, masks = index_files(home)
        if home != root and any(s.image_id not in images for s in samples):
            more = index_files(root)
            home, images, masks = root, more[0] | images, more[1] | masks
        present = tuple(s for s in samples if s.image_id in images)
        if len(present) < len(samples) and not (skip_missing and present):
            raise _missing_images(samples, images, metadata.name, skip_missing)
        return Ham10000(home, present, images, masks, len(samples) - len(present))

    @property
    def info(self) -> DatasetInfo:
        """What is known of HAM10000 before a file of it is read."""
        return HAM10000

    def parts(self, split: str = "", seed: int = 0) -> NDArray[np.str_]:
        """Return the part of each sample, (N,), as `split_dataset` does.

        Under the first split with seed 0, lesions that the released models were trained or tested
        on keep their part, so that a folder with more or fewer of them tests on the same ones.
        """
        if split in ("", HAM10000.splits[0]) and seed == 0:
            labels = [sample.label for sample in self.samples]
            lesions = [sample.lesion_id for sample in self.samples]
            return lesion_grouped_split(labels, lesions, published=published_parts())
        return split_dataset(HAM10000, self.samples, split, seed)

    @property
    def masks(self) -> int:
        """Number of samples with a lesion mask."""
        return sum(s.image_id in self._masks for s in self.samples)

    def read(self, image_id: str) -> bytes:
        """Return the bytes of an image file; raises DataError for what is unknown or damaged."""
        return self._entry(self._images, image_id).read(f"Image {image_id}")

    def picture(self, image_id: str) -> LoadedImage:
        """Return an image decoded; DataError and ImageError name it."""
        return read_image(self.read(image_id), name=f"Image {image_id}")

    def has_mask(self, image_id: str) -> bool:
        """Tell whether the image has a lesion mask."""
        return image_id in self._masks

    def mask(self, image_id: str) -> NDArray[np.bool_] | None:
        """Return the lesion mask (H, W), True inside the lesion, or None where there is none.

        Raises DataError or ImageError if its file is damaged.
        """
        if image_id not in self._masks:
            return None
        what = f"The mask of {image_id}"
        loaded = read_image(self._masks[image_id].read(what), name=what)
        return np.asarray(loaded.rgb.convert("L")) > 127

    def _entry(self, entries: Entries, image_id: str) -> Entry:
        if image_id not in entries:
            raise DataError(
                f"There is no image {image_id!r} in this data set.",
                "Choose one of the ids in its metadata.",
            )
        return entries[image_id]


@cache
def published_parts() -> dict[str, str]:
    """Return the parts that the released models were trained and tested by.

    They are those of `split_samples` with seed 0 on 9,013 of the 10,015 images, by `group_hash` of
    the lesion.
    """
    text = _PUBLISHED.read_text(encoding="utf-8")
    return {
        lesion: part
        for part, lesions in (line.split(":") for line in text.splitlines())
        for lesion in lesions.split()
    }


def _missing_images(
    samples: list[Sample], images: Entries, table: str, skip_missing: bool
) -> DataError:
    missing = [s.image_id for s in samples if s.image_id not in images]
    return DataError(
        f"{len(missing):,} of {len(samples):,} images named in {table} have no file (first: "
        f"{missing[0]}.jpg).",
        "Add HAM10000_images_part_1 and part_2 (folders or zips) beside it"
        + ("." if skip_missing else ", or leave them out with --skip-missing."),
    )


def _read_metadata(name: str, data: bytes) -> list[Sample]:
    try:
        table = pd.read_csv(
            io.BytesIO(data),
            sep=None,
            engine="python",
            encoding="utf-8-sig",  # a spreadsheet puts a byte-order mark before the first column
            dtype=dict.fromkeys(_IDS, str),
        )
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is no text in UTF-8.", "Open it in a spreadsheet and save it as CSV, UTF-8."
        ) from error
    except (ValueError, OSError, csv.Error, pd.errors.ParserError) as error:
        raise DataError(
            f"{name} can't be read as a table: {error}.", "Download it again."
        ) from error
    absent = [c for c in _COLUMNS if c not in table.columns]
    if absent:
        raise DataError(
            f"{name} has no column {absent[0]!r} (found: {', '.join(table.columns[:8])}).",
            "Use the metadata file of the public distribution.",
        )
    _check_rows(table, name)
    if "age" in table.columns:
        table["age"] = pd.to_numeric(table["age"], errors="coerce")  # "unknown" is a gap
    index = {dx: i for i, dx in enumerate(HAM10000.classes)}
    return [
        Sample(
            image_id=row["image_id"],
            lesion_id=row["lesion_id"],
            dx=row["dx"],
            label=index[row["dx"]],
            dx_type=_text(row.get("dx_type")),
            age=_number(row.get("age")),
            sex=_text(row.get("sex")),
            localization=_text(row.get("localization")),
        )
        for row in table.to_dict("records")
    ]


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _check_rows(table: pd.DataFrame, name: str) -> None:
    if table.empty:
        raise DataError(f"{name} has no rows.", "Use the metadata file of the distribution.")
    for column in _COLUMNS:
        if column in _IDS:
            table[column] = table[column].str.strip()
        empty = int((table[column].fillna("") == "").sum())
        if empty:
            raise DataError(
                f"{name} has {empty:,} rows without {column}.",
                "Fill them in or remove those rows. Where it is the last one, the file may be cut "
                "short: download it again.",
            )
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
