"""The manifest of an explanation: what is needed to make the same map again."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import kdcore
from kdcore.explain.empty_map import which_empty
from kdcore.explain.methods import Method
from kdcore.models import Checkpoint
from kdcore.predict.probabilities import softmax

FORMAT = 1


def versions() -> dict[str, str]:
    """Return the versions of what takes part in a map; grad-cam is the reference convention."""
    found = {"kdcore": kdcore.__version__, "torch": torch.__version__}
    for name in ("torchvision", "timm", "grad-cam", "captum", "numpy", "pillow"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found | {"python": platform.python_version()}


def one_manifest(
    checkpoint: Checkpoint,
    method: Method,
    stage: int,
    target: int,
    logits: NDArray[np.float32],
    image: dict[str, Any],
    image_size: tuple[int, int],
) -> dict[str, Any]:
    """Return the JSON-ready manifest of one checkpoint's explanation.

    Parameters
    ----------
    checkpoint : what explained
    method : how
    stage : index of the stage, counted from 0
    target : class index
    logits : (C,) float32
    image : SHA-256 and what it is of
    image_size : (width, height) of the whole image, pixels
    """
    card, model = checkpoint.card, checkpoint.model
    return {
        "format": FORMAT,
        "method": {
            "name": method.name,
            "convention": method.convention,
            "seed": None,
            "uses_stage": method.uses_stage,
        },
        "target": {"index": target, "name": card.classes[target], "used": method.uses_target},
        "image": image | {"width": image_size[0], "height": image_size[1]},
        "classes": list(card.classes),
        "checkpoint": {
            "name": card.name,
            "role": card.role,
            "architecture": model.architecture,
            "weights_sha256": checkpoint.hash,
            "temperature": card.temperature,
            "input_size": card.input_size,
            "preprocessing": "centre square, antialiased bicubic resize, normalised",
            "probabilities": [round(v, 6) for v in softmax(logits, card.temperature).tolist()],
            "mean": list(card.mean),
            "std": list(card.std),
            "stage": stage,
            "layer": model.stage_names[stage],
            "logits": [round(float(v), 6) for v in logits],
        },
        "versions": versions(),
    }


def pair_manifest(teacher: dict[str, Any], student: dict[str, Any]) -> dict[str, Any]:
    """Return one manifest of two that share method, target and image."""
    empty = which_empty(*(one["checkpoint"]["empty"] for one in (teacher, student)))
    shared = {k: v for k, v in teacher.items() if k not in ("checkpoint", "versions")}
    return shared | {
        "teacher": teacher["checkpoint"],
        "student": student["checkpoint"],
        "difference": "teacher minus student, on the finer input grid"
        + (f"; it tells nothing, as {empty}" if empty else ""),
        "versions": teacher["versions"],
    }
