"""What a folder holds is found out; what is not wanted is refused with the way out."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from kdcore.base import DataError
from kdcore.data import (
    CIFAR10,
    DATASETS,
    HAM10000,
    IMAGEFOLDER,
    KINDS,
    SPLITS,
    Ham10000,
    ImageDataset,
    info_of_classes,
    official_split,
    open_dataset,
)
from tests.data.cifar_makers import TEST, TRAIN, make_cifar


@pytest.fixture(scope="module")
def cifar_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cifar(tmp_path_factory.mktemp("cifar"), "zips")


@pytest.fixture
def both(make_ham: Callable[..., Path], tmp_path: Path) -> Path:
    """A folder with HAM10000 in one folder and CIFAR-10 in another."""
    (tmp_path / "ham").mkdir()
    make_ham(tmp_path / "ham")
    make_cifar(tmp_path / "cifar", "binary")
    return tmp_path


def test_each_is_found_out(ham_folder: Path, ham_dataverse: Path, cifar_folder: Path) -> None:
    for folder, info in (
        (ham_folder, HAM10000),
        (ham_dataverse, HAM10000),
        (cifar_folder, CIFAR10),
    ):
        for kind in ("", info.key):
            data: ImageDataset = open_dataset(folder, kind)
            assert data.info is info
            assert data.missing == 0
            assert len(data.parts()) == len(data.samples)
            width, height = data.picture(data.samples[0].image_id).rgb.size
            assert width / height == pytest.approx(info.aspect)


def test_two_in_one_folder_need_a_name(both: Path) -> None:
    with pytest.raises(DataError, match="holds CIFAR-10 and HAM10000") as raised:
        open_dataset(both)
    assert "one of them" in raised.value.hint
    assert open_dataset(both, "ham10000").info is HAM10000
    assert open_dataset(both, "cifar10").info is CIFAR10


def test_another_one_than_wanted(ham_folder: Path, cifar_folder: Path) -> None:
    with pytest.raises(DataError, match="holds HAM10000, not CIFAR-10") as raised:
        open_dataset(ham_folder, "cifar10")
    assert "Name the folder of CIFAR-10" in raised.value.hint
    with pytest.raises(DataError, match="holds CIFAR-10, not CIFAR-100"):
        open_dataset(cifar_folder, "cifar100")
    with pytest.raises(DataError, match="holds CIFAR-10, not HAM10000"):
        open_dataset(cifar_folder, "ham10000")


def test_nothing_to_open(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No data set was found") as raised:
        open_dataset(tmp_path)
    assert "HAM10000_metadata" in raised.value.hint
    with pytest.raises(DataError, match="CIFAR-100 was not found"):
        open_dataset(tmp_path, "cifar100")
    with pytest.raises(DataError, match="does not exist"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no data set 'imagenet'"):
        open_dataset(tmp_path, "imagenet")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match="notes.txt"):
        open_dataset(tmp_path / "notes.txt")


def test_the_table_itself_is_not_the_folder(ham_folder: Path) -> None:
    with pytest.raises(DataError, match="'HAM10000_metadata.csv' is a file") as raised:
        open_dataset(ham_folder / "HAM10000_metadata.csv")
    assert raised.value.hint == "Name the folder that holds it."


def test_a_zip_of_everything_is_a_data_set(ham_folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "ham.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(p for p in ham_folder.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(ham_folder.parent))
    (tmp_path / "ISIC_0000000.jpg").write_bytes(b"not of this zip")
    data = open_dataset(target)
    assert data.samples == Ham10000.open(ham_folder).samples
    assert data.root == target
    assert data.picture("ISIC_0000000").rgb.size == (60, 45)


def test_a_broken_zip_is_told_where_nothing_else_is(tmp_path: Path) -> None:
    (tmp_path / "images.zip").write_bytes(b"PK no zip")
    with pytest.raises(DataError, match="images.zip is not a whole zip"):
        open_dataset(tmp_path)


def test_a_split_of_another_data_set(ham_folder: Path, cifar_folder: Path) -> None:
    ham, cifar = open_dataset(ham_folder), open_dataset(cifar_folder)
    with pytest.raises(DataError, match="HAM10000 has no split 'official'") as raised:
        ham.parts("official")
    assert "lesion-grouped" in raised.value.hint
    with pytest.raises(DataError, match="CIFAR-10 has no split 'lesion-grouped'"):
        cifar.parts("lesion-grouped")
    with pytest.raises(DataError, match="no split 'oficial'"):
        cifar.parts("oficial")
    assert (ham.parts() == ham.parts("lesion-grouped")).all()
    assert (ham.parts("image-level (leaky)", 1) != ham.parts()).any()


def test_every_split_of_the_tables_is_registered() -> None:
    named = {
        name for info in (*DATASETS.values(), info_of_classes(("a", "b"))) for name in info.splits
    }
    assert named == set(SPLITS.names())


def test_the_official_split_keeps_the_test_part(cifar_folder: Path) -> None:
    data = open_dataset(cifar_folder)
    parts = data.parts()
    sizes = {"train": TRAIN * 9 // 10, "val": TRAIN // 10, "test": TEST}
    for dx in data.info.classes:
        found = Counter(str(p) for s, p in zip(data.samples, parts) if s.dx == dx)
        assert found == sizes
    for sample, part in zip(data.samples, parts):
        assert (part == "test") == sample.image_id.startswith("test/")
    assert (data.parts(seed=1) != parts).any()
    assert (data.parts(seed=0) == parts).all()


GOLDEN = ["train/cat/0001", "train/cat/0002"]  # the lowest SHA-256 of "0:" and the id


def test_the_official_split_is_pinned_and_does_not_follow_the_order() -> None:
    ids = [f"train/cat/{i:04d}" for i in range(20)] + ["test/cat/0000"]
    parts = official_split([3] * 21, ids, ids).tolist()
    # A golden value: another machine, Python or NumPy must give the same pictures.
    assert [i for i, p in zip(ids, parts) if p == "val"] == GOLDEN
    assert official_split([3] * 21, ids[::-1], ids[::-1]).tolist() == parts[::-1]


def test_the_official_split_needs_ids_that_tell_their_part() -> None:
    for ids in (["ISIC_1", "ISIC_2"], None):
        with pytest.raises(DataError, match="test part of their own"):
            official_split([0, 1], ["a", "b"], ids)


def test_the_data_set_of_a_network() -> None:
    shared = ("organcmnist", "organsmnist")  # their classes are OrganAMNIST's
    for key, info in DATASETS.items():
        assert info_of_classes(info.classes).key == ("organamnist" if key in shared else key)
    for classes in (("mel", "nv"), HAM10000.classes[::-1]):
        info = info_of_classes(classes)
        assert (info.key, info.classes) == (IMAGEFOLDER, classes)
        assert info.long_names == classes and "Nothing says" in info.caution


def test_the_tables_are_whole() -> None:
    assert tuple(DATASETS) == KINDS[:-1] and KINDS[-1] == IMAGEFOLDER
    for key, info in DATASETS.items():
        assert info.key == key and info.licence and info.source
        assert len(info.classes) == len(set(info.classes)) == len(info.long_names) >= 2
        assert all(0 < x < 1 for x in (*info.mean, *info.std))


def test_official_parts_are_kept_as_they_are() -> None:
    ids = [f"{part}/{i}" for part in ("train", "val", "test") for i in range(5)]
    assert official_split([0] * 15, ids, ids).tolist() == [i.partition("/")[0] for i in ids]
