"""Small networks with healthy numbers: random weights whose logits are neither tiny nor equal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kdcore.base import seed_everything
from kdcore.data import HAM10000
from kdcore.deploy.export import export_bytes
from kdcore.deploy.make import Target, make_artefacts
from kdcore.models import Card, Checkpoint, load_checkpoint, make_model, save_checkpoint

SIDES = {"visformer_small": 224, "swin_s3_tiny_224": 224}


def lively(architecture: str, side: int = 0, members: tuple[str, ...] = ()) -> Checkpoint:
    """A network whose batch norms have seen noise, so that its signal reaches the logits."""
    seed_everything(1)
    side = side or SIDES.get(architecture, 32)
    card = Card(
        name=f"tiny-{architecture}",
        role="student",
        architecture=architecture,
        members=members,
        classes=HAM10000.classes,
        input_size=side,
        mean=HAM10000.mean,
        std=HAM10000.std,
        temperature=1.3,
        licence="CC BY-NC 4.0",
    )
    model = make_model(card)
    with torch.no_grad():
        for _ in range(3):
            model.train()(2 * torch.randn(16 if side < 100 else 4, 3, side, side))
    return Checkpoint(model.eval().requires_grad_(False), card, Path("nowhere"), "0" * 64)


@pytest.fixture(scope="session")
def tiny() -> Checkpoint:
    """The smallest network, 32 pixels; do not change it."""
    return lively("cnn2")


@pytest.fixture(scope="session")
def tiny_onnx(tiny) -> bytes:
    return export_bytes(tiny, "onnx")


@pytest.fixture(scope="session")
def saved(tiny, tmp_path_factory) -> Checkpoint:
    """The smallest network as a checkpoint on disk."""
    folder = tmp_path_factory.mktemp("saved") / "tiny-cnn2"
    save_checkpoint(folder, tiny.model, replace(tiny.card, name=folder.name), half=False)
    return load_checkpoint(folder)


@pytest.fixture(scope="session")
def made(saved, tmp_path_factory):
    """The folder of the smallest network's exports in every format, and their records."""
    folder = tmp_path_factory.mktemp("made")
    targets = (Target(), Target("torchscript"), Target("export"), Target("onnx", "float16"))
    return folder, make_artefacts(saved, folder, targets)
