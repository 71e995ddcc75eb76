"""Reading tensors from files without running anything that a file may carry."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from kdcore.base import CheckpointError
from kdcore.base.errors import first_line


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read a state dict from safetensors, or from `.pt`/`.pth` with `weights_only=True`.

    Half-precision tensors come back as float32.

    Raises
    ------
    CheckpointError
        If the file is missing, broken, holds no tensors, or carries code.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(
            f"There is no weights file {str(path)!r}.",
            "Check the path, or copy the checkpoint again. For a recipe's initial weights, set the "
            'variable that it names, or let the library download its own by init = "imagenet".',
        )
    try:
        if path.suffix == ".safetensors":
            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path.name} is not a plain state dict: it may carry code, so it was not loaded.",
            "Save `model.state_dict()` as safetensors and import that.",
        ) from error
    except Exception as error:  # a damaged file makes torch raise whatever it stumbles over
        raise CheckpointError(
            f"{path.name} is not a readable weights file: "
            f"{first_line(error, 'it is empty or cut short')}.",
            "It may be incomplete; copy or download it again.",
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise CheckpointError(
            f"{path.name} holds no state dict (a mapping of names to tensors).",
            "Save `model.state_dict()` as safetensors and import that.",
        )
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}


def check_finite(state: Mapping[str, Tensor], of: str) -> None:
    """Raise CheckpointError, naming what the tensors are `of`, if one holds NaN or infinity."""
    for name, values in state.items():
        if values.is_floating_point() and not bool(values.isfinite().all()):
            raise CheckpointError(
                f"{of} can't be used: its weights are not finite (first: {name}).",
                "Copy the file again, or train it again at a lower learning rate.",
            )
