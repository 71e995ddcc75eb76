"""Tiny CIFARs of coloured noise, written in each of the layouts in which people keep it."""

from __future__ import annotations

import hashlib
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from torchvision import datasets

from kdcore.base import numpy_generator
from kdcore.data import CIFAR10, DatasetInfo

TRAIN, TEST = 20, 5  # pictures of a class
LAYOUTS = ("torchvision", "binary", "folders", "zip", "zips", "nested")
_READERS = {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}


def pictures(info: DatasetInfo) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Return pictures (N, 3, 32, 32) and shuffled labels (N,) of "train" and "test"."""
    rng = numpy_generator(11)
    found = {}
    for part, count in (("train", TRAIN), ("test", TEST)):
        labels = rng.permutation(np.repeat(np.arange(len(info.classes)), count))
        found[part] = rng.integers(0, 256, (len(labels), 3, 32, 32), dtype=np.uint8), labels
    return found


def make_cifar(
    root: Path, layout: str, info: DatasetInfo = CIFAR10, patch: pytest.MonkeyPatch | None = None
) -> Path:
    """Write a data set into `root`; torchvision's checksums are patched to what was written."""
    root.mkdir(parents=True, exist_ok=True)
    if layout == "torchvision":
        assert patch is not None
        _write_pickles(root, info, patch)
    elif layout == "binary":
        _write_binary(root, info)
    else:
        _write_pictures(root, info)
        if layout != "folders":
            _pack(root, layout)
    return root


def _write_pickles(root: Path, info: DatasetInfo, patch: pytest.MonkeyPatch) -> None:
    reader = _READERS[info.key]
    folder = root / reader.base_folder
    folder.mkdir()
    fine = "labels" if info is CIFAR10 else "fine_labels"

    def write(name: str, content: object) -> list[str]:
        data = pickle.dumps(content)
        (folder / name).write_bytes(data)
        return [name, hashlib.md5(data).hexdigest()]

    for part, names in (("train", reader.train_list), ("test", reader.test_list)):
        pixels, labels = pictures(info)[part]
        written = [
            write(name, {"data": some.reshape(len(some), -1), fine: few.tolist()})
            for (name, _), some, few in zip(
                names, np.array_split(pixels, len(names)), np.array_split(labels, len(names))
            )
        ]
        patch.setattr(reader, f"{part}_list", written)
    name, md5 = write(reader.meta["filename"], {reader.meta["key"]: list(info.classes)})
    patch.setattr(reader, "meta", reader.meta | {"filename": name, "md5": md5})


def _write_binary(root: Path, info: DatasetInfo) -> None:
    ten = info is CIFAR10
    folder = root / ("cifar-10-batches-bin" if ten else "cifar-100-binary")
    folder.mkdir()
    files = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}
    if not ten:
        files = {"train": ["train.bin"], "test": ["test.bin"]}
    for part, names in files.items():
        pixels, labels = pictures(info)[part]
        heads = [labels] if ten else [labels % 20, labels]  # the coarse label stands first
        records = np.column_stack([*heads, pixels.reshape(len(pixels), -1)]).astype(np.uint8)
        for name, some in zip(names, np.array_split(records, len(names))):
            (folder / name).write_bytes(some.tobytes())


def _write_pictures(root: Path, info: DatasetInfo) -> None:
    for part, (pixels, labels) in pictures(info).items():
        for label, name in enumerate(info.classes):
            folder = root / part / name
            folder.mkdir(parents=True)
            for number, row in enumerate(np.flatnonzero(labels == label)):
                image = Image.fromarray(np.ascontiguousarray(pixels[row].transpose(1, 2, 0)))
                image.save(folder / f"{number:04d}.png")


def _pack(root: Path, layout: str) -> None:
    """Zip the folders: both parts in one, one each, or one with a folder above and a ./ before."""
    for part in ("train", "test"):
        name = "cifar.zip" if layout != "zips" else f"cifar_{part}.zip"
        prefix = "./cifar10/" if layout == "nested" else ""
        with zipfile.ZipFile(root / name, "a") as archive:
            for path in sorted((root / part).rglob("*.png")):
                archive.write(path, prefix + path.relative_to(root).as_posix())
            if layout == "nested":
                archive.writestr(f"__MACOSX/{part}/airplane/0000.png", b"no picture")
        shutil.rmtree(root / part)
