"""A trained model becomes a checkpoint: weights, predictions, calibration, density, card."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kdcore.data import Ham10000, Sample, split_samples
from kdcore.distill import Prepared, RunFolder
from kdcore.evaluate import evaluate_predictions, fit_temperature
from kdcore.models import Card, Checkpoint, load_checkpoint, save_checkpoint, write_card
from kdcore.predict import Predictions, fit_ood, stream_outputs

Progress = Callable[[int, int], None]


def release(
    prepared: Prepared, data: Ham10000, target: Path, run: RunFolder, progress: Progress
) -> Card:
    """Write the checkpoint of a finished run to `target` and return its card.

    `prepared` is the trained run, whose history is in the folder `run`; `data` is what it was
    trained on, and `progress` is called with images done and images in all.

    The half-precision weights that are shipped are the ones that are measured. Temperature and
    density are fitted on validation; the test split is read here, once.
    """
    save_checkpoint(target, prepared.trainer.best_model(), prepared.card)
    shutil.copyfile(run.history_file, target / "history.csv")
    checkpoint = load_checkpoint(target)
    recipe = prepared.trainer.recipe
    parts = split_samples(data.samples, recipe.split, recipe.split_seed)
    features, predictions = {}, {}
    for part in ("val", "test"):
        samples = [s for s, p in zip(data.samples, parts, strict=True) if p == part]
        predictions[part], features[part] = _outputs(checkpoint, data, samples, part, progress)
        predictions[part].save(target / f"predictions-{part}.npz")
    density = fit_ood(features["val"], predictions["val"].group_ids)
    density.save(target)
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
    write_card(target, card)
    return card


def _outputs(
    checkpoint: Checkpoint, data: Ham10000, samples: list[Sample], part: str, progress: Progress
) -> tuple[Predictions, NDArray[np.float32]]:
    outputs = stream_outputs(checkpoint, data, samples, progress=progress)
    logits, features = zip(*outputs, strict=True)
    predictions = Predictions(
        logits=np.concatenate([x.numpy() for x in logits]),
        labels=np.array([s.label for s in samples], dtype=np.int64),
        sample_ids=np.array([s.image_id for s in samples]),
        group_ids=np.array([s.lesion_id for s in samples]),
        classes=checkpoint.card.classes,
        split=part,
        checkpoint_hash=checkpoint.hash,
        checkpoint=checkpoint.card.name,
    )
    return predictions, np.concatenate([x.numpy() for x in features])


def _summary(predictions: Predictions, temperature: float) -> dict[str, object]:
    result = evaluate_predictions(predictions, temperature).as_dict()
    said_elsewhere = ("checkpoint", "checkpoint_hash", "classes")
    return {k: v for k, v in result.items() if k not in said_elsewhere}
