"""A checkpoint: safetensors weights and a JSON card that says what they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save

from kdcore.base import CheckpointError, KdError, sha256_file, write_bytes
from kdcore.models.build import build_model
from kdcore.models.card import Card, read_card, write_card
from kdcore.models.ensemble import Ensemble
from kdcore.models.output import Classifier
from kdcore.models.weights import check_finite, read_state_dict

WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint: `model` in eval mode, its `card`, its folder and weights hash."""

    model: Classifier
    card: Card
    path: Path
    hash: str


def make_model(card: Card) -> Classifier:
    """Build the network of a card, or its ensemble, with random weights."""
    if not card.members:
        return build_model(card.architecture, len(card.classes))
    return Ensemble([build_model(name, len(card.classes)) for name in card.members])


def load_checkpoint(folder: Path, classes: tuple[str, ...] | None = None) -> Checkpoint:
    """Load the checkpoint in `folder`, verified against its card.

    Raises
    ------
    CheckpointError
        If the card or weights are missing or broken, do not fit each other, the weights are not
        finite, or the classes are not `classes`, where given.
    """
    folder = Path(folder)
    card = read_card(folder)
    if classes and card.classes != classes:
        raise CheckpointError(
            f"{card.name} was trained on the classes {', '.join(card.classes)}; expected "
            f"{', '.join(classes)}.",
            "Choose a checkpoint of the same classes.",
        )
    digest = sha256_file(folder / WEIGHTS) if (folder / WEIGHTS).is_file() else ""
    state = read_state_dict(folder / WEIGHTS)
    if card.weights_sha256 and digest != card.weights_sha256:
        raise CheckpointError(
            f"The weights of {card.name} are not those its card describes (SHA-256 differs).",
            "Copy the checkpoint again, or train it again.",
        )
    check_finite(state, card.name)
    try:
        model = make_model(card)
        model.load_state_dict(state)
    except KdError:
        raise
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"The weights of {card.name} do not fit its architecture {card.architecture}.",
            "Correct the card, or choose another checkpoint.",
        ) from error
    model.eval().requires_grad_(False)
    return Checkpoint(model, card, folder, digest)


def save_checkpoint(folder: Path, model: torch.nn.Module, card: Card, half: bool = True) -> Card:
    """Write the weights of `model` (fp16 if `half`) and `card` into `folder`.

    A tensor that passes fp16's largest number, 65,504, stays as it is. Returns the card with the
    hash of the weights file.
    """
    folder = Path(folder)
    state = {
        k: (_halved(v) if half else v).detach().cpu().contiguous().clone()
        for k, v in model.state_dict().items()
    }
    # Through memory: the library's own writer hides that a disk is full.
    write_bytes(folder / WEIGHTS, save(state))
    full = replace(card, weights_sha256=sha256_file(folder / WEIGHTS))
    write_card(folder, full)
    return full


def _halved(values: torch.Tensor) -> torch.Tensor:
    half = values.half() if values.is_floating_point() else values
    return values if half.isinf().any() else half
