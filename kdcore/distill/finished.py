"""A finished run without training again: its best weights, and the card they will carry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kdcore.data import ImageDataset
from kdcore.distill.initial import initial_card
from kdcore.distill.prepare import TEACHER, card_of, parts_of, preprocess_of
from kdcore.distill.recipe import Recipe
from kdcore.distill.run import RunFolder, kept_state
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
    with kept_state(folder.best) as state:
        model.load_state_dict(state)
    with kept_state(folder.last) as state:
        origin = dict(state["origin"])
        done = replace(recipe, precision=origin["precision"])
    teachers = {
        name.removeprefix(TEACHER): weights
        for name, weights in origin.items()
        if name.startswith(TEACHER)
    }
    initial = initial_card(recipe, checkpoints)
    preprocess = preprocess_of(recipe, data, initial)
    return model.eval(), card_of(done, data, train, preprocess, teachers, initial)
