"""Checkpoints that come from elsewhere or are moved: import of weights, copies that are whole."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from kdcore.base import CheckpointError
from kdcore.models.build import build_model
from kdcore.models.card import CARD, Card, check_card
from kdcore.models.checkpoint import save_checkpoint
from kdcore.models.weights import read_state_dict


def import_checkpoint(weights: Path, card: Card, root: Path) -> Card:
    """Write weights from elsewhere as a checkpoint `root`/`card.name`; returns its card.

    Parameters
    ----------
    weights : safetensors, or a `.pt`/`.pth` state dict, of which nothing is executed; parameter
        names are torchvision's or timm's, or this project's own
    card : what is known of them: name, role, architecture, classes, input size, normalisation
    root : the folder of checkpoints

    Raises
    ------
    CheckpointError
        If the card can't be used, the name is taken, the file can't be read, or not every tensor
        of the architecture is in it.
    """
    check_card(card, card.name)
    target = Path(root) / card.name
    if target.exists():
        raise CheckpointError(f"There is a checkpoint {card.name!r} already.", "Name it otherwise.")
    model = build_model(card.architecture, len(card.classes))
    state, own = read_state_dict(weights), model.state_dict()
    if not any(key in own for key in state):
        state = {f"net.{key}": value for key, value in state.items()}
    counters = {key for key in own if key.endswith("num_batches_tracked")}
    wrong = [
        k for k in own if k not in counters and (k not in state or state[k].shape != own[k].shape)
    ]
    if wrong:
        raise CheckpointError(
            f"{Path(weights).name} does not fit {card.architecture} with {len(card.classes)} "
            f"classes: {len(wrong)} of {len(own)} tensors are missing or of another shape (first: "
            f"{wrong[0]}).",
            "Choose the architecture and classes that it was saved from.",
        )
    model.load_state_dict({k: v for k, v in state.items() if k in own}, strict=False)
    said = card.provenance or f"Imported from {Path(weights).name}; not measured here."
    staging = Path(root) / ".importing" / card.name
    shutil.rmtree(staging, ignore_errors=True)
    try:
        full = save_checkpoint(staging, model, replace(card, provenance=said), half=False)
        staging.rename(target)
    finally:
        shutil.rmtree(staging.parent, ignore_errors=True)
    return full


def copy_checkpoint(source: Path, root: Path, name: str) -> Path:
    """Copy a checkpoint's folder to `root`/`name`, whole or not at all; returns its new folder.

    Raises
    ------
    CheckpointError
        If `source` is none, or the name is taken.
    """
    target = Path(root) / name
    if not (Path(source) / CARD).is_file():
        raise CheckpointError(f"{Path(source).name!r} is not a checkpoint.", "Train it first.")
    if target.exists():
        raise CheckpointError(
            f"There is a checkpoint {name!r} already.", "Delete it first, or rename the run."
        )
    staging = Path(root) / ".importing" / name
    shutil.rmtree(staging, ignore_errors=True)
    try:
        shutil.copytree(source, staging)
        staging.rename(target)
    finally:
        shutil.rmtree(staging.parent, ignore_errors=True)
    return target
