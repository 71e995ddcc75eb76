"""Class folders in every layout are found, listed without being read, and refused in words."""

from __future__ import annotations

import errno
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import ImageFolder as Torchvision

from kdcore.base import DataError, ImageError
from kdcore.data import COVID_QU_EX, IMAGEFOLDER, LC25000, LC25000_LUNG, open_dataset
from kdcore.data.info import BY_IMAGE
from kdcore.data.leaks import check_leaks
from tests.data.cifar_makers import make_cifar
from tests.data.folder_makers import (
    fill,
    make_classes,
    make_covid,
    make_lc25000,
    make_parts,
    noise,
    zipped,
)


def test_class_folders_are_torchvisions(tmp_path: Path) -> None:
    make_classes(tmp_path, ("zebra", "ape", "cow"), 5)
    fill(tmp_path / "ape/more/still", 1, 3)
    (tmp_path / "ape/notes.txt").write_text("not a picture")
    (tmp_path / "README.md").write_text("what this is")
    theirs = Torchvision(str(tmp_path))
    fill(tmp_path / ".thumbnails", 1, 2)
    data = open_dataset(tmp_path)
    assert data.info.key == IMAGEFOLDER and data.info.name == tmp_path.name
    assert data.info.classes == tuple(theirs.classes)
    wanted = {Path(p).relative_to(tmp_path).as_posix(): theirs.classes[k] for p, k in theirs.imgs}
    assert {s.image_id: s.dx for s in data.samples} == wanted
    for sample in data.samples:
        pixels = np.asarray(data.picture(sample.image_id).rgb)
        assert (pixels == np.asarray(theirs.loader(str(tmp_path / sample.image_id)))).all()
        assert data.info.classes[sample.label] == sample.dx
        assert sample.lesion_id == sample.image_id


def test_without_parts_pictures_are_split_one_by_one_and_it_is_said(tmp_path: Path) -> None:
    data = open_dataset(make_classes(tmp_path, count=40))
    assert data.info.splits == (BY_IMAGE,) and "Nothing says" in data.info.caution
    parts = data.parts()
    shares = Counter(zip((s.dx for s in data.samples), parts.tolist(), strict=True))
    assert [shares["dog", part] for part in ("train", "val", "test")] == [28, 6, 6]
    assert (parts == data.parts(BY_IMAGE, 0)).all() and (parts != data.parts("", 1)).any()
    with pytest.raises(DataError, match="has no split 'lesion-grouped'"):
        data.parts("lesion-grouped")


@pytest.mark.parametrize(
    ("named", "given"),
    [
        ({"train": 20, "val": 3, "test": 4}, {"train": 20, "val": 3, "test": 4}),
        ({"Training": 20, "validation": 3, "TEST": 4}, {"train": 20, "val": 3, "test": 4}),
        ({"train": 20, "test": 4}, {"train": 18, "val": 2, "test": 4}),  # a tenth of train
        ({"train": 20, "val": 3}, {"train": 18, "val": 2, "test": 3}),  # the part held out is test
        ({"train": 20}, {"train": 14, "val": 3, "test": 3}),  # no part at all
    ],
)
def test_parts(tmp_path: Path, named: dict[str, int], given: dict[str, int]) -> None:
    data = open_dataset(make_parts(tmp_path, named))
    shares = Counter(data.parts().tolist())
    assert shares == {part: 2 * count for part, count in given.items()}
    assert data.info.splits == (("official",) if len(named) > 1 else (BY_IMAGE,))
    first = "train/cat/000.png" if len(named) > 1 else "cat/000.png"
    assert data.samples[0].image_id == first
    assert data.picture(first).rgb.size == (40, 30)


def test_a_zip_a_folder_above_and_a_zip_alone_in_a_folder(tmp_path: Path) -> None:
    make_parts(tmp_path / "a/pets", {"train": 4, "test": 2})
    plain = open_dataset(tmp_path / "a/pets")
    (tmp_path / "b").mkdir()
    archive = zipped(tmp_path / "a", tmp_path / "b/pets.zip")
    for root in (tmp_path / "a", archive, archive.parent):
        data = open_dataset(root)
        assert data.samples == plain.samples and data.info.name == "pets"
        for sample in data.samples[::5]:
            one, two = data.picture(sample.image_id), plain.picture(sample.image_id)
            assert one.sha256 == two.sha256


