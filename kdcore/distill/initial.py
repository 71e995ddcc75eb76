"""What a run starts from: random weights, a file, or a checkpoint, whose card says what it saw."""

from __future__ import annotations

import os
from pathlib import Path

from kdcore.distill.recipe import Recipe
from kdcore.models import CARD, Card, read_card
from kdcore.models.checkpoint import WEIGHTS

CHECKPOINT_PREFIX = "checkpoint:"


def initial_weights(recipe: Recipe, checkpoints: Path) -> str:
    """Return what `build_model` takes: a file, "imagenet", or "" for random weights.

    Parameters
    ----------
    recipe : of the run; variables in its `init` are replaced where they are set
    checkpoints : the folder that "checkpoint:NAME" is in
    """
    init = os.path.expanduser(os.path.expandvars(recipe.init))
    if not init.startswith(CHECKPOINT_PREFIX):
        return init
    return str(checkpoints / init.removeprefix(CHECKPOINT_PREFIX) / WEIGHTS)


def initial_card(recipe: Recipe, checkpoints: Path) -> Card | None:
    """Return the card of the checkpoint that a run starts from; None if it starts from none.

    Raises
    ------
    CheckpointError
        If the recipe names a checkpoint that is missing or broken, by name or by its weights.
    """
    weights = Path(initial_weights(recipe, checkpoints))
    named = recipe.init.startswith(CHECKPOINT_PREFIX)
    # Without the file nobody knows whether a card lay beside it: reading that says so.
    there = (weights.parent / CARD).is_file() or not weights.is_file()
    return read_card(weights.parent) if named or (weights.name == WEIGHTS and there) else None
