"""A finished run without training again: its best weights, and the card they will carry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from kdcore.base import CheckpointError
from kdcore.data import ImageDataset
from kdcore.distill.initial import initial_card
from kdcore.distill.prepare import TEACHER, card_of, parts_of, preprocess_of
from kdcore.distill.recipe import Recipe
from kdcore.distill.run import RunFolder
from kdcore.models import Card, Classifier, build_model


def finished_run(
    recipe: Recipe, data: ImageDataset, checkpoints: Path, folder: RunFolder
) -> tuple[Classifier, Card]:
    """Return the network of a run's best epoch, and its card without metrics.

    Teachers and precision are those that the run was made with, whatever is there now.

    Parameters
    ----------
    recipe : of the run
    data : what it was trained on
    checkpoints : the folder that its initial weights are from, where it names a checkpoint
    folder : of the run; nothing is written to it

    Raises
    ------
    CheckpointError
        If the run's weights or last state can't be read.
    """
    train, _ = parts_of(recipe, data)
    model = build_model(recipe.architecture, len(data.info.classes))
    try:
        model.load_state_dict(torch.load(folder.best, map_location="cpu", weights_only=True))
        origin = torch.load(folder.last, map_location="cpu", weights_only=True)["origin"]
    except (OSError, RuntimeError, KeyError, EOFError) as error:
        raise CheckpointError(
            f"The run {folder.path.name} can't be read: {error}.", "Train it again."
        ) from error
    teachers = {
        name.removeprefix(TEACHER): weights
        for name, weights in origin.items()
        if name.startswith(TEACHER)
    }
    done = replace(recipe, precision=origin["precision"])
    initial = initial_card(recipe, checkpoints)
    preprocess = preprocess_of(recipe, data, initial)
    return model.eval(), card_of(done, data, train, preprocess, teachers, initial)
