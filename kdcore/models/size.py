"""How large a network is: its parameters, and the file that holds its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from kdcore.models.card import Card
from kdcore.models.checkpoint import WEIGHTS, make_model


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights: its size in bytes, and how its numbers are stored ("F16")."""

    size: int
    stored: str


def parameter_count(card: Card) -> int:
    """Return the number of trainable numbers of a card's network; buffers are none.

    The network is built without memory for its weights, so this costs a moment only.
    """
    with torch.device("meta"):
        return sum(p.numel() for p in make_model(card).parameters())


def parameters_text(model: torch.nn.Module) -> str:
    """Return the number of a network's parameters as "11.2 M parameters"."""
    return f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters"


def weights_file(folder: Path) -> WeightsFile | None:
    """Return what is known of the weights in a checkpoint's folder, from the file's head.

    None where there is no such file, or it can't be read.
    """
    path = Path(folder) / WEIGHTS
    try:
        with safe_open(path, "np") as file:
            keys = file.keys()
            stored = {file.get_slice(key).get_dtype() for key in keys}
        floats = sorted(kind for kind in stored if kind.startswith(("F", "BF")))
        return WeightsFile(path.stat().st_size, ", ".join(floats))
    except (OSError, SafetensorError):
        return None
