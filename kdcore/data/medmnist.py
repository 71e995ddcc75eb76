"""MedMNIST's `.npz` files of pictures, 28 to 224 pixels a side.

Source: Yang et al. 2023, "MedMNIST v2". A file holds `{train,val,test}_images`, (N, S, S) grey or
(N, S, S, 3), and `…_labels`, (N, 1). The pictures of a part are unpacked into a temporary file
when the first of them is asked for, and read from there: the largest part has 13.5 GB.
"""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfileobj
from threading import Lock
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from PIL import Image

from kdcore.base import DataError, sha256_bytes, way_out
from kdcore.data.files import DAMAGED
from kdcore.data.images import LoadedImage
from kdcore.data.info import MEDMNIST, DatasetInfo
from kdcore.data.medmnist_table import REFUSED
from kdcore.data.sample import Sample
from kdcore.data.splits import PARTS, split_dataset

SUFFIX = ".npz"
_SIDES = (16, 1024)  # pixels
_AGAIN = "Download it again from the MedMNIST page, and keep its name."


@dataclass(frozen=True)
class MedMnist:
    """The samples of a file; an `image_id` is "train/00012", and each picture its own group.

    Use `MedMnist.open`.
    """

    info: DatasetInfo
    root: Path
    samples: tuple[Sample, ...]
    _unpacked: dict[str, NDArray[np.uint8]] = field(default_factory=dict, repr=False)
    _lock: Any = field(default_factory=Lock, repr=False)
    missing: int = 0

    @staticmethod
    def open(path: Path | str) -> MedMnist:
        """Read the labels and the pictures' shapes of a file that `info_of_file` knows.

        Raises
        ------
        DataError
            If the data set is none that can be used, or the file is damaged or lacks an array, or
            an array has another shape or type, or a label is none of the classes.
        """
        path = Path(path)
        info = info_of_file(path)
        samples: list[Sample] = []
        try:
            with zipfile.ZipFile(path) as archive:
                for part in PARTS:
                    shape = _shape_of_pictures(archive, path.name, part)
                    labels = _labels(archive, path.name, part, shape[0])
                    _check_labels(path.name, part, labels, info)
                    samples += [
                        Sample(i, i, info.classes[label], label)
                        for row, label in enumerate(labels.tolist())
                        for i in [f"{part}/{row:05d}"]
                    ]
        except DAMAGED as error:
            raise _damaged(path.name, error) from error
        return MedMnist(info, path, tuple(samples))

    def parts(self, split: str = "", seed: int = 0) -> NDArray[np.str_]:
        """Return the part of each sample, (N,), as `split_dataset` does."""
        return split_dataset(self.info, self.samples, split, seed)

    def picture(self, image_id: str) -> LoadedImage:
        """Return an image as RGB; raises DataError for an unknown id or a damaged file."""
        part, _, row = image_id.partition("/")
        if part not in PARTS or not (row.isascii() and row.isdigit()):
            raise _no_image(image_id)
        pictures = self._pictures(part)
        if int(row) >= len(pictures):
            raise _no_image(image_id)
        pixels = np.ascontiguousarray(pictures[int(row)])  # (S, S) or (S, S, 3)
        rgb = Image.fromarray(pixels).convert("RGB")
        return LoadedImage(rgb, sha256_bytes(pixels.tobytes()), ())

    def _pictures(self, part: str) -> NDArray[np.uint8]:
        """Return the pictures of a part, unpacked once for all threads."""
        with self._lock:
            if part not in self._unpacked:
                self._unpacked[part] = _unpack(self.root, f"{part}_images")
            return self._unpacked[part]


