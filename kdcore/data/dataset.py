"""What every data set offers, and finding out which one a folder or zip holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DATA_VARIABLE, DataError
from kdcore.data.cifar import Cifar
from kdcore.data.cifar_layouts import find_cifar
from kdcore.data.files import find_metadata, is_zip
from kdcore.data.ham10000 import Ham10000
from kdcore.data.images import LoadedImage
from kdcore.data.info import DATASETS, DatasetInfo
from kdcore.data.sample import Sample

_HOW_TO_KEEP = (
    "HAM10000 is known by its table HAM10000_metadata.csv beside images or zips; CIFAR by "
    "torchvision's folder cifar-10-batches-py, the binary files in cifar-10-batches-bin, or "
    "pictures in train/<class>/ and test/<class>/, also zipped. Unpack a .tar.gz first."
)


class ImageDataset(Protocol):
    """Labelled pictures that lie somewhere: what prediction, training and the commands need.

    `missing` counts the rows of a table that were left out because they have no image file.
    """

    @property
    def info(self) -> DatasetInfo:
        """What is known of the data set before a file of it is read."""
        ...

    @property
    def root(self) -> Path:
        """The folder or zip that it was read from."""
        ...

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Its N pictures, in an order that is the same every time."""
        ...

    @property
    def missing(self) -> int:
        """How many rows of its table have no image file."""
        ...

    def picture(self, image_id: str) -> LoadedImage:
        """Return an image decoded; DataError and ImageError name it."""
        ...

    def parts(self, split: str = "", seed: int = 0) -> NDArray[np.str_]:
        """Return "train", "val" or "test" for each sample, (N,).

        Parameters
        ----------
        split : one of `info.splits`; "" is the first of them
        seed : non-negative integer

        Raises
        ------
        DataError
            If the split is not one of the data set's.
        """
        ...


def open_dataset(root: Path | str, kind: str = "", skip_missing: bool = False) -> ImageDataset:
    """Open the data set in a folder or zip, whichever of `DATASETS` it is.

    Parameters
    ----------
    root : path
        The folder or zip, as `Ham10000.open` and `Cifar.open` take it.
    kind : str
        A key of `DATASETS`, where only that will do; "" takes what is there.
    skip_missing : bool
        Leave out rows of a table without an image file instead of raising.

    Raises
    ------
    DataError
        If `kind` is unknown, `root` holds no data set, another one, or several and `kind` does
        not say which, or if what it holds can't be read.
    """
    if kind and kind not in DATASETS:
        raise DataError(f"There is no data set {kind!r}.", f"Known ones: {', '.join(DATASETS)}.")
    root = Path(root)
    if not root.exists():
        raise DataError(f"{str(root)!r} does not exist.", "Check the path.")
    if root.is_file() and not (is_zip(root) or is_zipfile(root)):
        raise DataError(f"{root.name!r} is a file.", "Name the folder that holds it.")
    layouts, broken = find_cifar(root)
    openers: dict[str, Callable[[], ImageDataset]] = {
        layout.info.key: partial(Cifar.read, layout) for layout in layouts
    }
    if kind in openers:
        return openers[kind]()
    if _has_metadata(root):
        openers["ham10000"] = partial(Ham10000.open, root, skip_missing)
    if kind not in openers and broken and not openers:
        raise broken[0]
    _check_found(root, kind, list(openers))
    return openers[kind or next(iter(openers))]()


def _has_metadata(root: Path) -> bool:
    try:
        find_metadata(root)
    except DataError:
        return False
    return True


def _check_found(root: Path, kind: str, found: list[str]) -> None:
    """Raise DataError unless what was found is `kind`, or one thing where any will do."""
    names = [DATASETS[key].name for key in found]
    if not found:
        wanted = DATASETS[kind].name if kind else "No data set that is known"
        raise DataError(
            f"{wanted} was {'not ' if kind else ''}found in {root.name!r}.", _HOW_TO_KEEP
        )
    if kind and kind not in found:
        wanted = DATASETS[kind].name
        raise DataError(
            f"{root.name!r} holds {' and '.join(names)}, not {wanted}.",
            f"Name the folder of {wanted} with --data, {DATA_VARIABLE} or on the Data page.",
        )
    if not kind and len(found) > 1:
        raise DataError(
            f"{root.name!r} holds {' and '.join(names)}.", "Name the folder of one of them."
        )
