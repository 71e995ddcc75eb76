"""The ways people keep CIFAR: torchvision's folder, the binary files, pictures in class folders.

Source: Krizhevsky 2009; the record formats are those of https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError
from kdcore.data.files import Entries, Entry, members
from kdcore.data.info import CIFAR10, CIFAR100, DatasetInfo
from kdcore.data.sample import Sample

SIDE = 32  # pixels
Pixels = NDArray[np.uint8]  # (3, 32, 32)
Source = Pixels | Entry  # where one picture is
_PYTHON = {"cifar-10-batches-py": CIFAR10, "cifar-100-python": CIFAR100}
_BINARY = {"cifar-10-batches-bin": CIFAR10, "cifar-100-binary": CIFAR100}
# Files of the training and of the test part; label bytes before a record's 3,072 of the picture.
_RECORDS = {
    "cifar10": ([f"data_batch_{i}.bin" for i in range(1, 6)], ["test_batch.bin"], 1),
    "cifar100": (["train.bin"], ["test.bin"], 2),
}
_PICTURE = re.compile(r"(?:\./)?(?:(?!__MACOSX)[^/]+/)?(train|test)/([^/]+)/([^/.][^/]*)\.(\w+)")
_SUFFIXES = ("jpg", "jpeg", "png")
_AGAIN = "Download it again."


@dataclass(frozen=True)
class Layout:
    """A CIFAR that was found and not yet read.

    Attributes
    ----------
    info : which one
    kind : "torchvision", "binary" or "pictures"
    home : the folder or zip that holds it
    entries : pictures by id "train/airplane/0001", for that kind only
    strangers : class folders of no CIFAR, for that kind only
    broken : what was wrong with zips beside it
    """

    info: DatasetInfo
    kind: str
    home: Path
    entries: Mapping[str, Entry] = field(default_factory=dict, repr=False)
    strangers: tuple[str, ...] = ()
    broken: tuple[DataError, ...] = ()


def find_cifar(root: Path) -> tuple[list[Layout], list[DataError]]:
    """Return each CIFAR in `root` or in a folder directly in it, and what zips were not whole.

    Of one data set in several layouts the first is returned: torchvision's, binary, pictures.
    """
    folders = [root, *sorted(p for p in root.glob("*") if p.is_dir())] if root.is_dir() else []
    found: dict[str, Layout] = {}
    for kind, names in (("torchvision", _PYTHON), ("binary", _BINARY)):
        for folder in folders:
            for home in (folder, *(folder / name for name in names)):
                if home.name in names and _is_folder(home):
                    info = names[home.name]
                    found.setdefault(info.key, Layout(info, kind, home))
    zips = [p for folder in folders for p in sorted(folder.glob("*.[zZ][iI][pP]"))]
    entries, broken = _pictures(folders, zips if folders else [root])
    for layout in _by_class_names(root, entries, broken):
        found.setdefault(layout.info.key, layout)
    return list(found.values()), broken


def _pictures(folders: list[Path], zips: list[Path]) -> tuple[Entries, list[DataError]]:
    """Return pictures in class folders by id, from folders, then from zips."""
    entries: Entries = {}
    broken: list[DataError] = []
    for folder in folders:
        _add(entries, _in_class_folders(folder))
    for path in zips:
        try:
            _add(entries, ((entry.member, entry) for entry in members(path)))
        except DataError as error:
            broken.append(error)
    return entries, broken


def _in_class_folders(folder: Path) -> Iterator[tuple[str, Entry]]:
    """Yield the files in train/<class>/ and test/<class>/; Path.glob would take seconds."""
    for part in ("train", "test"):
        homes = (folder / part / name for name in _names_in(folder / part))
        for home in filter(_is_folder, homes):
            for name in _names_in(home):
                yield f"{part}/{home.name}/{name}", Entry(home / name)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except PermissionError:  # above it; what needs that folder says so
        return False


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:  # not there, no folder, or not to be read
        return []


def _add(entries: Entries, named: Iterable[tuple[str, Entry]]) -> None:
    for name, entry in named:
        match = _PICTURE.fullmatch(name)
        if match and match[4].lower() in _SUFFIXES:
            entries.setdefault(f"{match[1]}/{match[2]}/{match[3]}", entry)


def _by_class_names(root: Path, entries: Entries, broken: list[DataError]) -> Iterator[Layout]:
    """Yield the data sets that have a class folder for half of their classes or more.

    With fewer, as of cats and dogs, it is another data set.
    """
    names = {image_id.split("/")[1] for image_id in entries}
    known = {info.key: names & set(info.classes) for info in (CIFAR10, CIFAR100)}
    infos = [i for i in (CIFAR10, CIFAR100) if len(known[i.key]) >= len(i.classes) / 2]
    strangers = tuple(sorted(names.difference(*(info.classes for info in infos))))
    for info in infos:
        own = {i: e for i, e in entries.items() if i.split("/")[1] in known[info.key]}
        yield Layout(info, "pictures", root, own, strangers, tuple(broken))


def read_layout(layout: Layout) -> tuple[tuple[Sample, ...], dict[str, Source]]:
    """Return the samples, training part first, each part by class and id, and their pictures.

    Raises
    ------
    DataError
        If files are missing or not whole, a class folder is of another data set, a part is
        missing, or a class has no picture in a part.
    """
    sources: dict[str, Source]
    if layout.kind == "pictures":
        sources = dict(_checked(layout))
    else:
        read = _torchvision if layout.kind == "torchvision" else _binary
        sources = dict(_named(layout.info, read(layout)))
    samples = _samples(layout.info, sources)
    _check_classes(layout, samples)
    return samples, sources


def _checked(layout: Layout) -> Mapping[str, Entry]:
    if layout.strangers:
        raise DataError(
            f"{layout.home.name!r} has a folder {layout.strangers[0]!r}, which is no class of "
            f"{layout.info.name}.",
            "Rename it to one of its classes, or remove it.",
        )
    return layout.entries


def _samples(info: DatasetInfo, ids: Iterable[str]) -> tuple[Sample, ...]:
    label = {name: i for i, name in enumerate(info.classes)}
    split = [(image_id, *image_id.split("/")) for image_id in ids]
    split.sort(key=lambda row: (row[1] != "train", label[row[2]], row[3]))
    return tuple(Sample(image_id, image_id, name, label[name]) for image_id, _, name, _ in split)


def _check_classes(layout: Layout, samples: tuple[Sample, ...]) -> None:
    for part, word in (("train", "training"), ("test", "test")):
        present = {s.dx for s in samples if s.image_id.startswith(part)}
        absent = [name for name in layout.info.classes if name not in present]
        if absent and layout.broken:
            raise layout.broken[0]
        if not present:
            raise DataError(
                f"{layout.home.name!r} has no {word} part of {layout.info.name}.",
                f"Add the folder {part}/ with a folder for each class, or the zip that holds it.",
            )
        if absent:
            raise DataError(
                f"The {word} part in {layout.home.name!r} has no picture of {len(absent)} of "
                f"{len(layout.info.classes)} classes of {layout.info.name} (first: {absent[0]}).",
                f"Add {part}/{absent[0]}/ with its pictures.",
            )


def _named(
    info: DatasetInfo, parts: Iterable[tuple[str, Pixels, NDArray[np.int64]]]
) -> Iterator[tuple[str, Source]]:
    """Yield id and picture (3, 32, 32), numbered within part and class in the files' order."""
    for part, pixels, labels in parts:
        for label, name in enumerate(info.classes):
            for number, row in enumerate(np.flatnonzero(labels == label)):
                yield f"{part}/{name}/{number:04d}", pixels[row]


