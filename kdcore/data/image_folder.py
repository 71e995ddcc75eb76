"""Pictures in class folders, listed by name and read one at a time when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError
from kdcore.data.folder_layouts import FolderLayout
from kdcore.data.images import LoadedImage, read_image
from kdcore.data.info import DatasetInfo
from kdcore.data.sample import Sample
from kdcore.data.splits import split_dataset
from kdcore.data.tree import Tree, check_names


@dataclass(frozen=True)
class ImageFolder:
    """The samples in class folders and where their files are; use `ImageFolder.read`.

    An `image_id` is "train/cat/001.jpg", or "cat/001.jpg" where there are no parts; each picture
    is a group of its own.
    """

    info: DatasetInfo
    root: Path
    samples: tuple[Sample, ...]
    _tree: Tree = field(repr=False)
    _paths: dict[str, str] = field(repr=False)  # in the tree, by image id
    missing: int = 0

    @staticmethod
    def read(layout: FolderLayout) -> ImageFolder:
        """List the pictures of what was found; none is opened.

        Raises
        ------
        DataError
            If a class has no picture in a part, or the name of one is no text.
        """
        info, tree = layout.info, layout.tree
        samples: list[Sample] = []
        paths: dict[str, str] = {}
        for part, folders in layout.places.items():
            for label, name in enumerate(info.classes):
                above = f"{part}/{name}" if part else name
                found = {
                    f"{above}/{p}": f"{folders[name]}/{p}" for p in tree.pictures(folders[name])
                }
                if not found:
                    raise DataError(
                        f"The class folder {folders[name]!r} in {tree.root.name!r} has no picture.",
                        "Add its pictures, or remove it.",
                    )
                check_names(tree.root, found)
                samples += [Sample(i, i, name, label) for i in sorted(found)]
                paths |= found
        return ImageFolder(info, tree.root, tuple(samples), tree, paths)

    def parts(self, split: str = "", seed: int = 0) -> NDArray[np.str_]:
        """Return the part of each sample, (N,), as `split_dataset` does."""
        return split_dataset(self.info, self.samples, split, seed)

    def picture(self, image_id: str) -> LoadedImage:
        """Return an image decoded; DataError and ImageError name it."""
        if image_id not in self._paths:
            raise DataError(
                f"There is no image {image_id!r} in this data set.",
                f"Its ids look like {self.samples[0].image_id}.",
            )
        name = f"Image {image_id}"
        return read_image(self._tree.entry(self._paths[image_id]).read(name), name=name)
