"""Fixtures that every room's tests share: tiny checkpoints, drawn data folders, the real data."""

from __future__ import annotations

import os

# Before torch is imported: two cores, one for each of two processes that share the tests, and
# threads that sleep while they wait. Spinning ones, the default, make torch twenty times slower as
# soon as a browser or a second server runs beside it.
os.environ["OMP_NUM_THREADS"] = (
    "1" if "PYTEST_XDIST_WORKER" in os.environ else os.environ.get("OMP_NUM_THREADS", "2")
)
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from kdcore.base import DATA_VARIABLE, data_folder, numpy_generator, seed_everything
from kdcore.data import HAM10000, Ham10000
from kdcore.models import Card, build_model, save_checkpoint

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

REPO = Path(__file__).resolve().parents[1]
TINY = (
    ("teacher-resnet18", "teacher", "resnet18"),
    ("student-mobilenetv2", "student", "mobilenet_v2"),
)
TINY_SIZE = 64
TINY_RECIPE = """
name = "tiny"
architecture = "cnn2"
role = "baseline"
input_size = 32
epochs = 1
batch_size = 16
"""
COLUMNS = "lesion_id,image_id,dx,dx_type,age,sex,localization"
LESIONS_PER_CLASS = 8


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """No test's random weights, its fixtures' included, depend on what its process ran before."""
    seed_everything(0)


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the settings and runs of the person who starts it."""
    monkeypatch.setenv("DISTILSCOPE_STATE", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that gives the same numbers in every run."""
    return numpy_generator(0)


@pytest.fixture(scope="session")
def repo() -> Path:
    """The repository's root."""
    return REPO


def write_tiny_checkpoint(folder: Path, role: str, architecture: str, **card: object) -> Card:
    """Save a random-weight network with HAM10000's classes and `TINY_SIZE` pixels of input."""
    seed_everything(len(architecture))
    fields: dict[str, object] = {
        "name": folder.name,
        "title": f"Tiny {architecture} with random weights",
        "role": role,
        "architecture": architecture,
        "classes": HAM10000.classes,
        "input_size": TINY_SIZE,
        "mean": HAM10000.mean,
        "std": HAM10000.std,
        "temperature": 1.3,
        "provenance": "Random weights, made by the tests.",
        "licence": "MIT",
    }
    model = build_model(architecture, len(HAM10000.classes))
    return save_checkpoint(folder, model, Card(**(fields | card)))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def tiny_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two checkpoints with random weights: a ResNet-18 teacher, a MobileNetV2."""
    root = tmp_path_factory.mktemp("checkpoints")
    for name, role, architecture in TINY:
        write_tiny_checkpoint(root / name, role, architecture)
    return root


def write_ham_folder(root: Path, layout: str = "kaggle", size: tuple[int, int] = (60, 45)) -> Path:
    """Write a small HAM10000-like folder of coloured noise; even lesions have two images.

    `layout` "kaggle" has folders and a csv; "dataverse" has zips, a tab-separated table without
    suffix and lesion masks.
    """
    generator, rows, images = numpy_generator(7), [], {}
    for label, dx in enumerate(HAM10000.classes):
        for lesion in range(LESIONS_PER_CLASS):
            for _ in range(2 - lesion % 2):
                image_id = f"ISIC_{len(rows):07d}"
                age = "" if lesion == 0 else "45.0"
                rows.append(f"HAM_{label}{lesion:03d},{image_id},{dx},histo,{age},male,back")
                images[image_id] = _noise(generator, label, size)
    if layout == "kaggle":
        _write_kaggle(root, rows, images)
    else:
        _write_dataverse(root, rows, images)
    return root


def _noise(generator: np.random.Generator, label: int, size: tuple[int, int]) -> Image.Image:
    level = 60 + 20 * label  # brightness tells the class, so that a few steps of training learn
    pixels = generator.integers(level, level + 40, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def _write_kaggle(root: Path, rows: list[str], images: dict[str, Image.Image]) -> None:
    (root / "HAM10000_metadata.csv").write_text("\n".join([COLUMNS, *rows]) + "\n")
    for number, (image_id, image) in enumerate(images.items()):
        folder = root / f"HAM10000_images_part_{1 + number % 2}"
        folder.mkdir(exist_ok=True)
        image.save(folder / f"{image_id}.jpg")


def _write_dataverse(root: Path, rows: list[str], images: dict[str, Image.Image]) -> None:
    table = "\n".join([COLUMNS, *rows]).replace(",", "\t")
    (root / "HAM10000_metadata").write_text(table + "\n")
    masks = "HAM10000_segmentations_lesion_tschandl"
    for number, (image_id, image) in enumerate(images.items()):
        inside = np.zeros((image.height, image.width), bool)
        inside[image.height // 4 : -image.height // 4, image.width // 4 : -image.width // 4] = True
        part = root / f"HAM10000_images_part_{1 + number % 2}.zip"
        _add(part, f"{image_id}.jpg", image)
        _add(root / f"{masks}.zip", f"{masks}/{image_id}_segmentation.png", Image.fromarray(inside))


def _add(archive: Path, name: str, image: Image.Image) -> None:
    with zipfile.ZipFile(archive, "a") as file, file.open(name, "w") as member:
        image.save(member, "JPEG" if name.endswith("jpg") else "PNG")


@pytest.fixture
def empty_maps_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`empty_maps_of("teacher", score_cam_only=True)`: these roles' maps come out empty."""
    module = import_module("kdcore.explain.explain_pair")  # the package has a function so called
    real = module._Asked.answered

    def empty(*roles: str, score_cam_only: bool = False) -> None:
        def answered(asked: Any, heatmap: np.ndarray, masks: Any = None) -> Any:
            wanted = asked.manifest["checkpoint"]["role"] in roles
            keep = not wanted or (score_cam_only and masks is None)
            return real(asked, heatmap * np.float32(keep), masks)

        monkeypatch.setattr(module._Asked, "answered", answered)
        # A small network's Score-CAM has fast maps, too, and better ones after them.
        monkeypatch.setattr(import_module("kdcore.explain.score_cam"), "FAST_LEAST", 2)

    return empty


@pytest.fixture(scope="session")
def make_ham() -> Callable[..., Path]:
    """`make_ham(root, layout)`: write a data folder that the test may then change."""
    return write_ham_folder


@pytest.fixture(scope="session")
def ham_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small HAM10000-like folder in the Kaggle layout; read only."""
    return write_ham_folder(tmp_path_factory.mktemp("ham-kaggle"))


@pytest.fixture(scope="session")
def ham_dataverse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same images in the Dataverse layout, with lesion masks; read only."""
    return write_ham_folder(tmp_path_factory.mktemp("ham-dataverse"), "dataverse")


@pytest.fixture
def real_data() -> Ham10000:
    """HAM10000 itself, where DISTILSCOPE_DATA names it; skips with the reason elsewhere."""
    if not os.environ.get(DATA_VARIABLE):
        pytest.skip(f"{DATA_VARIABLE} names no HAM10000 folder")
    folder = data_folder()
    assert folder is not None
    return Ham10000.open(folder)
