"""What every data set offers, and finding out which one a folder, zip or file holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DATA_VARIABLE, DataError
from kdcore.base.words import capitalised
from kdcore.data.cifar import Cifar
from kdcore.data.cifar_layouts import find_cifar
from kdcore.data.files import find_metadata, is_zip
from kdcore.data.folder_layouts import find_class_folders, find_layouts
from kdcore.data.ham10000 import Ham10000
from kdcore.data.image_folder import ImageFolder
from kdcore.data.images import LoadedImage
from kdcore.data.info import (
    DATASETS,
    HAM10000,
    IMAGEFOLDER,
    KINDS,
    DatasetInfo,
    info_of_classes,
)
from kdcore.data.medmnist import SUFFIX, MedMnist, find_medmnist, info_of_file
from kdcore.data.sample import Sample
from kdcore.data.tree import Tree

HOW_TO_KEEP = {
    "HAM10000": "its table HAM10000_metadata.csv beside images or zips",
    "CIFAR": "torchvision's folder cifar-10-batches-py, the binary files in cifar-10-batches-bin, "
    "or pictures in train/<class>/ and test/<class>/",
    "MedMNIST": "a file such as pathmnist.npz or pathmnist_224.npz",
    "COVID-QU-Ex": "Lung Segmentation Data/ with Train, Val and Test, <class>/images/ in each",
    "LC25000": "lung_image_sets/ and colon_image_sets/; of lung_image_sets alone, the lung part",
    "any pictures": "a folder for each class, in train/, val/ and test/ or without parts",
}
_WAYS = "; ".join(f"{name}: {how}" for name, how in HOW_TO_KEEP.items())
_UNPACK = f"{_WAYS}. Folders may be zipped; unpack a .tar.gz first."
Found = tuple[DatasetInfo, Callable[[], "ImageDataset"]]


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


def open_dataset(
    root: Path | str,
    kind: str = "",
    skip_missing: bool = False,
    classes: tuple[str, ...] = (),
) -> ImageDataset:
    """Open the data set in a folder, zip or `.npz`, whichever it is.

    Parameters
    ----------
    root : path
        What holds it, in one of the ways of `HOW_TO_KEEP`.
    kind : str
        One of `KINDS`, where only that will do; "" takes what is there.
    skip_missing : bool
        Leave out rows of a table without an image file instead of raising.
    classes : tuple of str
        Where only a data set of these classes, in this order, will do: a network's.

    Raises
    ------
    DataError
        If `kind` is unknown, `root` holds no data set, another one, or several and neither `kind`
        nor `classes` says which, or if what it holds can't be read.
    """
    if kind and kind not in KINDS:
        raise DataError(f"There is no data set {kind!r}.", f"Known ones: {', '.join(KINDS)}.")
    root = Path(root)
    if not root.exists():
        raise DataError(f"{str(root)!r} does not exist.", "Check the path.")
    if not (root.is_file() or root.is_dir()):
        raise DataError(
            f"{str(root)!r} is neither a file nor a folder.", "Name what holds the data set."
        )
    if root.suffix.lower() == SUFFIX and root.is_file():
        found: list[Found] = [(info_of_file(root), partial(MedMnist.open, root))]
    elif root.is_file() and not (is_zip(root) or is_zipfile(root)):
        raise DataError(f"{root.name!r} is a file.", "Name the folder that holds it.")
    else:
        found = _find(root, kind, skip_missing, classes)
    _check_found(root, kind, classes, [info for info, _ in found])
    wanted = [opener for info, opener in found if _is_wanted(info, kind, classes)]
    return wanted[0]()


def _find(root: Path, kind: str, skip_missing: bool, classes: tuple[str, ...]) -> list[Found]:
    """Return what a folder or zip holds; plain class folders only where they are wanted.

    Raises DataError for a broken zip where nothing else is there, or if `root` can't be read.
    """
    if root.is_dir():
        Tree(root).names()  # a folder that may not be read is told so before it is searched
    layouts, broken = find_cifar(root)
    found: list[Found] = [(layout.info, partial(Cifar.read, layout)) for layout in layouts]
    if any(_is_wanted(info, kind, classes) for info, _ in found) and (kind or classes):
        return found
    if _has_metadata(root):
        found.append((HAM10000, partial(Ham10000.open, root, skip_missing)))
    if broken and not found:
        raise broken[0]
    if root.is_dir():
        found += [(info_of_file(p), partial(MedMnist.open, p)) for p in find_medmnist(root)]
    found += [
        (layout.info, partial(ImageFolder.read, layout))
        for layout in find_layouts(root, kind, classes)
    ]
    plain = kind == IMAGEFOLDER or (classes and info_of_classes(classes).key == IMAGEFOLDER)
    if (plain or not found) and (folders := find_class_folders(root)) is not None:
        found.append((folders.info, partial(ImageFolder.read, folders)))
    return found


def _is_wanted(info: DatasetInfo, kind: str, classes: tuple[str, ...]) -> bool:
    return (not kind or info.key == kind) and (not classes or info.classes == classes)


def _has_metadata(root: Path) -> bool:
    try:
        find_metadata(root)
    except DataError:
        return False
    return True


def _check_found(
    root: Path, kind: str, classes: tuple[str, ...], found: Sequence[DatasetInfo]
) -> None:
    """Raise DataError unless one of what was found is wanted, and no more than one."""
    known = kind or (info_of_classes(classes).key if classes else "")
    what = DATASETS[known].name if known in DATASETS else "pictures in class folders"
    names = " and ".join(map(_described, found))
    if not found:
        missed = f"{capitalised(what)} was not" if known else "No data set was"
        raise DataError(f"{missed} found in {root.name!r}.", _UNPACK)
    matching = [info for info in found if _is_wanted(info, kind, classes)]
    if not matching and known == IMAGEFOLDER and classes:
        raise DataError(
            f"The network was trained on the classes {_listed(classes)}; {root.name!r} holds "
            f"{names}.",
            "Name the folder of the pictures that it is for.",
        )
    if not matching:
        raise DataError(
            f"{root.name!r} holds {names}, not {what}.",
            f"Name the folder of {what} with --data, {DATA_VARIABLE} or on the Data page.",
        )
    if len(matching) > 1:
        raise DataError(
            f"{root.name!r} holds {names}.",
            "Name the folder or file of one of them, on the Data page or in --data.",
        )


def _described(info: DatasetInfo) -> str:
    """Return a data set's name, with its classes where no table has them."""
    return f"{info.name} ({_listed(info.classes)})" if info.key == IMAGEFOLDER else info.name


def _listed(classes: Sequence[str]) -> str:
    return ", ".join(classes[:7]) + (", …" if len(classes) > 7 else "")