def _torchvision(layout: Layout) -> Iterator[tuple[str, Pixels, NDArray[np.int64]]]:
    """Yield part, pictures (N, 3, 32, 32) and labels (N,) from torchvision's download folder.

    torchvision unpickles nothing before the MD5 of every file is that of the distribution.
    """
    from torchvision import datasets

    reader = datasets.CIFAR10 if layout.info is CIFAR10 else datasets.CIFAR100
    for part in ("train", "test"):
        try:
            data = reader(layout.home.parent, train=part == "train", download=False)
        except (RuntimeError, OSError) as error:
            raise DataError(
                f"{layout.home.name!r} is not the distribution's: a file is missing, or its MD5 "
                "is another.",
                "Download it again. Files with other sums are never unpickled: they could run "
                "programs.",
            ) from error
        yield part, data.data.transpose(0, 3, 1, 2), np.asarray(data.targets, np.int64)


def _binary(layout: Layout) -> Iterator[tuple[str, Pixels, NDArray[np.int64]]]:
    """Yield part, pictures (N, 3, 32, 32) and labels (N,) from the binary files."""
    training, test, bytes_of_labels = _RECORDS[layout.info.key]
    for part, names in (("train", training), ("test", test)):
        records = np.concatenate(
            [_read_records(layout.home / name, bytes_of_labels) for name in names]
        )
        labels = records[:, bytes_of_labels - 1].astype(np.int64)  # the fine label stands last
        if labels.max() >= len(layout.info.classes):
            raise DataError(
                f"The {part} files in {layout.home.name!r} have a label {labels.max()}; "
                f"{layout.info.name} has {len(layout.info.classes)} classes.",
                _AGAIN,
            )
        yield part, records[:, bytes_of_labels:].reshape(-1, 3, SIDE, SIDE), labels


def _read_records(path: Path, bytes_of_labels: int) -> NDArray[np.uint8]:
    """Return the records (N, labels + 3072) of a file."""
    size = bytes_of_labels + 3 * SIDE * SIDE
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DataError(
            f"{path.name} is missing in {path.parent.name!r} or can't be read.", _AGAIN
        ) from error
    if not len(content) or len(content) % size:
        raise DataError(
            f"{path.name} is not whole: {len(content):,} bytes are no multiple of a record's "
            f"{size:,}.",
            _AGAIN,
        )
    return content.reshape(-1, size)
