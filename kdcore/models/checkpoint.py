"""A checkpoint: safetensors weights and a JSON card that says what they are."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from kdcore.base import CheckpointError, KdError, sha256_file, write_atomically
from kdcore.models.build import build_model
from kdcore.models.ensemble import Ensemble
from kdcore.models.output import Classifier
from kdcore.models.weights import read_state_dict

WEIGHTS, CARD = "model.safetensors", "card.json"


@dataclass(frozen=True)
class Card:
    """What a checkpoint is, in words and numbers that travel with its weights.

    `role` is "teacher", "student" or "baseline" (a student without a teacher). `input_size` is
    the side of the square input in pixels; `mean` and `std` normalise RGB on [0, 1].
    `temperature` calibrates the logits (fitted on validation). `members` lists the architectures
    of an ensemble. `train_groups` are SHA-256 prefixes of the lesions trained on, so that testing
    on one of them can be refused.
    """

    name: str
    role: str
    architecture: str
    classes: tuple[str, ...]
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    title: str = ""
    temperature: float = 1.0
    members: tuple[str, ...] = ()
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    ood: dict[str, Any] = field(default_factory=dict)
    train_groups: tuple[str, ...] = ()
    provenance: str = ""
    licence: str = ""
    weights_sha256: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint: `model` in eval mode, its `card`, its folder and weights hash."""

    model: Classifier
    card: Card
    path: Path
    hash: str


def read_card(folder: Path) -> Card:
    """Read and check the card in `folder`; raises CheckpointError in words."""
    path = Path(folder) / CARD
    if not path.is_file():
        raise CheckpointError(
            f"{Path(folder).name!r} is not a checkpoint: it has no {CARD}.",
            "Name a folder that `python -m kdcore train` wrote.",
        )
    try:
        raw = json.loads(path.read_text())
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
        return Card(**{k: v for k, v in fields.items() if k in Card.__dataclass_fields__})
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise CheckpointError(
            f"The card of {Path(folder).name!r} can't be read: {error}.",
            "Restore card.json, or train again.",
        ) from error


def make_model(card: Card, weights: str | None = None) -> Classifier:
    """Build the network of a card, or its ensemble, with random weights unless named."""
    if not card.members:
        return build_model(card.architecture, len(card.classes), weights)
    return Ensemble([build_model(name, len(card.classes)) for name in card.members])


def load_checkpoint(folder: Path, classes: tuple[str, ...] | None = None) -> Checkpoint:
    """Load the checkpoint in `folder`, verified against its card.

    Raises
    ------
    CheckpointError
        If the card or weights are missing or broken, do not fit each other, or the classes are
        not `classes`, where given.
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

    Returns the card with the hash of the weights file.
    """
    folder = Path(folder)
    state = {
        k: (v.half() if half and v.is_floating_point() else v).detach().cpu().contiguous().clone()
        for k, v in model.state_dict().items()
    }
    write_atomically(folder / WEIGHTS, lambda p: save_file(state, p))
    fields = asdict(card) | {"weights_sha256": sha256_file(folder / WEIGHTS)}
    write_card(folder, full := Card(**fields))
    return full


def write_card(folder: Path, card: Card) -> None:
    """Write `card.json`, whole or not at all."""
    text = json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n"
    write_atomically(Path(folder) / CARD, lambda p: p.write_text(text, encoding="utf-8"))


def card_order(card: Card) -> tuple[int, float, str]:
    """Return a sort key: teachers, students, baselines; the strongest on validation first."""
    order = {"teacher": 0, "student": 1, "baseline": 2}
    macro_f1 = card.metrics.get("val", {}).get("macro_f1", {}).get("value", -1.0)
    return order.get(card.role, 3), -macro_f1, card.name


def list_checkpoints(root: Path) -> list[Card]:
    """Return the cards of the checkpoints directly under `root`, by `card_order`."""
    return sorted((read_card(p.parent) for p in Path(root).glob(f"*/{CARD}")), key=card_order)
