"""Each way people keep HAM10000 is read alike, and a damaged file is named in one sentence."""

from __future__ import annotations

import errno
import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from kdcore.base import DataError, ImageError
from kdcore.data import Ham10000, files

TABLE = "HAM10000_metadata.csv"
FIRST = "ISIC_0000000"
ONE = f"lesion_id,image_id,dx\nHAM_1,{FIRST},nv\n"


def packed(folder: Path, target: Path, prefix: str = "") -> None:
    """Zip everything in a folder, then remove it."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.writestr(prefix + path.relative_to(folder).as_posix(), path.read_bytes())
    shutil.rmtree(folder)


def kaggle_archive(folder: Path) -> None:
    packed(folder, folder.parent / "archive.zip")


def upper_case_zip(folder: Path) -> None:
    (folder / TABLE).rename(folder.parent / TABLE)
    packed(folder, folder.parent / "IMAGES.ZIP")


def dotted_members(folder: Path) -> None:
    (folder / TABLE).rename(folder.parent / TABLE)
    packed(folder, folder.parent / "images.zip", "./imgs/")


def sibling_folders(folder: Path) -> None:
    (folder.parent / "tables/csv").mkdir(parents=True)
    (folder / TABLE).rename(folder.parent / "tables/csv" / TABLE)


def linked_images(folder: Path) -> None:
    far = folder.parent.parent / "elsewhere"
    far.mkdir()
    for part in sorted(folder.glob("HAM10000_images*")):
        part.rename(far / part.name)
        part.symlink_to(far / part.name)
    (far / "loop").symlink_to(far)


def upper_case_suffix(folder: Path) -> None:
    for path in folder.rglob("*.jpg"):
        path.rename(path.with_suffix(".JPG"))


def deep_below(folder: Path) -> None:
    deep = folder / "a/b/c"
    deep.mkdir(parents=True)
    for part in sorted(folder.glob("HAM10000_images*")):
        part.rename(deep / part.name)


@pytest.mark.parametrize(
    "change",
    [
        kaggle_archive,
        upper_case_zip,
        dotted_members,
        sibling_folders,
        linked_images,
        upper_case_suffix,
        deep_below,
    ],
    ids=lambda f: f.__name__,
)
def test_a_layout_is_read(
    make_ham: Callable[..., Path], ham_folder: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    folder = tmp_path / "root" / "ham"
    folder.mkdir(parents=True)
    make_ham(folder)
    change(folder)
    data, plain = Ham10000.open(folder.parent), Ham10000.open(ham_folder)
    assert data.samples == plain.samples
    assert all(data.read(s.image_id) == plain.read(s.image_id) for s in data.samples)


def test_folders_beside_are_not_searched_when_nothing_is_missing(
    make_ham: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "ham").mkdir()
    make_ham(tmp_path / "ham")
    (tmp_path / "other.zip").write_bytes(b"not mine")
    assert Ham10000.open(tmp_path).root == tmp_path / "ham"


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "brown").save(buffer, "JPEG")
    return buffer.getvalue()


def one_zip(root: Path, compression: int = zipfile.ZIP_STORED) -> Path:
    """Write a data folder of one image in a zip and return the zip's path."""
    (root / TABLE).write_text(ONE)
    with zipfile.ZipFile(root / "images.zip", "w", compression) as archive:
        archive.writestr(f"{FIRST}.jpg", jpeg())
    return root / "images.zip"


def patched(path: Path, offset: int, value: bytes) -> None:
    data = bytearray(path.read_bytes())
    data[offset : offset + len(value)] = value
    path.write_bytes(data)


def bad_checksum(root: Path) -> None:
    path = one_zip(root)
    patched(path, path.read_bytes().index(b"JFIF"), b"jfif")


def bad_deflate(root: Path) -> None:
    path = one_zip(root, zipfile.ZIP_DEFLATED)
    patched(path, 30 + len(FIRST) + 4, b"\xff" * 8)


def encrypted(root: Path) -> None:
    path = one_zip(root)
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        patched(path, path.read_bytes().index(signature) + flags, b"\x01\x00")


def vanished(root: Path) -> None:
    (root / TABLE).write_text(ONE)
    (root / f"{FIRST}.jpg").symlink_to(root / "gone.jpg")
    (root / "gone.jpg").write_bytes(jpeg())


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (bad_checksum, "CRC"),
        (bad_deflate, "images.zip"),
        (encrypted, "encrypted"),
        (vanished, "No such file"),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, make: Callable[[Path], None], word: str
) -> None:
    make(tmp_path)
    data = Ham10000.open(tmp_path)
    (tmp_path / "gone.jpg").unlink(missing_ok=True)
    with pytest.raises(DataError, match=word) as raised:
        data.picture(FIRST)
    assert raised.value.problem.startswith(f"Image {FIRST} can't be read from ")
    assert raised.value.hint


def test_a_zip_that_may_not_be_read_is_not_called_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    path = one_zip(tmp_path)
    monkeypatch.setattr(zipfile, "ZipFile", refuse)
    with pytest.raises(DataError, match="can't be read: Permission denied. Change who"):
        Ham10000.open(path)


@pytest.mark.parametrize("packing", ["zip", "folder"])
def test_a_member_that_declares_too_much_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: str
) -> None:
    path = one_zip(tmp_path)
    if packing == "folder":
        path.unlink()
        (tmp_path / f"{FIRST}.jpg").write_bytes(jpeg())
    data = Ham10000.open(tmp_path)
    monkeypatch.setattr(files, "MAX_BYTES", 100)
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    monkeypatch.setattr(Path, "read_bytes", None)
    with pytest.raises(DataError, match=f"Image {FIRST} has 0 MB"):
        data.read(FIRST)


def test_a_damaged_picture_and_a_damaged_mask_are_named(tmp_path: Path) -> None:
    (tmp_path / TABLE).write_text(ONE)
    (tmp_path / f"{FIRST}.jpg").write_bytes(jpeg()[:500])
    (tmp_path / f"{FIRST}_segmentation.png").write_bytes(b"no mask")
    data = Ham10000.open(tmp_path)
    with pytest.raises(ImageError, match=f"^Image {FIRST} is "):
        data.picture(FIRST)
    with pytest.raises(ImageError, match=f"^The mask of {FIRST} is not a picture"):
        data.mask(FIRST)
