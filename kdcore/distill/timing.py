"""How long a run will take on this machine, from a few steps on made-up pixels."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from kdcore.base.progress import Progress
from kdcore.data import ImageDataset, Preprocess, samples_by_part
from kdcore.distill.batches import Batch
from kdcore.distill.engine import make_fabric
from kdcore.distill.recipe import Recipe, needed_stages
from kdcore.distill.run import RunFolder
from kdcore.distill.signals import LiveTeachers, Signals, Teacher
from kdcore.distill.sources import Sources, source_side
from kdcore.distill.student import Student
from kdcore.distill.trainer import Trainer
from kdcore.models import build_model, load_checkpoint

_STEPS = 4


@dataclass(frozen=True)
class Estimate:
    """Seconds that a run will take: each epoch, filling the cache, and in all."""

    epoch_s: float
    cache_s: float
    total_s: float
    images_per_second: float


class _Frozen:
    """Teachers that say the same at every step, as fast as a cache does."""

    def __init__(self, said: Signals) -> None:
        self.said = said

    def signals(self, batch: Batch) -> Signals:
        return self.said


def estimate_run(
    recipe: Recipe,
    data: ImageDataset,
    checkpoints: Path,
    device: str = "cpu",
    progress: Progress = lambda done, total: None,
) -> Estimate:
    """Time a few steps of `recipe` and scale them to its images and epochs.

    Parameters
    ----------
    recipe : what would be trained, at its final input size
    data : only counted, not decoded
    checkpoints : the folder of its teachers
    device : "cpu" or "cuda"
    progress : called with steps done and steps in all; may raise to stop

    Raises
    ------
    KdError
        As `prepare`, for what can't work.
    """
    fabric = make_fabric(device, recipe.precision)
    parts = samples_by_part(data, recipe.split, recipe.split_seed)
    images, checked = len(parts["train"]), len(parts["val"])
    images = min(images, recipe.limit or images)
    loaded = [load_checkpoint(checkpoints / t, data.info.classes) for t in recipe.teachers]
    teachers = [Teacher(c, fabric.device) for c in loaded]
    side = source_side(recipe.input_size, *(t.preprocess.size for t in teachers))
    live = replace(recipe, teacher_views=0, hint=0.0, init="")
    made_up = _made_up(recipe, data, side)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            live,
            Student(
                build_model(recipe.architecture, len(data.info.classes)), needed_stages(recipe)
            ),
            LiveTeachers(teachers, live, fabric.autocast) if teachers and recipe.taught else None,
            made_up,
            made_up,
            Preprocess(recipe.input_size, data.info.mean, data.info.std),
            RunFolder(Path(folder)),
            fabric,
            classes=len(data.info.classes),
        )
        teaching, step = _times(trainer, recipe, progress)
    steps = max(1, images // recipe.batch_size)
    forward = step / 3 * checked / recipe.batch_size  # a third: no backward pass
    epoch = steps * (step + (0.0 if recipe.teacher_views else teaching)) + forward
    cache = recipe.teacher_views * images / recipe.batch_size * teaching
    return Estimate(epoch, cache, cache + recipe.epochs * epoch, steps * recipe.batch_size / epoch)


def _made_up(recipe: Recipe, data: ImageDataset, short: int) -> Sources:
    shape = (recipe.batch_size, 3, short, round(short * data.info.aspect))
    labels = torch.arange(recipe.batch_size) % len(data.info.classes)
    return Sources(torch.randint(0, 256, shape, dtype=torch.uint8), labels)


def _times(trainer: Trainer, recipe: Recipe, progress: Progress) -> tuple[float, float]:
    """Return median seconds of asking the teachers about a batch, and of a step without that."""
    teachers, asking, stepping = trainer.teachers, [], []
    trainer.forward.train()
    for count in range(_STEPS + 1):
        progress(count, _STEPS + 1)
        batch = next(trainer.batches.epoch(count))
        start = _now()
        if teachers is not None:
            trainer.teachers = _Frozen(teachers.signals(batch))
        middle = _now()
        trainer.step(batch, recipe.input_size, recipe.learning_rate, 0.0)
        asking.append(middle - start)
        stepping.append(_now() - middle)
    progress(_STEPS + 1, _STEPS + 1)
    return statistics.median(asking[1:]), statistics.median(stepping[1:])  # the first warms up


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()  # a GPU works on after the call that asked it has returned
    return time.perf_counter()
