"""Predictions of an exported file on a data set: the same pictures, read and prepared the same.

What follows from them (macro-F1, calibration, agreement with the network) is for
`kdcore.evaluate`, which takes them as it takes a checkpoint's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kdcore.base import DataError
from kdcore.base.progress import CancelCheck, Progress
from kdcore.data import ImageDataset, Sample
from kdcore.deploy.artefact import Artefact
from kdcore.deploy.engines import Engine
from kdcore.models import Checkpoint
from kdcore.predict import Predictions, preprocess_of, record, stream_inputs


def predict_artefacts(
    checkpoint: Checkpoint,
    engines: Sequence[tuple[Artefact, Engine]],
    data: ImageDataset,
    samples: Sequence[Sample],
    split: str,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> tuple[Predictions, ...]:
    """Return each exported file's predictions, of pictures that are decoded once for all.

    Parameters
    ----------
    checkpoint : what the files were exported from
    engines : each file's record, and what runs it
    data, samples : where the pictures are, and which of them
    split : the part that the predictions are recorded as
    progress : called with images done and images in all
    cancelled : asked once a batch

    Raises
    ------
    DataError
        If there are no samples, or a picture's file can't be read.
    Cancelled
        If `cancelled` returns True.
    """
    if not samples:
        raise DataError("There is no image to predict on.", "Choose another part of the split.")
    logits: list[list[np.ndarray]] = [[] for _ in engines]
    done = 0
    for inputs in stream_inputs(preprocess_of(checkpoint), data, samples, cancelled=cancelled):
        batch = inputs.numpy()
        for parts, (_, engine) in zip(logits, engines):
            parts.append(engine(batch))
        done += len(batch)
        if progress:
            progress(done, len(samples))
    return tuple(
        record(checkpoint, samples, split, np.concatenate(parts), meta=_made_by(artefact))
        for parts, (artefact, _) in zip(logits, engines)
    )


def _made_by(artefact: Artefact) -> dict[str, str]:
    return {
        "artefact": artefact.file,
        "artefact_sha256": artefact.sha256,
        "precision": artefact.precision,
    }
