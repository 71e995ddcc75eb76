"""MedMNIST's files are read as NumPy reads them; others are refused by name, before memory goes."""

from __future__ import annotations

import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kdcore.base import DataError
from kdcore.data import DATASETS, MedMnist, open_dataset
from kdcore.data.medmnist_table import MEDMNIST_ROWS, REFUSED
from tests.data.folder_makers import make_medmnist, medmnist_arrays

PATH, BREAST = DATASETS["pathmnist"], DATASETS["breastmnist"]


@pytest.mark.parametrize(
    ("name", "info", "side", "grey"),
    [
        ("pathmnist.npz", PATH, 28, False),
        ("pathmnist_64.npz", PATH, 64, False),
        ("breastmnist_224.npz", BREAST, 224, True),
    ],
)
def test_pictures_and_labels_are_the_arrays(
    tmp_path: Path, name: str, info: object, side: int, grey: bool
) -> None:
    path = make_medmnist(tmp_path / name, DATASETS[info.key], side, grey)
    data = open_dataset(path)
    assert data.info is info and data.root == path
    arrays = np.load(path)
    counts = {part: len(arrays[f"{part}_labels"]) for part in ("train", "val", "test")}
    assert Counter(data.parts().tolist()) == counts  # its own parts, validation too
    for sample in data.samples:
        part, _, row = sample.image_id.partition("/")
        assert sample.label == arrays[f"{part}_labels"][int(row), 0]
        assert sample.dx == info.classes[sample.label]
        rgb = np.asarray(data.picture(sample.image_id).rgb)
        wanted = arrays[f"{part}_images"][int(row)]
        assert rgb.shape == (side, side, 3)
        assert (rgb == (wanted[..., None] if grey else wanted)).all()
    # The same from the folder that holds the file, and by its name there.
    assert open_dataset(tmp_path).samples == open_dataset(tmp_path, info.key).samples


def test_stored_without_compression_and_flat_labels(tmp_path: Path) -> None:
    arrays = medmnist_arrays(PATH)
    flat = {k: v[:, 0].astype(np.int64) if "labels" in k else v for k, v in arrays.items()}
    np.savez(tmp_path / "pathmnist_corrected.npz", **flat)
    data = open_dataset(tmp_path)
    pixels = np.asarray(data.picture("val/00003").rgb)
    assert (pixels == arrays["val_images"][3]).all()


def test_threads_share_what_is_unpacked(tmp_path: Path) -> None:
    data = open_dataset(make_medmnist(tmp_path / "pathmnist.npz", PATH))
    ids = [s.image_id for s in data.samples] * 3
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: data.picture(i).sha256, ids))
    assert found == [data.picture(i).sha256 for i in ids]


def test_two_files_need_a_name(tmp_path: Path) -> None:
    make_medmnist(tmp_path / "pathmnist.npz", PATH)
    make_medmnist(tmp_path / "breastmnist.npz", BREAST, grey=True)
    with pytest.raises(DataError, match="holds BreastMNIST and PathMNIST"):
        open_dataset(tmp_path)
    assert open_dataset(tmp_path, classes=BREAST.classes).info is BREAST
    make_medmnist(tmp_path / "pathmnist_64.npz", PATH)
    with pytest.raises(DataError, match="Name the folder or file"):
        open_dataset(tmp_path, "pathmnist")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chestmnist.npz", "several labels at once"),
        ("retinamnist_128.npz", "grades in an order"),
        ("organmnist3d.npz", "volumes instead of pictures"),
        ("mine.npz", "named like none of MedMNIST's files"),
    ],
)
def test_what_can_not_be_used(tmp_path: Path, name: str, expected: str) -> None:
    make_medmnist(tmp_path / name, PATH)
    with pytest.raises(DataError, match=f"{name} .*{expected}"):
        open_dataset(tmp_path / name)
    make_medmnist(tmp_path / "breastmnist.npz", BREAST, grey=True)
    assert open_dataset(tmp_path).info is BREAST  # the other one in the folder does no harm


def test_a_refused_file_alone_in_a_folder_is_told(tmp_path: Path) -> None:
    make_medmnist(tmp_path / "chestmnist.npz", PATH)
    with pytest.raises(DataError, match="chestmnist.npz can't be used"):
        open_dataset(tmp_path)


