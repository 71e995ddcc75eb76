"""From a recipe and a data folder to a trainer that is ready to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from lightning_fabric import Fabric

from kdcore.base import (
    CheckpointError,
    DataError,
    RecipeError,
    seed_everything,
)
from kdcore.base.progress import stop_if
from kdcore.data import (
    HAM10000,
    ImageDataset,
    Preprocess,
    Sample,
    picture_name,
    samples_by_part,
    trace_hashes,
)
from kdcore.distill.cache import CachedTeachers, TeacherCache
from kdcore.distill.cache_room import cache_root
from kdcore.distill.engine import is_main_process, make_fabric, resolve_precision
from kdcore.distill.initial import initial_card, initial_weights
from kdcore.distill.recipe import Recipe, active_terms, needed_stages
from kdcore.distill.run import RunFolder
from kdcore.distill.signals import LiveTeachers, Teacher, Teachers, teacher_weights
from kdcore.distill.sources import (
    Sources,
    hash_groups,
    limit_samples,
    load_inputs,
    load_sources,
    source_side,
)
from kdcore.distill.student import Student, stage_channels
from kdcore.distill.trainer import Trainer
from kdcore.distill.validation import TeacherView, view_of_teachers
from kdcore.models import Card, build_model, load_checkpoint

LEAST_LESIONS = 4  # in validation: its density is fitted on one half, the threshold on the other
TEACHER = "teacher "  # before a name in what a run, and its predictions, keep: the weights' hash


@dataclass(frozen=True)
class Prepared:
    """A trainer and the card its result will carry, metrics aside."""

    trainer: Trainer
    card: Card


def prepare(
    recipe: Recipe, data: ImageDataset, checkpoints: Path, folder: RunFolder, device: str = "cpu"
) -> Prepared:
    """Load teachers and data, build the student with its initial weights, fill the cache.

    Random weights depend on seed and architecture alone: baseline and student start from the same.

    Parameters
    ----------
    recipe : what to train
    data : an opened data set
    checkpoints : the folder that the recipe's teachers are in
    folder : the run folder; its status tells of a cache that is being filled
    device : "cpu" or "cuda"

    Raises
    ------
    RecipeError
        If the training part is smaller than one batch, or the data set or split is another.
    DataError
        If the validation or test part is too small for what is fitted and measured there.
    SettingError
        If there is no such device, or the cache would pass its limit.
    CheckpointError
        If a teacher or the initial weights can't be used, or saw lesions that this run holds out.
    Cancelled
        If the run's folder asks for it while the cache is filled.
    """
    fabric = make_fabric(device, recipe.precision)
    _check_processes(recipe, fabric.world_size)
    train, val = parts_of(recipe, data)
    classes = data.info.classes
    loaded = [load_checkpoint(checkpoints / name, classes) for name in recipe.teachers]
    initial = initial_card(recipe, checkpoints)
    _refuse_leaks([t.card for t in loaded], initial, recipe, data)
    preprocess = preprocess_of(recipe, data, initial)
    teachers = [Teacher(checkpoint, fabric.device) for checkpoint in loaded]
    sizes = (recipe.input_size, *(t.preprocess.size for t in teachers))
    sources = load_sources(data, train, source_side(*sizes))
    taught = {t.card.name: t.hash for t in loaded}
    trainer = Trainer(
        recipe,
        _student(recipe, len(classes), checkpoints, teachers, fabric.device),
        _answering(recipe, teachers, sources, folder, fabric),
        sources,
        load_inputs(data, val, recipe.input_size),
        preprocess,
        folder,
        fabric,
        classes=len(classes),
        seen=_seen(recipe, teachers, data, val, fabric.device),
        origin={
            "precision": resolve_precision(device, recipe.precision),
            "training set": sources.digest,
            "normalisation": f"{preprocess.mean} {preprocess.std}",
            **{TEACHER + name: weights for name, weights in taught.items()},
        },
    )
    done = replace(recipe, precision=trainer.origin["precision"])  # what "auto" was here
    return Prepared(trainer, card_of(done, data, train, preprocess, taught, initial))


def _check_processes(recipe: Recipe, processes: int) -> None:
    """Raise RecipeError for what several processes under `torchrun` would compute otherwise."""
    if recipe.batch_size % processes:
        raise RecipeError(
            f"A batch of {recipe.batch_size} images can't be shared by {processes} processes.",
            "Choose a multiple of their number.",
        )
    if processes > 1 and recipe.mixup:
        raise RecipeError(
            "mixup mixes images of a whole batch, which several processes do not have.",
            "Set mixup = 0, or train in one process.",
        )


def preprocess_of(recipe: Recipe, data: ImageDataset, initial: Card | None) -> Preprocess:
    """Return the student's preprocessing: that of the checkpoint it starts from, if any."""
    mean, std = (initial.mean, initial.std) if initial else (data.info.mean, data.info.std)
    mean, std = recipe.init_mean or mean, recipe.init_std or std  # type: ignore[assignment]
    return Preprocess(recipe.input_size, mean, std)


