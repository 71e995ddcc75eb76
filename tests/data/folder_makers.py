"""Tiny folders of pictures in each layout, and files like MedMNIST's, of coloured noise."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kdcore.base import numpy_generator
from kdcore.data import LC25000, DatasetInfo


def noise(label: int, number: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    """Return a picture whose brightness tells its class."""
    rng, level = numpy_generator(label, number), 20 + 40 * label
    return Image.fromarray(rng.integers(level, level + 30, (size[1], size[0], 3), dtype=np.uint8))


def fill(folder: Path, label: int, count: int, suffix: str = "png") -> None:
    """Write `count` pictures of a class."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        noise(label, number).save(folder / f"{number:03d}.{suffix}")


def make_classes(root: Path, names: tuple[str, ...] = ("cat", "dog"), count: int = 20) -> Path:
    """Write class folders without parts."""
    for label, name in enumerate(names):
        fill(root / name, label, count)
    return root


def make_parts(root: Path, parts: dict[str, int], names: tuple[str, ...] = ("cat", "dog")) -> Path:
    """Write class folders in parts, each with as many pictures a class as `parts` says."""
    for part, count in parts.items():
        make_classes(root / part, names, count)
    return root


def make_covid(root: Path, kind: str = "Lung Segmentation Data", count: int = 3) -> Path:
    """Write COVID-QU-Ex's layout, masks beside the pictures."""
    for part in ("Train", "Val", "Test"):
        for label, name in enumerate(("COVID-19", "Non-COVID", "Normal")):
            home = root / kind / kind / part / name
            fill(home / "images", label, count)
            fill(home / "lung masks", 3, count)
            if kind.startswith("Infection"):
                fill(home / "infection masks", 3, count)
    return root


def make_lc25000(root: Path, count: int = 6) -> Path:
    """Write LC25000's layout, as Kaggle's archive has it."""
    for label, name in enumerate(LC25000.classes):
        organ = name.partition("_")[0]
        fill(root / "lung_colon_image_set" / f"{organ}_image_sets" / name, label, count, "jpeg")
    return root


def zipped(folder: Path, target: Path) -> Path:
    """Pack a folder's files into a zip, with the names that they have below it."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(folder).as_posix())
    return target


def medmnist_arrays(
    info: DatasetInfo, side: int = 28, grey: bool = False, count: int = 6
) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of a file: `count` pictures of each class in training, half elsewhere."""
    rng, arrays = numpy_generator(5), {}
    for part, each in (("train", count), ("val", (count + 1) // 2), ("test", (count + 1) // 2)):
        labels = rng.permutation(np.repeat(np.arange(len(info.classes)), each))
        shape = (len(labels), side, side) if grey else (len(labels), side, side, 3)
        level = (labels * 20).reshape(-1, *[1] * (len(shape) - 1))
        arrays[f"{part}_images"] = (rng.integers(0, 20, shape) + level).astype(np.uint8)
        arrays[f"{part}_labels"] = labels.reshape(-1, 1).astype(np.uint8)
    return arrays


def make_medmnist(
    path: Path, info: DatasetInfo, side: int = 28, grey: bool = False, count: int = 6
) -> Path:
    """Write a file as MedMNIST's, compressed."""
    np.savez_compressed(path, **medmnist_arrays(info, side, grey, count))
    return path