def test_another_one_than_wanted(tmp_path: Path) -> None:
    path = make_medmnist(tmp_path / "pathmnist.npz", PATH)
    with pytest.raises(DataError, match="holds PathMNIST, not BloodMNIST"):
        open_dataset(path, "bloodmnist")


SPOILT = {
    "volumes": ({"train_images": np.zeros((54, 28, 28, 28), np.uint8)}, "train_images .* shape"),
    "not square": ({"val_images": np.zeros((27, 28, 20, 3), np.uint8)}, "val_images .* 28, 20, 3"),
    "tiny": ({"val_images": np.zeros((27, 8, 8, 3), np.uint8)}, "16 to 1024 pixels"),
    "floats": ({"test_images": np.zeros((27, 28, 28, 3))}, "test_images .* float64"),
    "several labels": ({"train_labels": np.zeros((54, 14), np.uint8)}, "train_labels .*54, 14"),
    "fewer labels": ({"train_labels": np.zeros((53, 1), np.uint8)}, "train_labels .*53, 1"),
    "a label too high": ({"val_labels": np.full((27, 1), 9, np.uint8)}, "label 9; PathMNIST has 9"),
    "a label below 0": ({"val_labels": np.full((27, 1), -1, np.int8)}, "has a label -1"),
    "objects": ({"val_labels": np.array([[None]] * 27)}, "not a whole MedMNIST file"),
    "nothing": (
        {"val_images": np.zeros((0, 28, 28, 3), np.uint8), "val_labels": np.zeros((0, 1), int)},
        "one picture or more",
    ),
}


@pytest.mark.parametrize("how", SPOILT)
def test_arrays_of_another_kind(tmp_path: Path, how: str) -> None:
    changed, expected = SPOILT[how]
    path = tmp_path / "pathmnist.npz"
    np.savez(path, **medmnist_arrays(PATH) | changed)
    with pytest.raises(DataError, match=f"pathmnist.npz.*{expected}|{expected}") as raised:
        open_dataset(path)
    assert "pathmnist.npz" in str(raised.value) and raised.value.hint


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_truncated_files(tmp_path: Path, keep: float) -> None:
    path = make_medmnist(tmp_path / "pathmnist.npz", PATH)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep >= 1 else keep * len(data))])
    with pytest.raises(DataError, match="pathmnist.npz is not a whole MedMNIST file"):
        open_dataset(path)


def test_an_array_is_missing(tmp_path: Path) -> None:
    arrays = medmnist_arrays(PATH)
    del arrays["val_images"]
    np.savez(tmp_path / "pathmnist.npz", **arrays)
    with pytest.raises(DataError, match="val_images.npy"):
        open_dataset(tmp_path)


def test_damaged_pictures_are_told_when_they_are_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "pathmnist.npz"
    np.savez(path, **medmnist_arrays(PATH))
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("val_images.npy").header_offset
    content = bytearray(path.read_bytes())
    content[start + 2000] ^= 0xFF  # a checksum tells
    path.write_bytes(content)
    data = MedMnist.open(path)
    data.picture("train/00000")
    with pytest.raises(DataError, match="pathmnist.npz is not a whole MedMNIST file: .*CRC"):
        data.picture("val/00000")


def test_unknown_ids(tmp_path: Path) -> None:
    data = open_dataset(make_medmnist(tmp_path / "pathmnist.npz", PATH))
    for stranger in ("train/99999", "dev/00000", "train/-1", "train/²", "00000", ""):
        with pytest.raises(DataError, match="There is no image"):
            data.picture(stranger)


def test_the_table() -> None:
    assert not set(MEDMNIST_ROWS) & set(REFUSED)
    # Classes of each, as the paper's table 3 counts them.
    counts = {"pathmnist": 9, "dermamnist": 7, "octmnist": 4, "pneumoniamnist": 2}
    counts |= {"breastmnist": 2, "bloodmnist": 8, "tissuemnist": 8}
    counts |= {f"organ{axis}mnist": 11 for axis in "acs"}
    assert {key: len(row[3]) for key, row in MEDMNIST_ROWS.items()} == counts
    assert DATASETS["dermamnist"].licence == "CC BY-NC 4.0" and DATASETS["dermamnist"].caution
