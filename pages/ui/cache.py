"""Bounded caches, keyed by content hashes: checkpoints, pictures, data sets.

Arguments with an underscore are not hashed by Streamlit; the hash beside them is the key.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from PIL.Image import Image

    from kdcore.data import ImageDataset, Sample
    from kdcore.explain.maps import Heatmap
    from kdcore.models import Card, Checkpoint, Classifier
    from kdcore.predict.predict import ImagePrediction
    from pages.ui.controls import Pair
    from pages.ui.images import Chosen

_PREVIEW = 720  # pixels


def load(folder: Path, card: Card, classes: tuple[str, ...] = ()) -> Checkpoint:
    """Return the checkpoint in `folder`, shared by all sessions until its card changes.

    Raises `KdError` if it can't be read, or was trained on other classes than `classes`.
    """
    changed = (folder / "card.json").stat().st_mtime_ns
    return _load(str(folder), changed, card.weights_sha256, classes)


@st.cache_resource(max_entries=4, show_spinner="Loading the network…")
def _load(folder: str, changed: int, weights_sha256: str, classes: tuple[str, ...]) -> Checkpoint:
    from kdcore.models import load_checkpoint
    from kdcore.predict import warm_up

    checkpoint = load_checkpoint(Path(folder), classes)
    warm_up(checkpoint)  # before a picture waits for it
    return checkpoint


def preview(chosen: Chosen) -> bytes:
    """Return a chosen picture as a PNG small enough to send at every rerun."""
    return _preview(chosen.rgb, chosen.sha256)


@st.cache_data(max_entries=16, show_spinner=False)
def _preview(_image: Image, image_sha256: str) -> bytes:
    small = _image.copy()
    small.thumbnail((_PREVIEW, _PREVIEW))
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    return buffer.getvalue()


def crop(checkpoint: Checkpoint, chosen: Chosen) -> Image:
    """Return what a network is given of a chosen picture: the centre square, resized."""
    return _crop(chosen.rgb, chosen.sha256, checkpoint.card.input_size)


@st.cache_resource(max_entries=32, show_spinner=False)
def _crop(_image: Image, image_sha256: str, size: int) -> Image:
    from kdcore.data import IMAGENET_MEAN, IMAGENET_STD, Preprocess

    return Preprocess(size, IMAGENET_MEAN, IMAGENET_STD).crop(_image)  # cropping needs neither


def predict(checkpoint: Checkpoint, image: Image, sha256: str) -> ImagePrediction:
    """Return one image's logits, stages and input tensor."""
    return _predict(checkpoint, image, checkpoint.hash, _prepared(checkpoint.card), sha256)


def _prepared(card: Card) -> tuple[object, ...]:
    return card.input_size, card.mean, card.std


@st.cache_resource(max_entries=12, show_spinner="Asking the network…")
def _predict(
    _checkpoint: Checkpoint,
    _image: Image,
    weights_sha256: str,
    how: tuple[object, ...],
    image_sha256: str,
) -> ImagePrediction:
    from kdcore.predict import predict_image

    return predict_image(_checkpoint, _image)


def data_set(classes: tuple[str, ...] = ()) -> ImageDataset | None:
    """Return the configured data set, or None where none is configured; raises `KdError`.

    With `classes`, those of a network, a data set of others raises.
    """
    from kdcore.base import data_folder

    root = data_folder()
    return _data_set(str(root), classes, _changed(root)) if root else None


def _changed(root: Path) -> tuple[tuple[str, int], ...]:
    """Return the times of a folder and what lies directly in it: adding images changes them."""
    return tuple(
        (p.name, p.stat().st_mtime_ns) for p in (root, *sorted(root.glob("*"))) if p.exists()
    )


@st.cache_resource(max_entries=3, show_spinner="Reading the data folder…")
def _data_set(
    root: str, classes: tuple[str, ...], changed: tuple[tuple[str, int], ...]
) -> ImageDataset:
    from kdcore.data import open_dataset

    return open_dataset(Path(root), skip_missing=True, classes=classes)


def data_key(data: ImageDataset) -> str:
    """Return what names a data set's content: which it is, where, and when that changed."""
    return f"{data.info.key}:{data.root}:{_changed(data.root)}"


def parts_of(data: ImageDataset, split: str = "") -> dict[str, list[Sample]]:
    """Return the samples of each part of a split of a data set, by default of its first split."""
    return _parts(data, data_key(data), split or data.info.splits[0])


@st.cache_resource(max_entries=4, show_spinner=False)
def _parts(_data: ImageDataset, key: str, split: str) -> dict[str, list[Sample]]:
    from kdcore.data import samples_by_part

    return samples_by_part(_data, split)


def strip_of(data: ImageDataset, image_ids: tuple[str, ...], height: int) -> bytes:
    """Return pictures of a data set side by side as a JPEG; raises `KdError`."""
    return _strip(data, data_key(data), image_ids, height)


@st.cache_data(max_entries=400, show_spinner=False)
def _strip(_data: ImageDataset, key: str, image_ids: tuple[str, ...], height: int) -> bytes:
    from kdcore.data.montage import strip

    return strip(_data, image_ids, height)


@st.cache_data(max_entries=16, show_spinner=False)
def _parameters(_model: Classifier, weights_sha256: str) -> str:
    from kdcore.models.size import parameters_text

    return parameters_text(_model)


def parameters(checkpoint: Checkpoint) -> str:
    """Return the size of a checkpoint's network in words."""
    return _parameters(checkpoint.model, checkpoint.hash)


def estimate(pair: Pair, image: Image, stage: int) -> float:
    """Return about how many seconds the explanations of a picture take on this machine."""
    teacher, student = pair.teacher, pair.student
    return _estimate(pair, image, teacher.hash, student.hash, stage)


@st.cache_data(max_entries=64, show_spinner=False)
def _estimate(_pair: Pair, _image: Image, teacher: str, student: str, stage: int) -> float:
    from kdcore.explain.everything import estimate_everything

    return estimate_everything(_pair.teacher, _pair.student, _image, stage)


def gradient_grid(
    checkpoint: Checkpoint, prediction: ImagePrediction, target: int, stage: int, sha256: str
) -> Heatmap:
    """Return a stage's gradient-weighted activation on its own grid, from which masks are cut."""
    return _gradient_grid(checkpoint, prediction, checkpoint.hash, sha256, target, stage)


@st.cache_data(max_entries=64, show_spinner=False)
def _gradient_grid(
    _checkpoint: Checkpoint,
    _prediction: ImagePrediction,
    weights: str,
    sha256: str,
    target: int,
    stage: int,
) -> Heatmap:
    from kdcore.explain import grad_cam_grid

    return grad_cam_grid(_checkpoint.model, _prediction.tensor, target, stage)
