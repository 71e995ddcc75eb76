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
        of the architecture is in it and finite.
    """
    check_card(card, card.name, "Correct it, then import again.")
    target = Path(root) / card.name
    taken = CheckpointError(f"There is a checkpoint {card.name!r} already.", "Name it otherwise.")
    if target.exists():
        raise taken
    model = build_model(card.architecture, len(card.classes))
    load_backbone(model, read_state_dict(weights), str(weights), whole=True)
    said = card.provenance or f"Imported from {Path(weights).name}; not measured here."
    full = replace(card, provenance=said, added="imported")
    with _staged(target, taken) as folder:
        return save_checkpoint(folder, model, full, half=False)


def copy_checkpoint(source: Path, root: Path, name: str) -> Path:
    """Promote a checkpoint: copy its folder to `root`/`name`, whole or not at all.

    Returns the new folder, whose card says that it was promoted.

    Raises
    ------
    CheckpointError
        If `source` is none, or the name is taken.
    """
    target = Path(root) / name
    if not (Path(source) / CARD).is_file():
        raise CheckpointError(f"{Path(source).name!r} is not a checkpoint.", "Train it first.")
    taken = CheckpointError(
        f"There is another checkpoint named {name!r} already.",
        "Delete that one on the Runs page, if it was imported or promoted there. If not, train "
        "this recipe again under another name.",
    )
    if target.exists():
        raise taken
    with _staged(target, taken) as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True)
        write_card(folder, replace(read_card(folder), name=name, added="promoted"))
    return target


def find_copy(source: Path, root: Path) -> str:
    """Return the name of the checkpoint in `root` with the weights of that in `source`, or "".

    Raises
    ------
    CheckpointError
        If the card in `source` can't be read; those in `root` that can't be are passed over.
    """
    wanted = read_card(source).weights_sha256
    for path in sorted(Path(root).glob(f"*/{CARD}")):
        with suppress(CheckpointError):
            if wanted and read_card(path.parent).weights_sha256 == wanted:
                return path.parent.name
    return ""


def delete_checkpoint(folder: Path) -> None:
    """Delete a checkpoint that was imported or promoted, with all that lies in its folder.

    Raises
    ------
    CheckpointError
        If its card can't be read, it is a shipped one, or somebody else deletes it, too.
    """
    if not read_card(folder).added:
        raise CheckpointError(
            f"The checkpoint {Path(folder).name!r} is shipped.",
            "Only what was imported or promoted here can be deleted.",
        )
    try:
        shutil.rmtree(folder)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"Another session has deleted the checkpoint {Path(folder).name!r}, or is about to."
        ) from error


@contextmanager
def _staged(target: Path, taken: CheckpointError) -> Iterator[Path]:
    """Give an empty folder to fill that becomes `target`; raises `taken` if that has come since."""
    parent = target.parent / ".importing"
    parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=parent))
    try:
        staging.chmod(0o755)
        yield staging
        try:
            staging.rename(target)
        except OSError as error:
            if target.exists():
                raise taken from error
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        with suppress(OSError):  # another import is under way beside this one
            parent.rmdir()
