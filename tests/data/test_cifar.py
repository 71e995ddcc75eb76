"""Every layout of CIFAR gives the same samples and pixels; each defect gives one clear sentence."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kdcore.base import DataError, ImageError
from kdcore.data import CIFAR10, CIFAR100, Cifar, DatasetInfo, open_dataset
from tests.data.cifar_makers import LAYOUTS, TEST, TRAIN, make_cifar, pictures


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CIFAR-10 as pictures in folders; read only."""
    return make_cifar(tmp_path_factory.mktemp("cifar"), "folders")


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    return make_cifar(tmp_path, "binary")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_read(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    data = Cifar.open(make_cifar(tmp_path / "here", layout, patch=monkeypatch))
    plain = Cifar.open(folders)
    assert data.samples == plain.samples
    assert len(data.samples) == 10 * (TRAIN + TEST)
    np.testing.assert_array_equal(data.pixels(data.samples), plain.pixels(plain.samples))
    above = Cifar.open(tmp_path)
    assert above.samples == data.samples


@pytest.mark.parametrize("layout", ["torchvision", "binary", "folders"])
def test_cifar_100(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str) -> None:
    data = Cifar.open(make_cifar(tmp_path, layout, CIFAR100, monkeypatch), CIFAR100)
    pixels, labels = pictures(CIFAR100)["test"]
    last = np.flatnonzero(labels == 99)[-1]
    assert data.samples[-1].image_id == f"test/worm/{TEST - 1:04d}"
    assert data.samples[-1].label == 99
    np.testing.assert_array_equal(data.pixels(data.samples[-1:])[0], pixels[last])


def test_a_picture_has_the_pixels_and_a_hash_of_its_own(binary: Path) -> None:
    data = Cifar.open(binary)
    pixels, labels = pictures(CIFAR10)["train"]
    first = pixels[np.flatnonzero(labels == 3)[0]].transpose(1, 2, 0)
    loaded = data.picture("train/cat/0000")
    np.testing.assert_array_equal(np.asarray(loaded.rgb), first)
    assert loaded.sha256 != data.picture("train/cat/0001").sha256
    assert Counter(s.dx for s in data.samples) == dict.fromkeys(CIFAR10.classes, TRAIN + TEST)


@pytest.mark.parametrize("layout", ["zip", "torchvision", "binary"])
def test_what_holds_it_can_be_named_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    only = next(make_cifar(tmp_path, layout, patch=monkeypatch).iterdir())
    assert len(Cifar.open(only).samples) == 10 * (TRAIN + TEST)


def test_each_picture_is_a_group_and_known_by_its_label(folders: Path) -> None:
    samples = Cifar.open(folders).samples
    assert all(s.lesion_id == s.image_id for s in samples)
    assert all(CIFAR10.classes[s.label] == s.dx == s.image_id.split("/")[1] for s in samples)
    assert len({s.image_id for s in samples}) == len(samples)


def test_an_unknown_id(folders: Path) -> None:
    data = Cifar.open(folders)
    with pytest.raises(DataError, match="no image 'train/cat/9999'"):
        data.picture("train/cat/9999")


Spoil = Callable[[Path], object]


def _save(path: Path, size: tuple[int, int]) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", size, "brown").save(path)


FOLDERS: dict[str, tuple[Spoil, str]] = {
    "no test part": (lambda r: shutil.rmtree(r / "test"), "has no test part of CIFAR-10"),
    "no training part": (lambda r: shutil.rmtree(r / "train"), "has no training part"),
    "a class is missing": (
        lambda r: shutil.rmtree(r / "train/truck"),
        "no picture of 1 of 10 classes of CIFAR-10 .first: truck",
    ),
    "an empty class": (
        lambda r: [p.unlink() for p in (r / "test/cat").iterdir()],
        "The test part in .* no picture of 1 of 10 classes .* .first: cat",
    ),
    "a class of no CIFAR": (
        lambda r: _save(r / "train/lorry/1.png", (32, 32)),
        "a folder 'lorry', which is no class of CIFAR-10",
    ),
}


@pytest.mark.parametrize("how", FOLDERS)
def test_bad_folders(folders: Path, tmp_path: Path, how: str) -> None:
    shutil.copytree(folders, tmp_path / "cifar")
    spoil, expected = FOLDERS[how]
    spoil(tmp_path / "cifar")
    with pytest.raises(DataError, match=expected) as raised:
        Cifar.open(tmp_path / "cifar")
    assert raised.value.hint


BINARY: dict[str, tuple[Spoil, str]] = {
    "cut off": (lambda p: os.truncate(p, 3073 * 3 + 7), "9,226 bytes are no multiple of a record"),
    "empty": (lambda p: os.truncate(p, 0), "data_batch_2.bin is not whole: 0 bytes"),
    "gone": (lambda p: p.unlink(), "data_batch_2.bin is missing in 'cifar-10-batches-bin'"),
    "a label out of range": (
        lambda p: p.write_bytes(b"\x0b" + p.read_bytes()[1:]),
        "a label 11; CIFAR-10 has 10 classes",
    ),
}


@pytest.mark.parametrize("how", BINARY)
def test_bad_binary_files(binary: Path, how: str) -> None:
    spoil, expected = BINARY[how]
    spoil(binary / "cifar-10-batches-bin/data_batch_2.bin")
    with pytest.raises(DataError, match=expected) as raised:
        Cifar.open(binary)
    assert raised.value.hint


class Payload:
    """What a foreign pickle could do when it is read: here, leave a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
def test_a_pickle_that_is_not_the_distributions_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = make_cifar(tmp_path, "torchvision", patch=monkeypatch) / "cifar-10-batches-py"
    (folder / name).write_bytes(pickle.dumps(Payload(tmp_path / "done")))
    with pytest.raises(DataError, match="'cifar-10-batches-py' is not the distribution's"):
        Cifar.open(tmp_path)
    assert not (tmp_path / "done").exists()


def test_a_broken_zip_is_named_where_its_part_is_missing(tmp_path: Path) -> None:
    make_cifar(tmp_path, "zips")
    (tmp_path / "cifar_test.zip").write_bytes(b"PK no zip")
    with pytest.raises(DataError, match="cifar_test.zip is not a whole zip"):
        Cifar.open(tmp_path)
    with pytest.raises(DataError, match="cifar_test.zip is not a whole zip"):
        open_dataset(tmp_path)


def test_a_broken_zip_beside_a_whole_data_set_does_no_harm(tmp_path: Path) -> None:
    make_cifar(tmp_path, "zips")
    (tmp_path / "other.zip").write_bytes(b"PK no zip")
    assert len(Cifar.open(tmp_path).samples) == 10 * (TRAIN + TEST)


def test_pictures_of_another_size_or_damaged_are_named(folders: Path, tmp_path: Path) -> None:
    shutil.copytree(folders, tmp_path / "cifar")
    _save(tmp_path / "cifar/train/cat/0001.png", (64, 48))
    (tmp_path / "cifar/train/dog/0002.png").write_bytes(b"no picture")
    data = Cifar.open(tmp_path / "cifar")
    with pytest.raises(ImageError, match="train/cat/0001 is 64 × 48 pixels; .* are 32 × 32"):
        data.picture("train/cat/0001")
    with pytest.raises(ImageError, match="train/cat/0001"):
        data.pixels(data.samples)
    with pytest.raises(ImageError, match="Image train/dog/0002 is not a picture"):
        data.picture("train/dog/0002")


def test_jpegs_are_read_too(tmp_path: Path) -> None:
    """The pictures may have gone through JPEG; suffixes may be upper case."""
    make_cifar(tmp_path, "folders")
    for path in (tmp_path / "test/ship").iterdir():
        buffer = io.BytesIO()
        Image.open(path).save(buffer, "JPEG")
        path.with_suffix(".JPG").write_bytes(buffer.getvalue())
        path.unlink()
    data = Cifar.open(tmp_path)
    assert data.picture("test/ship/0001").rgb.size == (32, 32)


@pytest.mark.parametrize("info", [CIFAR10, CIFAR100], ids=lambda i: i.key)
def test_the_tables(info: DatasetInfo) -> None:
    assert list(info.classes) == sorted(set(info.classes))
    assert len(info.classes) == int(info.name.partition("-")[2])
    assert len(info.long_names) == len(info.classes)
    assert info.aspect == 1
    assert info.splits == ("official",)


@pytest.mark.data
def test_the_real_data(real_cifar: Path) -> None:
    start = time.monotonic()
    data = open_dataset(real_cifar, "cifar10")
    assert time.monotonic() - start < 10
    counts = Counter(data.parts().tolist())
    assert counts == {"train": 45_000, "val": 5_000, "test": 10_000}
    assert isinstance(data, Cifar)
    some = data.pixels(data.samples[:50_000:25]) / 255
    np.testing.assert_allclose(some.mean((0, 2, 3)), CIFAR10.mean, atol=0.01)
    np.testing.assert_allclose(some.std((0, 2, 3)), CIFAR10.std, atol=0.01)


@pytest.fixture
def real_cifar() -> Path:
    """CIFAR-10 beside the HAM10000 folder that DISTILSCOPE_DATA names; skips elsewhere."""
    folder = Path(os.environ.get("DISTILSCOPE_DATA", "/nowhere")).parent / "cifar10"
    if not folder.is_dir():
        pytest.skip("there is no folder cifar10 beside the one that DISTILSCOPE_DATA names")
    return folder
