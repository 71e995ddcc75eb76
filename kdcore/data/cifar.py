"""CIFAR-10 and CIFAR-100 from torchvision's folder, the binary files or pictures in folders.

Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images". Every layout gives
the same samples: `image_id` is "train/airplane/0001", numbered within the class as in the
distribution, and each picture is a group of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kdcore.base import DataError, ImageError, sha256_bytes
from kdcore.data.cifar_layouts import SIDE, Layout, Source, find_cifar, read_layout
from kdcore.data.files import Entry
from kdcore.data.images import LoadedImage, read_image
from kdcore.data.info import CIFAR10, DatasetInfo
from kdcore.data.sample import Sample
from kdcore.data.splits import split_dataset


@dataclass(frozen=True)
class Cifar:
    """The samples of CIFAR-10 or CIFAR-100 and where their pictures are; use `Cifar.open`."""

    info: DatasetInfo
    root: Path
    samples: tuple[Sample, ...]
    _sources: dict[str, Source] = field(repr=False)
    missing: int = 0

    @staticmethod
    def open(root: Path | str, info: DatasetInfo = CIFAR10) -> Cifar:
        """Find the data set in a folder, a folder directly in it, or zips there.

        Parameters
        ----------
        root : path
            The folder with torchvision's (`cifar-10-batches-py`), with the binary files
            (`cifar-10-batches-bin`), or with `train/<class>/` and `test/<class>/`, these also in
            one zip or one each; or one of those itself, or the folder above.
        info : DatasetInfo
            `CIFAR10` or `CIFAR100`.

        Raises
        ------
        DataError
            If it is not there, or a file, a part or a class of it is missing or damaged.
        """
        found, broken = find_cifar(Path(root))
        for layout in found:
            if layout.info is info:
                return Cifar.read(layout)
        if broken:
            raise broken[0]
        raise DataError(
            f"{info.name} was not found in {Path(root).name!r}.",
            "Name the folder that holds torchvision's, the binary files, or train/ and test/ with "
            "a folder for each class.",
        )

    @staticmethod
    def read(layout: Layout) -> Cifar:
        """Read what `find_cifar` has found; raises DataError as `Cifar.open` does."""
        samples, sources = read_layout(layout)
        return Cifar(layout.info, layout.home, samples, sources)

    def parts(self, split: str = "", seed: int = 0) -> NDArray[np.str_]:
        """Return the part of each sample, (N,), as `split_dataset` does."""
        return split_dataset(self.info, self.samples, split, seed)

    def picture(self, image_id: str) -> LoadedImage:
        """Return an image decoded; DataError and ImageError name it.

        Raises
        ------
        DataError
            If the id is unknown or its file can't be read.
        ImageError
            If it can't be decoded, or is not 32 × 32 pixels.
        """
        source = self._sources.get(image_id)
        if source is None:
            raise DataError(
                f"There is no image {image_id!r} in this data set.",
                "Its ids look like train/airplane/0001.",
            )
        if not isinstance(source, Entry):
            rgb = np.ascontiguousarray(source.transpose(1, 2, 0))  # (32, 32, 3)
            return LoadedImage(Image.fromarray(rgb), sha256_bytes(rgb.tobytes()), ())
        name = f"Image {image_id}"
        loaded = read_image(source.read(name), name=name)
        if loaded.rgb.size != (SIDE, SIDE):
            width, height = loaded.rgb.size
            raise ImageError(
                f"{name} is {width} × {height} pixels; those of {self.info.name} are 32 × 32.",
                "Use the pictures of the distribution: enlarged or shrunk ones are another task.",
            )
        return loaded

    def pixels(self, samples: Sequence[Sample]) -> NDArray[np.uint8]:
        """Return the pictures of `samples`, (N, 3, 32, 32); raises as `picture` does."""
        out = np.empty((len(samples), 3, SIDE, SIDE), np.uint8)
        for index, sample in enumerate(samples):
            source = self._sources.get(sample.image_id)
            if isinstance(source, np.ndarray):
                out[index] = source
            else:  # 0.1 ms each, most of it under Python's lock: threads do not help
                out[index] = np.asarray(self.picture(sample.image_id).rgb).transpose(2, 0, 1)
        return out
