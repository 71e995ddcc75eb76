"""Bounded caches, keyed by content hashes: checkpoints, predictions, data sets.

Arguments with an underscore are not hashed by Streamlit; the hash beside them is the key.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import streamlit as st

REPOSITORY = Path(__file__).resolve().parents[2]
CHECKPOINTS_VARIABLE = "DISTILSCOPE_CHECKPOINTS"


def checkpoint_root() -> Path:
    """Return the folder of checkpoints: `DISTILSCOPE_CHECKPOINTS`, else the repository's."""
    named = os.environ.get(CHECKPOINTS_VARIABLE)
    return Path(named).expanduser() if named else REPOSITORY / "checkpoints"


def load(folder: Path, card: Any) -> Any:
    """Return the checkpoint in `folder`, shared by all sessions until its files change."""
    return _load(str(folder), card.weights_sha256, card.temperature)


@st.cache_resource(max_entries=4, show_spinner="Loading the network…")
def _load(folder: str, weights_sha256: str, temperature: float) -> Any:
    from kdcore.data import HAM10000
    from kdcore.models import load_checkpoint

    return load_checkpoint(Path(folder), HAM10000.classes)


def predict(checkpoint: Any, image: Any, sha256: str) -> Any:
    """Return one image's logits, stages and input tensor."""
    return _predict(checkpoint, image, checkpoint.hash, sha256)


@st.cache_resource(max_entries=12, show_spinner="Asking the network…")
def _predict(_checkpoint: Any, _image: Any, weights_sha256: str, image_sha256: str) -> Any:
    from kdcore.predict.predict import predict_image

    return predict_image(_checkpoint, _image)


def saved_predictions(folder: Path, split: str = "test") -> Any | None:
    """Return the saved predictions beside a checkpoint, or None where there are none."""
    path = folder / f"predictions-{split}.npz"
    return _saved(str(path), path.stat().st_mtime_ns) if path.is_file() else None


@st.cache_resource(max_entries=8, show_spinner=False)
def _saved(path: str, changed: int) -> Any:
    from kdcore.predict.predictions import Predictions

    return Predictions.load(Path(path))


def data_set() -> Any | None:
    """Return the configured data set, or None where none is configured; raises `KdError`."""
    from kdcore.base import data_folder

    root = data_folder()
    return _data_set(str(root), root.stat().st_mtime_ns) if root else None


@st.cache_resource(max_entries=2, show_spinner="Reading the data folder…")
def _data_set(root: str, changed: int) -> Any:
    from kdcore.data import Ham10000

    return Ham10000.open(Path(root), skip_missing=True)


@st.cache_resource(max_entries=2, show_spinner=False)
def split_of(_data: Any, root: str, count: int) -> dict[str, list[Any]]:
    """Return the samples of each part of the lesion-grouped split."""
    from kdcore.data import split_samples

    parts: dict[str, list[Any]] = {"train": [], "val": [], "test": []}
    for sample, part in zip(_data.samples, split_samples(_data.samples), strict=True):
        parts[part].append(sample)
    return parts


def parts_of(data: Any) -> dict[str, list[Any]]:
    """Return the split of a data set, cached."""
    return split_of(data, str(data.root), len(data.samples))


@st.cache_data(max_entries=16, show_spinner=False)
def _parameters(_model: Any, weights_sha256: str) -> str:
    return f"{sum(p.numel() for p in _model.parameters()) / 1e6:.1f} M parameters"


def parameters(checkpoint: Any) -> str:
    """Return the size of a checkpoint's network in words."""
    return _parameters(checkpoint.model, checkpoint.hash)


def estimate(pair: Any, image: Any, stage: int) -> float:
    """Return about how many seconds the explanations of a picture take on this machine."""
    teacher, student = pair.teacher, pair.student
    return _estimate(pair, image, teacher.hash, student.hash, stage)


@st.cache_data(max_entries=64, show_spinner=False)
def _estimate(_pair: Any, _image: Any, teacher: str, student: str, stage: int) -> float:
    from kdcore.explain.everything import estimate_everything

    return estimate_everything(_pair.teacher, _pair.student, _image, stage)


def gradient_grid(checkpoint: Any, prediction: Any, target: int, stage: int, sha256: str) -> Any:
    """Return a stage's gradient-weighted activation on its own grid, from which masks are cut."""
    return _gradient_grid(checkpoint, prediction, checkpoint.hash, sha256, target, stage)


@st.cache_data(max_entries=64, show_spinner=False)
def _gradient_grid(
    _checkpoint: Any, _prediction: Any, weights: str, sha256: str, target: int, stage: int
) -> Any:
    from kdcore.explain import grad_cam_grid

    return grad_cam_grid(_checkpoint.model, _prediction.tensor, target, stage)