def card_of(
    recipe: Recipe,
    data: ImageDataset,
    train: Sequence[Sample],
    preprocess: Preprocess,
    teachers: Mapping[str, str],
    initial: Card | None = None,
) -> Card:
    """Return the card of a run's result, metrics aside.

    What its initial weights were trained on, it was trained on.

    Parameters
    ----------
    recipe : of the run
    data : what it was trained on
    train : its training part
    preprocess : of the network
    teachers : SHA-256 of their weights by name
    initial : of the checkpoint that it started from
    """
    before = (initial.train_groups, initial.train_images) if initial else ((), ())
    groups = hash_groups([s.lesion_id for s in train])
    images = hash_groups([n for s in train if (n := picture_name(s.image_id))])
    return Card(
        name=recipe.name,
        title=recipe.title or recipe.name,
        role=recipe.role,
        architecture=recipe.architecture,
        classes=data.info.classes,
        input_size=recipe.input_size,
        mean=preprocess.mean,
        std=preprocess.std,
        recipe=recipe.to_dict(),
        train_groups=tuple(sorted({*groups, *before[0]})),
        train_images=tuple(sorted({*images, *before[1]})),
        teachers=dict(teachers),
        provenance=f"Trained on {data.info.name} ({data.info.source}), split {recipe.split!r}, "
        f"{len(train):,} training images. {data.info.caution}".rstrip(),
        licence=f"{data.info.licence}, as the data{_restriction(data.info.licence)}",
    )


def _restriction(licence: str) -> str:
    return ": not for commercial use" if "-NC" in licence else ""


def parts_of(recipe: Recipe, data: ImageDataset) -> tuple[list[Sample], list[Sample]]:
    """Return training and validation samples; what can't work is said before hours are spent."""
    if recipe.dataset != data.info.key:
        raise RecipeError(
            f"The recipe is for {recipe.dataset}, and the data folder holds {data.info.name}.",
            "Name another folder with --data, or another data set in the recipe.",
        )
    if recipe.split not in data.info.splits:
        raise RecipeError(
            f"{data.info.name} has no split {recipe.split!r}.",
            f"It has: {', '.join(data.info.splits)}.",
        )
    train, val, test = samples_by_part(data, recipe.split, recipe.split_seed).values()
    train = limit_samples(train, recipe.limit)
    if len(train) < recipe.batch_size:
        raise RecipeError(
            f"The training part has {len(train)} images, fewer than one batch of "
            f"{recipe.batch_size}.",
            f"{'Raise limit, l' if recipe.limit else 'L'}ower batch_size, or name a folder with "
            "more images.",
        )
    lesions = len({s.lesion_id for s in val})
    if lesions < LEAST_LESIONS or not test:
        grouped = data.info.key == HAM10000.key  # elsewhere each image is a group of its own
        raise DataError(
            f"The data folder is too small to choose and measure a model: validation has "
            f"{len(val)} images{f' of {lesions} lesions' if grouped else ''}, test {len(test)}.",
            f"Name a folder that leaves at least {LEAST_LESIONS} "
            f"{'lesions' if grouped else 'images'} for validation, and one or more for the test.",
        )
    return train, val


def _refuse_leaks(
    teachers: Sequence[Card], initial: Card | None, recipe: Recipe, data: ImageDataset
) -> None:
    """Raise CheckpointError if a network that a run builds on has seen what the run holds out."""
    parts = data.parts(recipe.split, recipe.split_seed)
    own, held = set[str](), set[str]()
    for sample, part in zip(data.samples, parts, strict=True):
        (own if part == "train" else held).update(trace_hashes(sample.image_id, sample.lesion_id))
    built_on = [("teacher", card) for card in teachers]
    for what, card in built_on + ([("checkpoint to start from,", initial)] if initial else []):
        if (held - own) & set(card.trained):
            raise CheckpointError(
                f"The {what} {card.name} was trained on lesions that this run holds out.",
                "Use one of the same split.",
            )


def _student(
    recipe: Recipe,
    classes: int,
    checkpoints: Path,
    teachers: Sequence[Teacher],
    device: torch.device,
) -> Student:
    seed_everything(recipe.seed)
    init = initial_weights(recipe, checkpoints)
    net = build_model(recipe.architecture, classes, init or None)
    kept = needed_stages(recipe)
    most = min(len(m.stage_names) for m in (net, *(t.model for t in teachers)))
    if "align" in active_terms(vars(recipe)) and recipe.align_stage > most:
        raise RecipeError(
            f"There is no stage {recipe.align_stage} from the last to align: the networks have "
            f"{most}.",
            "Lower align_stage.",
        )
    if not recipe.hint:
        return Student(net, kept)
    stage, cpu = recipe.hint_stage, torch.device("cpu")
    try:
        channels = [stage_channels(t.model, stage, t.preprocess.size, device) for t in teachers]
        own = stage_channels(net, stage, recipe.input_size, cpu)
    except ValueError as error:
        raise RecipeError(
            f"There is no stage {stage} from the last to match: {error}.", "Lower hint_stage."
        ) from error
    return Student(net, kept, stage, own, channels)


def _answering(
    recipe: Recipe,
    teachers: Sequence[Teacher],
    sources: Sources,
    folder: RunFolder,
    fabric: Fabric,
) -> Teachers | None:
    """Return who answers during training: nobody, the networks themselves, or their caches."""
    if not teachers or not recipe.taught:
        return None
    if not recipe.teacher_views:
        return LiveTeachers(teachers, recipe, fabric.autocast)
    caches = [TeacherCache(teacher, sources, recipe, cache_root()) for teacher in teachers]

    def progress(done: int, total: int) -> None:
        stop_if(folder.cancel_requested, "Filling the teacher cache")
        if is_main_process():
            folder.write_status("caching", done=done, total=total)

    for cache in caches:
        cache.fill(progress, [other.folder for other in caches])
    return CachedTeachers(caches, recipe)


def _seen(
    recipe: Recipe,
    teachers: Sequence[Teacher],
    data: ImageDataset,
    val: Sequence[Sample],
    device: torch.device,
) -> TeacherView | None:
    if not teachers:
        return None
    inputs = [load_inputs(data, val, teacher.preprocess.size) for teacher in teachers]
    return view_of_teachers(teachers, teacher_weights(recipe), inputs, device)
