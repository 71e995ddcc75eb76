"""From a recipe and a data folder to a trainer that is ready to run."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from kdcore.base import CheckpointError, seed_everything
from kdcore.data import HAM10000, Ham10000, Preprocess, split_samples
from kdcore.distill.recipe import Recipe
from kdcore.distill.run import RunFolder
from kdcore.distill.sources import hash_groups, load_inputs, load_sources
from kdcore.distill.trainer import Trainer
from kdcore.models import Card, Checkpoint, build_model, load_checkpoint


@dataclass(frozen=True)
class Prepared:
    """A trainer and the card its result will carry, metrics aside."""

    trainer: Trainer
    card: Card


def prepare(
    recipe: Recipe, data: Ham10000, checkpoints: Path, folder: RunFolder, device: str = "cpu"
) -> Prepared:
    """Load teachers and data, build the student with its initial weights.

    Parameters
    ----------
    recipe : what to train
    data : an opened data set
    checkpoints : the folder that the recipe's teachers are in
    folder : the run folder
    device : "cpu" or "cuda"

    Raises
    ------
    CheckpointError
        If a teacher or the initial weights can't be used, or a teacher was trained on lesions of
        this run's validation or test part.
    """
    parts = split_samples(data.samples, recipe.split, recipe.split_seed)
    train = [s for s, p in zip(data.samples, parts, strict=True) if p == "train"]
    val = [s for s, p in zip(data.samples, parts, strict=True) if p == "val"]
    own = hash_groups([s.lesion_id for s in train])
    held = set(hash_groups([s.lesion_id for s in data.samples])) - set(own)
    teachers = _teachers(recipe, checkpoints, held)
    mean = recipe.init_mean or HAM10000.mean
    std = recipe.init_std or HAM10000.std
    preprocess = Preprocess(recipe.input_size, mean, std)  # type: ignore[arg-type]
    seed_everything(recipe.seed)
    init = os.path.expanduser(os.path.expandvars(recipe.init))
    model = build_model(recipe.architecture, len(HAM10000.classes), init or None)
    finest = max([recipe.input_size, *(t.card.input_size for t in teachers)])
    sources = load_sources(data, train, math.ceil(finest * 1.25))
    inputs = load_inputs(data, val, recipe.input_size)
    trainer = Trainer(recipe, model, teachers, sources, inputs, preprocess, folder, device)
    card = Card(
        name=recipe.name,
        title=recipe.title or recipe.name,
        role=recipe.role,
        architecture=recipe.architecture,
        classes=HAM10000.classes,
        input_size=recipe.input_size,
        mean=preprocess.mean,
        std=preprocess.std,
        recipe=recipe.to_dict(),
        train_groups=own,
        provenance=f"Trained on {HAM10000.name} ({HAM10000.source}), split {recipe.split!r}, "
        f"{len(train):,} training images.",
        licence=f"{HAM10000.licence}, as the data: not for commercial use",
    )
    return Prepared(trainer, card)


def _teachers(recipe: Recipe, checkpoints: Path, held: set[str]) -> list[Checkpoint]:
    teachers = [load_checkpoint(checkpoints / name, HAM10000.classes) for name in recipe.teachers]
    for teacher in teachers:
        if held & set(teacher.card.train_groups):
            raise CheckpointError(
                f"The teacher {teacher.card.name} was trained on lesions that this run holds out.",
                "Use a teacher of the same split.",
            )
    return teachers
