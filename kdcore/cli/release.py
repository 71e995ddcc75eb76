"""A trained model becomes a checkpoint: weights, predictions, calibration, density, cards.

All of it is written into `.releasing/NAME/new` beside the target and swapped in at the end, so
that nobody lists half a checkpoint: `*/card.json` reaches neither folder there.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.base import CheckpointError, RecipeError, SettingError, hold
from kdcore.base.progress import Progress
from kdcore.cli.outputs import check_place
from kdcore.data import ImageDataset, Sample, attributes_of, samples_by_part
from kdcore.data.info import LEAKY
from kdcore.data.splits import MEASURED_PARTS
from kdcore.distill import Prepared, Recipe, RunFolder
from kdcore.evaluate import evaluate_predictions, fit_temperature, refuse_training_images
from kdcore.models import (
    CARD,
    Card,
    Checkpoint,
    Classifier,
    load_checkpoint,
    read_card,
    save_checkpoint,
    write_card,
)
from kdcore.predict import Predictions, fit_ood, record, stream_outputs
from kdcore.report.model_card import write_model_card


def release(
    prepared: Prepared,
    data: ImageDataset,
    target: Path,
    run: RunFolder,
    progress: Progress,
    replace: bool = False,
) -> Card:
    """Write the checkpoint of a finished run to `target` and return its card.

    `prepared` is the trained run, whose history is in the folder `run`; `data` is what it was
    trained on, and `progress` is called with images done and images in all. `replace` and errors
    are those of `release_model`.
    """
    model, history = prepared.trainer.best_model(), run.history_file
    return release_model(model, prepared.card, data, target, progress, history, replace)


def release_model(
    model: Classifier,
    card: Card,
    data: ImageDataset,
    target: Path,
    progress: Progress,
    history: Path | None = None,
    replace: bool = False,
) -> Card:
    """Measure `model` on `data` and write its checkpoint to `target`, whole or not at all.

    The half-precision weights that are shipped are the ones that are measured. Temperature and
    density are fitted on validation; the test split is read here, once.

    Parameters
    ----------
    model : trained
    card : what is known of it before it is measured; its recipe names the split and its seed
    data : what it was trained on
    target : the checkpoint's folder; an earlier release of the same is replaced
    progress : called with images done and images in all
    history : a file of epochs that is kept beside the weights
    replace : replace another checkpoint, too

    Raises
    ------
    SettingError
        If `target` is another checkpoint or a folder of something else, or another process is
        releasing into it.
    DataError
        If the network was trained on lesions that a lesion-grouped split of `data` holds out.
    """
    with _swapped_in(Path(target).resolve()) as folder:
        check_target(target, card.name, card.recipe, replace)
        save_checkpoint(folder, model, card)
        if history is not None:
            shutil.copyfile(history, folder / "history.csv")
        return _measure(folder, data, progress)


def check_target(
    target: Path, name: str, recipe: Mapping[str, Any] | None, replace: bool = False
) -> None:
    """Check that a checkpoint may be written to `target`.

    Parameters
    ----------
    target : where it goes
    name, recipe : of what is released; a checkpoint of both is an earlier release of the same.
        None for a recipe that has not been trained: any checkpoint that is there is another one
    replace : replace any other checkpoint, too

    Raises
    ------
    SettingError
        If nothing can be written there, or `target` is something else, or another checkpoint.
    """
    target = Path(target)
    check_place(target, "--out")
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / CARD).is_file():
        raise SettingError(
            f"{str(target)!r} is no checkpoint, so it is not replaced by one.",
            "Name a new folder with --out.",
        )
    if not (replace or (recipe is not None and _is_of(target, name, recipe))):
        raise SettingError(
            f"There is a checkpoint in {str(target)!r} already, which would be replaced.",
            "Name another folder with --out, replace it with --replace, or resume the run that "
            "wrote it.",
        )


def _is_of(target: Path, name: str, recipe: Mapping[str, Any]) -> bool:
    """Tell whether a checkpoint has a name and recipe, whatever its title and precision."""
    try:
        card = read_card(target)
    except CheckpointError:
        return False
    return card.name == name and _plain(card.recipe) == _plain(recipe)


def _plain(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's values as a card has them, with what older cards lack."""
    with suppress(RecipeError):  # an ensemble's is none
        recipe = Recipe.from_dict(dict(recipe)).to_dict()
    plain: dict[str, Any] = json.loads(json.dumps(recipe))
    return {key: value for key, value in plain.items() if key not in ("title", "precision")}


@contextmanager
def _swapped_in(target: Path) -> Iterator[Path]:
    """Give a folder to fill, which takes the place of `target` if nothing goes wrong."""
    staging = target.parent / ".releasing" / target.name
    new, old = staging / "new", staging / "old"
    busy = SettingError(
        f"Another release is writing to {str(target)!r}.",
        "Wait for it, or name another folder with --out. A run that is trained goes on with "
        "--resume.",
    )
    with hold(staging / ".lock", busy):
        if old.exists() and not target.exists():
            old.rename(target)  # killed between the two renames below
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
        new.mkdir()
        try:
            yield new
            if target.exists():
                target.rename(old)
            new.rename(target)
        finally:
            if old.exists() and not target.exists():
                old.rename(target)
            for left in (new, old, staging):  # the lock last: then the next release begins
                shutil.rmtree(left, ignore_errors=True)
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
