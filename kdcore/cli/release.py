"""A trained model becomes a checkpoint: weights, predictions, calibration, density, cards.

All of it is written into `.releasing/NAME/new` beside the target and swapped in at the end, so
that nobody lists half a checkpoint: `*/card.json` reaches neither folder there.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kdcore.base import SettingError
from kdcore.base.progress import Progress
from kdcore.data import ImageDataset, Sample, attributes_of, samples_by_part
from kdcore.data.info import LEAKY
from kdcore.data.splits import MEASURED_PARTS
from kdcore.distill import Prepared, RunFolder
from kdcore.evaluate import evaluate_predictions, fit_temperature, refuse_training_images
from kdcore.models import (
    Card,
    Checkpoint,
    Classifier,
    load_checkpoint,
    save_checkpoint,
    write_card,
)
from kdcore.predict import Predictions, fit_ood, record, stream_outputs
from kdcore.report.model_card import write_model_card


def release(
    prepared: Prepared, data: ImageDataset, target: Path, run: RunFolder, progress: Progress
) -> Card:
    """Write the checkpoint of a finished run to `target` and return its card.

    `prepared` is the trained run, whose history is in the folder `run`; `data` is what it was
    trained on, and `progress` is called with images done and images in all. Errors are those of
    `release_model`.
    """
    model = prepared.trainer.best_model()
    return release_model(model, prepared.card, data, target, progress, run.history_file)


def release_model(
    model: Classifier,
    card: Card,
    data: ImageDataset,
    target: Path,
    progress: Progress,
    history: Path | None = None,
) -> Card:
    """Measure `model` on `data` and write its checkpoint to `target`, whole or not at all.

    The half-precision weights that are shipped are the ones that are measured. Temperature and
    density are fitted on validation; the test split is read here, once.

    Parameters
    ----------
    model : trained
    card : what is known of it before it is measured; its recipe names the split and its seed
    data : what it was trained on
    target : the checkpoint's folder; one that is there is replaced
    progress : called with images done and images in all
    history : a file of epochs that is kept beside the weights

    Raises
    ------
    SettingError
        If `target` is a folder of something else.
    DataError
        If the network was trained on lesions that a lesion-grouped split of `data` holds out.
    """
    check_target(target)
    with _swapped_in(Path(target).resolve()) as folder:
        save_checkpoint(folder, model, card)
        if history is not None:
            shutil.copyfile(history, folder / "history.csv")
        return _measure(folder, data, progress)


def check_target(target: Path) -> None:
    """Raise SettingError if `target` is there and is neither a checkpoint nor an empty folder."""
    target = Path(target)
    if not target.exists() or (target / "card.json").is_file():
        return
    if not target.is_dir() or any(target.iterdir()):
        raise SettingError(
            f"{str(target)!r} is no checkpoint, so it is not replaced by one.",
            "Name a new folder with --out.",
        )


@contextmanager
def _swapped_in(target: Path) -> Iterator[Path]:
    """Give a folder to fill, which takes the place of `target` if nothing goes wrong."""
    staging = target.parent / ".releasing" / target.name
    new, old = staging / "new", staging / "old"
    if old.exists() and not target.exists():
        old.rename(target)  # killed between the two renames below
    shutil.rmtree(staging, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        yield new
        if target.exists():
            target.rename(old)
        new.rename(target)
    finally:
        if old.exists() and not target.exists():
            old.rename(target)
        shutil.rmtree(staging, ignore_errors=True)
        with suppress(OSError):  # another release is under way beside this one
            staging.parent.rmdir()


def _measure(folder: Path, data: ImageDataset, progress: Progress) -> Card:
    checkpoint = load_checkpoint(folder)
    recipe = checkpoint.card.recipe
    parts = samples_by_part(data, recipe["split"], recipe["split_seed"])
    features, predictions = {}, {}
    for part in MEASURED_PARTS:
        predictions[part], features[part] = _outputs(checkpoint, data, parts[part], part, progress)
        leaky = recipe["split"] == LEAKY
        refuse_training_images(predictions[part], checkpoint.card.trained, allow=leaky)
        predictions[part].save(folder / f"predictions-{part}.npz")
    density = fit_ood(features["val"], predictions["val"].group_ids)
    density.save(folder)
    temperature = fit_temperature(predictions["val"].logits, predictions["val"].labels)
    card = dataclasses.replace(
        checkpoint.card,
        temperature=temperature,
        metrics={k: _summary(v, temperature) for k, v in predictions.items()},
        ood={
            "method": "probabilistic PCA of early-stage channel statistics, validation images",
            "threshold": density.threshold,
            "false_alarm_rate": float((density.score(features["test"]) > density.threshold).mean()),
            "false_alarm_split": "test",
        },
    )
    write_card(folder, card)
    write_model_card(folder)
    return card


def _outputs(
    checkpoint: Checkpoint, data: ImageDataset, samples: list[Sample], part: str, progress: Progress
) -> tuple[Predictions, NDArray[np.float32]]:
    brightness: dict[str, float] = {}
    outputs = stream_outputs(checkpoint, data, samples, progress=progress, brightness=brightness)
    logits, features = zip(*outputs, strict=True)
    attributes = attributes_of(data, samples, brightness=brightness)
    values = np.concatenate([x.numpy() for x in logits])
    predictions = record(checkpoint, samples, part, values, attributes=attributes)
    return predictions, np.concatenate([x.numpy() for x in features])


def _summary(predictions: Predictions, temperature: float) -> dict[str, object]:
    result = evaluate_predictions(predictions, temperature).as_dict()
    said_elsewhere = ("checkpoint", "checkpoint_hash", "classes")
    return {k: v for k, v in result.items() if k not in said_elsewhere}