def info_of_file(path: Path) -> DatasetInfo:
    """Return the data set that a file is named after: `pathmnist.npz`, `pathmnist_224.npz`.

    Raises
    ------
    DataError
        If it is one whose labels are no classes, holds volumes, or is none of MedMNIST's.
    """
    key = _key(path)
    if key in REFUSED:
        raise DataError(
            f"{path.name} can't be used: it {REFUSED[key]}.",
            f"One picture, one class is needed, as in {', '.join(MEDMNIST)}.",
        )
    if key not in MEDMNIST:
        raise DataError(
            f"{path.name} is named like none of MedMNIST's files.",
            f"Name it after its data set, as pathmnist.npz: {', '.join(MEDMNIST)}.",
        )
    return MEDMNIST[key]


def find_medmnist(root: Path) -> list[Path]:
    """Return the files of MedMNIST directly in a folder, by name; refused ones if no others."""
    files = sorted(root.glob(f"*{SUFFIX}"))
    usable = [path for path in files if _key(path) in MEDMNIST]
    return usable or [path for path in files if _key(path) in REFUSED]


def _key(path: Path) -> str:
    return path.stem.lower().partition("_")[0]


def _no_image(image_id: str) -> DataError:
    return DataError(
        f"There is no image {image_id!r} in this data set.", "Its ids look like train/00012."
    )


def _damaged(name: str, error: Exception) -> DataError:
    if isinstance(error, PermissionError):
        return DataError(f"{name} can't be read: {error.strerror}.", way_out(error))
    told = str(error.args[-1] if error.args else error).rstrip(".")
    return DataError(f"{name} is not a whole MedMNIST file: {told}.", _AGAIN)


def _shape_of_pictures(archive: zipfile.ZipFile, name: str, part: str) -> tuple[int, ...]:
    """Return the shape of a part's pictures, from the array's head."""
    with archive.open(f"{part}_images.npy") as file:
        shape, dtype = _head(file)
    square = len(shape) in (3, 4) and shape[1] == shape[2] and _SIDES[0] <= shape[1] <= _SIDES[1]
    if not square or shape[3:] not in ((), (3,)) or dtype != np.uint8:
        raise DataError(
            f"{part}_images in {name} has the shape {shape} and type {dtype}; expected (N, S, S) "
            f"or (N, S, S, 3) of {_SIDES[0]} to {_SIDES[1]} pixels, uint8.",
            "Use a file of two-dimensional pictures.",
        )
    return shape


def _labels(archive: zipfile.ZipFile, name: str, part: str, count: int) -> NDArray[np.int64]:
    """Return the labels of a part, (N,), after a look at what the array's head declares."""
    with archive.open(f"{part}_labels.npy") as file:
        shape, dtype = _head(file)
        if shape not in ((count,), (count, 1)) or dtype.kind not in "iu" or not count:
            raise DataError(
                f"{part}_labels in {name} has the shape {shape} and type {dtype} for {count:,} "
                "pictures; expected one whole number for each, and one picture or more.",
                "Use a file with one class for each picture; several labels at once are refused.",
            )
        return np.frombuffer(file.read(), dtype, count).astype(np.int64)


def _check_labels(name: str, part: str, labels: NDArray[np.int64], info: DatasetInfo) -> None:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= len(info.classes):
        raise DataError(
            f"{part}_labels in {name} has a label {low if low < 0 else high}; {info.name} has "
            f"{len(info.classes)} classes.",
            _AGAIN,
        )


def _unpack(path: Path, array: str) -> NDArray[np.uint8]:
    """Return an array of a file, unpacked into a file without a name that ends with it."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{array}.npy") as packed:
            shape, dtype = _head(packed)
            bare = tempfile.TemporaryFile()  # noqa: SIM115 - the array below keeps it open
            copyfileobj(packed, bare, 1 << 22)
        bare.flush()
        return np.memmap(bare, dtype, "r", shape=shape)
    except DAMAGED as error:
        raise _damaged(path.name, error) from error


def _head(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of a `.npy`, and leave the file at its first number.

    Raises ValueError for what is none, holds objects, or lies in Fortran's order.
    """
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if dtype.hasobject or fortran:
        raise ValueError("an array holds objects, or lies in Fortran's order")
    return shape, dtype