@pytest.mark.parametrize("packed", [False, True])
def test_covid_qu_ex(tmp_path: Path, packed: bool) -> None:
    make_covid(tmp_path / "c", "Infection Segmentation Data", 2)
    root = make_covid(tmp_path / "c")
    data = open_dataset(zipped(root, tmp_path / "archive.zip") if packed else root)
    assert data.info is COVID_QU_EX
    assert len(data.samples) == 27  # of the lung set, the larger one, and no mask
    assert Counter(data.parts().tolist()) == {"train": 9, "val": 9, "test": 9}
    assert data.samples[0].image_id == "train/COVID-19/000.png"
    assert (np.asarray(data.picture("val/Normal/001.png").rgb) == np.asarray(noise(2, 1))).all()
    if not packed:
        inside = open_dataset(root / "Infection Segmentation Data")
        assert inside.info is COVID_QU_EX and len(inside.samples) == 18


def test_lc25000_both_organs_or_the_lung(tmp_path: Path) -> None:
    root = make_lc25000(tmp_path)
    both, lung = open_dataset(root), open_dataset(root, "lc25000-lung")
    assert both.info is LC25000 and len(both.samples) == 30
    assert lung.info is LC25000_LUNG and {s.dx for s in lung.samples} == set(LC25000_LUNG.classes)
    assert open_dataset(root, classes=LC25000_LUNG.classes).info is LC25000_LUNG
    assert open_dataset(root, classes=LC25000.classes).info is LC25000
    alone = open_dataset(root / "lung_colon_image_set/lung_image_sets")
    assert alone.info is LC25000_LUNG and alone.samples == lung.samples
    for data in (both, lung):
        assert data.info.splits == ("image-level (leaky)",)
        assert "1,250 original" in data.info.caution
    shutil.rmtree(root / "lung_colon_image_set/colon_image_sets")
    assert open_dataset(root).info is LC25000_LUNG


def test_cats_and_dogs_are_not_half_of_cifar(tmp_path: Path) -> None:
    data = open_dataset(make_parts(tmp_path / "pets", {"train": 3, "test": 2}))
    assert (data.info.key, data.info.classes) == (IMAGEFOLDER, ("cat", "dog"))
    cifar = make_cifar(tmp_path / "cifar", "folders")
    assert open_dataset(cifar).info.key == "cifar10"
    assert open_dataset(cifar, IMAGEFOLDER).info.key == IMAGEFOLDER


def test_only_the_classes_of_a_network_will_do(tmp_path: Path) -> None:
    make_classes(tmp_path)
    assert open_dataset(tmp_path, classes=("cat", "dog")).info.classes == ("cat", "dog")
    with pytest.raises(DataError, match=r"on the classes dog, cat; .* holds .* \(cat, dog\)"):
        open_dataset(tmp_path, classes=("dog", "cat"))
    with pytest.raises(DataError, match="not HAM10000"):
        open_dataset(tmp_path, "ham10000")


Spoil = Callable[[Path], object]
BAD: dict[str, tuple[Spoil, str]] = {
    "no class folders": (
        lambda r: (fill(r, 0, 3), shutil.rmtree(r / "cat"), shutil.rmtree(r / "dog")),
        "has pictures, but no class folders",
    ),
    "one class": (lambda r: shutil.rmtree(r / "dog"), "one class folder only, 'cat'"),
    "an empty class": (
        lambda r: [p.unlink() for p in (r / "dog").iterdir()],
        "The class folder 'dog' in .* has no picture",
    ),
    "names that differ in case": (lambda r: fill(r / "Cat", 1, 2), "'Cat' and 'cat' in .* case"),
    "case across parts": (
        lambda r: (make_parts(r, {"train": 2}), make_parts(r, {"test": 2}, ("Cat", "dog"))),
        "'Cat' and 'cat' in .* differ in case only",
    ),
    "a part without a class": (
        lambda r: (make_parts(r, {"train": 2}), make_parts(r, {"test": 2}, ("cat",))),
        "The test part in .* has no folder of the class 'dog'",
    ),
    "a link in a circle": (
        lambda r: (r / "dog/again").symlink_to(r / "dog", target_is_directory=True),
        "have no end",
    ),
}


@pytest.mark.parametrize("how", BAD)
def test_bad_folders(tmp_path: Path, how: str) -> None:
    spoil, expected = BAD[how]
    spoil(make_classes(tmp_path, count=2))
    with pytest.raises(DataError, match=expected) as raised:
        open_dataset(tmp_path)
    assert raised.value.hint


