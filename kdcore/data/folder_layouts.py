"""The ways people keep pictures in class folders: plain, in parts, COVID-QU-Ex's, LC25000's.

Sources: torchvision's `ImageFolder` (class folders, pictures at any depth); Tahir et al. 2021
(COVID-QU-Ex: `<part>/<class>/images/` beside masks); Borkowski et al. 2019 (LC25000:
`lung_image_sets/` and `colon_image_sets/`). Deviation from torchvision: an empty class is refused,
and so are two classes whose names differ in case only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kdcore.base import DataError
from kdcore.data.info import BY_IMAGE, COVID_QU_EX, LC25000, LC25000_LUNG, DatasetInfo, folder_info
from kdcore.data.splits import PARTS
from kdcore.data.tree import Tree, check_names, join, open_tree

_PARTS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
_LEVELS = 4  # folders that may lie above the parts or classes, each the only one in its folder
_SEGMENTATION = ("Lung Segmentation Data", "Infection Segmentation Data")  # the larger first
_SETS = ("colon_image_sets", "lung_image_sets")
_TWO = "Name a folder that holds a folder for each of two classes or more."
Places = Mapping[str, Mapping[str, str]]  # folder by part ("" for none) and class


@dataclass(frozen=True)
class FolderLayout:
    """Class folders that were found and not yet listed.

    Attributes
    ----------
    info : which data set
    tree : where they are
    places : the folder of each class, by part ("train", "val", "test"; "" where there are none)
    """

    info: DatasetInfo
    tree: Tree
    places: Places


def find_layouts(root: Path, kind: str = "", classes: tuple[str, ...] = ()) -> list[FolderLayout]:
    """Return COVID-QU-Ex or LC25000 if `root` holds one of them.

    Of LC25000 both organs, or the lung alone where `kind` or `classes` ask for it, or nothing
    else is there. Raises DataError if `root` is a zip that is not whole.
    """
    tree = open_tree(root)
    wanted = kind == LC25000_LUNG.key or classes == LC25000_LUNG.classes
    found = (_covid(tree), _lc25000(tree, wanted))
    return [layout for layout in found if layout is not None]


def find_class_folders(root: Path) -> FolderLayout | None:
    """Return the class folders in `root`, or None if there is no picture.

    Parts are known by their usual names, in any case; a validation part without a test part is
    the test part. Folders above them that hold nothing else are entered.

    Raises
    ------
    DataError
        If there are pictures and not two class folders, names of classes differ in case only or
        are no text, two folders mean the same part, a part lacks a class, or a folder can't be
        read.
    """
    tree = open_tree(root)
    home = _home(tree)
    folders, pictures = tree.names(home)
    parts = _parts(root, folders)
    if not parts or set(parts) == {"train"}:
        above = home if not parts else join(home, parts["train"])
        places = {"": _classes(tree, above)}
    else:
        places = {part: _classes(tree, join(home, name)) for part, name in parts.items()}
    if not any(_has_pictures(tree, f) for part in places.values() for f in part.values()):
        if pictures:
            raise DataError(f"{root.name!r} has pictures, but no class folders.", _TWO)
        return None
    names = _checked_names(root, places, parts)
    if all(name.startswith("HAM10000") for name in names):
        return None  # its pictures without its table: folders of zips, not classes
    splits = (BY_IMAGE,) if "" in places else ("official",)
    above = home.rpartition("/")[2] or tree.root.name.removesuffix(".zip") or "pictures"
    return FolderLayout(folder_info(names, above, splits), tree, places)


def _home(tree: Tree) -> str:
    """Return the folder that holds the parts or classes."""
    here = ""
    for _ in range(_LEVELS):
        folders, pictures = tree.names(here)
        if len(folders) != 1 or pictures or _PARTS.get(folders[0].lower()) == "train":
            return here
        inside = join(here, folders[0])
        if tree.names(inside)[1]:  # a class by itself
            return here
        here = inside
    return here


def _parts(root: Path, folders: list[str]) -> dict[str, str]:
    """Return the folder of each part, "train" first; none unless there is a training part.

    Raises DataError if two folders mean the same part: one of them would be passed over.
    """
    found: dict[str, str] = {}
    if not any(_PARTS.get(name.lower()) == "train" for name in folders):
        return found
    for name in folders:
        part = _PARTS.get(name.lower())
        if part in found:
            raise DataError(
                f"The folders {found[part]!r} and {name!r} in {root.name!r} are both the {part} "
                "part.",
                "Join them, or rename the one that is not meant.",
            )
        if part:
            found[part] = name
    if "test" not in found and "val" in found:
        found["test"] = found.pop("val")
    return {part: found[part] for part in PARTS if part in found}


def _classes(tree: Tree, folder: str) -> dict[str, str]:
    return {name: join(folder, name) for name in tree.names(folder)[0]}


def _has_pictures(tree: Tree, folder: str) -> bool:
    return next(tree.pictures(folder), None) is not None


def _checked_names(root: Path, places: Places, parts: Mapping[str, str]) -> list[str]:
    """Return the names of the classes in order, or raise what `find_class_folders` says."""
    names = sorted({name for part in places.values() for name in part})
    check_names(root, names)
    same = defaultdict(list)
    for name in names:
        same[name.casefold()].append(name)
    for twins in same.values():
        if len(twins) > 1:
            raise DataError(
                f"The classes {twins[0]!r} and {twins[1]!r} in {root.name!r} differ in case only.",
                "Rename one of them, or join them if they are one class.",
            )
    if len(names) < 2:
        raise DataError(f"{root.name!r} has one class folder only, {names[0]!r}.", _TWO)
    for part, folders in places.items():
        absent = [name for name in names if name not in folders]
        if absent:
            raise DataError(
                f"The {part} part in {root.name!r} has no folder of the class {absent[0]!r}.",
                f"Add {parts[part]}/{absent[0]}/ with its pictures, or remove that class from the "
                "other parts.",
            )
    return names


def _covid(tree: Tree) -> FolderLayout | None:
    for home in _candidates(tree, _SEGMENTATION):
        parts = _parts(tree.root, tree.names(home)[0])
        places = {
            part: {name: join(folder, "images") for name, folder in found.items()}
            for part, above in parts.items()
            if set(found := _classes(tree, join(home, above))) == set(COVID_QU_EX.classes)
        }
        if set(places) == {"train", "val", "test"}:
            return FolderLayout(COVID_QU_EX, tree, places)
    return None


def _candidates(tree: Tree, names: tuple[str, ...]) -> Iterator[str]:
    """Yield the folders that may hold COVID-QU-Ex: they are named twice, one in the other."""
    home = _home(tree)
    for name in names:
        yield join(join(home, name), name)
        yield join(home, name)
    yield home


def _lc25000(tree: Tree, lung_only: bool) -> FolderLayout | None:
    home = _home(tree)
    found: dict[str, str] = {}
    for above in (home, *(join(home, name) for name in _SETS)):
        found |= {n: f for n, f in _classes(tree, above).items() if n in LC25000.classes}
    for info in (LC25000_LUNG,) if lung_only else (LC25000, LC25000_LUNG):
        if set(info.classes) <= set(found):
            return FolderLayout(info, tree, {"": {name: found[name] for name in info.classes}})
    return None
