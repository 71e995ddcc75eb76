"""From a recipe and a data folder to a trainer that is ready to run."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import torch

from kdcore.base import CheckpointError, DataError, RecipeError, SettingError, seed_everything
from kdcore.data import HAM10000, Ham10000, Preprocess, Sample, split_samples
from kdcore.distill.recipe import Recipe
from kdcore.distill.run import RunFolder
from kdcore.distill.sources import hash_groups, load_inputs, load_sources
from kdcore.distill.trainer import Trainer
from kdcore.models import Card, Checkpoint, build_model, load_checkpoint

LEAST_LESIONS = 4  # in validation: its density is fitted on one half, the threshold on the other


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
    RecipeError
        If the training part is smaller than one batch.
    DataError
        If the validation or test part is too small for what is fitted and measured there.
    SettingError
        If there is no such device.
    CheckpointError
        If a teacher or the initial weights can't be used, or a teacher was trained on lesions of
        this run's validation or test part.
    """
    check_device(device)
    train, val = _parts(recipe, data)
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
    trainer = Trainer(
        recipe, model, teachers, sources, inputs, preprocess, folder, device,
        classes=len(HAM10000.classes),
    )  # fmt: skip
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
        teachers={t.card.name: t.hash for t in teachers},
        provenance=f"Trained on {HAM10000.name} ({HAM10000.source}), split {recipe.split!r}, "
        f"{len(train):,} training images.",
        licence=f"{HAM10000.licence}, as the data: not for commercial use",
    )
    return Prepared(trainer, card)


def check_device(device: str) -> None:
    """Raise SettingError unless `device` is "cpu", or a "cuda" device that this machine has."""
    try:
        wanted = torch.device(device)
    except (RuntimeError, TypeError):
        wanted = torch.device("meta")
    if wanted.type not in ("cpu", "cuda"):
        raise SettingError(f"There is no device {device!r} to train on.", "Choose cpu or cuda.")
    if wanted.type == "cuda" and (
        not torch.cuda.is_available() or (wanted.index or 0) >= torch.cuda.device_count()
    ):
        raise SettingError(
            f"The device {device!r} was asked for, and PyTorch finds no such GPU here.",
            "Choose cpu, or install PyTorch with CUDA on a machine that has one.",
        )


def _parts(recipe: Recipe, data: Ham10000) -> tuple[list[Sample], list[Sample]]:
    """Return training and validation samples; what can't work is said before hours are spent."""
    parts = split_samples(data.samples, recipe.split, recipe.split_seed)
    samples = list(zip(data.samples, parts, strict=True))
    train, val, test = ([s for s, p in samples if p == part] for part in ("train", "val", "test"))
    if len(train) < recipe.batch_size:
        raise RecipeError(
            f"The training part has {len(train)} images, fewer than one batch of "
            f"{recipe.batch_size}.",
            "Lower batch_size, or name a folder with more images.",
        )
    if len({s.lesion_id for s in val}) < LEAST_LESIONS or not test:
        raise DataError(
            f"The data folder is too small to choose and measure a model: validation has "
            f"{len(val)} images of {len({s.lesion_id for s in val})} lesions, test {len(test)}.",
            f"Name a folder that leaves at least {LEAST_LESIONS} lesions for validation.",
        )
    return train, val


def _teachers(recipe: Recipe, checkpoints: Path, held: set[str]) -> list[Checkpoint]:
    teachers = [load_checkpoint(checkpoints / name, HAM10000.classes) for name in recipe.teachers]
    for teacher in teachers:
        if held & set(teacher.card.train_groups):
            raise CheckpointError(
                f"The teacher {teacher.card.name} was trained on lesions that this run holds out.",
                "Use a teacher of the same split.",
            )
    return teachers