def test_broken_pictures_are_named_when_they_are_read(tmp_path: Path) -> None:
    make_classes(tmp_path, count=3)
    whole = (tmp_path / "cat/001.png").read_bytes()
    (tmp_path / "cat/001.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "dog/002.png").write_bytes(b"no picture")
    data = open_dataset(tmp_path)  # listing reads none of them
    with pytest.raises(ImageError, match="Image cat/001.png is incomplete or damaged"):
        data.picture("cat/001.png")
    with pytest.raises(ImageError, match="Image dog/002.png is not a picture"):
        data.picture("dog/002.png")
    (tmp_path / "dog/000.png").unlink()
    with pytest.raises(DataError, match="Image dog/000.png can't be read"):
        data.picture("dog/000.png")
    for stranger in ("dog/9.png", "../secret.png", "", "dog"):
        with pytest.raises(DataError, match="There is no image"):
            data.picture(stranger)


def test_a_broken_zip_is_named(tmp_path: Path) -> None:
    archive = zipped(make_classes(tmp_path / "pets"), tmp_path / "pets.zip")
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(DataError, match="pets.zip is not a whole zip|'pets.zip' is a file"):
        open_dataset(archive)


def test_the_folders_of_ham10000_without_its_table_are_no_classes(tmp_path: Path) -> None:
    make_classes(tmp_path, ("HAM10000_images_part_1", "HAM10000_images_part_2"))
    with pytest.raises(DataError, match="No data set was found") as raised:
        open_dataset(tmp_path)
    assert "HAM10000_metadata.csv" in raised.value.hint


def test_no_picture_is_opened_by_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_parts(tmp_path, {"train": 4, "test": 2})

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a picture was read")

    monkeypatch.setattr("kdcore.data.files.Entry.read", refuse)
    monkeypatch.setattr("kdcore.data.image_folder.read_image", refuse)
    assert len(open_dataset(tmp_path).parts()) == 12


def test_copies_in_two_parts_are_found(tmp_path: Path) -> None:
    make_parts(tmp_path, {"train": 4, "test": 3})
    shutil.copy(tmp_path / "train/cat/000.png", tmp_path / "test/cat/000.png")
    noise(0, 99).save(tmp_path / "test/cat/002.png")
    for label, name in enumerate(("cat", "dog")):
        for number in (0, 1, 2):
            if (label, number) != (0, 0):
                noise(label, 50 + number).save(tmp_path / "test" / name / f"{number:03d}.png")
    data = open_dataset(tmp_path)
    pairs = check_leaks(data, data.parts().tolist()).pairs
    assert [(p.first.image_id, p.second.image_id) for p in pairs] == [
        ("train/cat/000.png", "test/cat/000.png")
    ]


@pytest.mark.parametrize("named", [("train", "Train"), ("train", "val", "valid")])
@pytest.mark.parametrize("packed", [False, True])
def test_two_folders_of_the_same_part_are_refused(
    tmp_path: Path, named: tuple[str, ...], packed: bool
) -> None:
    folder = make_parts(tmp_path / "pictures", dict.fromkeys(named, 2))
    twins = sorted(named)[-2:] if len(named) > 2 else sorted(named)
    root = zipped(folder, tmp_path / "pictures.zip") if packed else folder
    with pytest.raises(DataError, match=f"'{twins[0]}' and '{twins[1]}' in .* are both the"):
        open_dataset(root)


def test_what_lacks_a_class_is_called_by_its_folder(tmp_path: Path) -> None:
    make_parts(tmp_path, {"train": 4, "valid": 2})
    shutil.rmtree(tmp_path / "valid/dog")
    with pytest.raises(DataError, match="Add valid/dog/"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("name", [b"dog/\xff\xfe.png", b"\xffa/1.png"])
def test_a_name_that_is_no_text_is_refused(tmp_path: Path, name: bytes) -> None:
    make_classes(tmp_path, count=2)
    path = tmp_path / os.fsdecode(name)
    path.parent.mkdir(exist_ok=True)
    noise(1, 1).save(path)
    with pytest.raises(DataError, match=r"udcff.* is not UTF-8"):
        open_dataset(tmp_path)


def test_a_folder_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_classes(tmp_path / "pictures", count=2)
    closed, scandir = tmp_path / "pictures/dog", os.scandir

    def refuse(path: str | Path) -> object:  # as the system does to those who are not root
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    for root in (closed.parent, closed):
        with pytest.raises(DataError, match=r"/dog' can't be read: Permission denied"):
            open_dataset(root)


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    make_classes(tmp_path, count=2)
    os.mkfifo(tmp_path / "dog/endless.jpg")
    data = open_dataset(tmp_path)
    with pytest.raises(DataError, match="it is no file"):
        data.picture("dog/endless.jpg")
    with pytest.raises(DataError, match="neither a file nor a folder"):
        open_dataset("/dev/zero")
