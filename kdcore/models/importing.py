"""Checkpoints that come from elsewhere or are moved: import of weights, copies that are whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from kdcore.base import CheckpointError
from kdcore.models.build import build_model, load_backbone
from kdcore.models.card import CARD, Card, check_card, read_card, write_card
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
    load_backbone(model, read_state_dict(weights), str(weights), whole=True)
    said = card.provenance or f"Imported from {Path(weights).name}; not measured here."
    with _staged(target) as folder:
        return save_checkpoint(folder, model, replace(card, provenance=said), half=False)


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
    with _staged(target) as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True)
        write_card(folder, replace(read_card(folder), name=name))
    return target


@contextmanager
def _staged(target: Path) -> Iterator[Path]:
    """Give an empty folder to fill that becomes `target` if nothing goes wrong."""
    parent = target.parent / ".importing"
    parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=parent))
    try:
        staging.chmod(0o755)
        yield staging
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        with suppress(OSError):  # another import is under way beside this one
            parent.rmdir()
