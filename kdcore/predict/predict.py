"""A checkpoint on one picture, or streamed over many: memory does not grow with their number."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from kdcore.base import Cancelled, DataError
from kdcore.base.progress import CancelCheck, Progress
from kdcore.data import ImageDataset, Preprocess, Sample, attributes_of, brightness_of
from kdcore.models import Checkpoint
from kdcore.predict.ood import early_statistics
from kdcore.predict.predictions import Predictions


@dataclass(frozen=True)
class ImagePrediction:
    """One picture through one checkpoint: `logits` (C,), its `tensor` (1, 3, S, S), `stages`."""

    logits: NDArray[np.float32]
    stages: tuple[Tensor, ...]
    tensor: Tensor


def preprocess_of(checkpoint: Checkpoint) -> Preprocess:
    """Return the preprocessing that the checkpoint's card describes."""
    card = checkpoint.card
    return Preprocess(card.input_size, card.mean, card.std)


def predict_image(checkpoint: Checkpoint, image: Image.Image) -> ImagePrediction:
    """Run one RGB picture of any size through a checkpoint."""
    tensor = preprocess_of(checkpoint)(image).unsqueeze(0)  # (1, 3, S, S)
    with torch.inference_mode():
        output = checkpoint.model(tensor)
    # Clones leave inference mode behind: explanations may ask for gradients of what follows.
    stages = tuple(stage.clone() for stage in output.stages)
    return ImagePrediction(output.logits[0].numpy().astype(np.float32), stages, tensor)


def warm_up(checkpoint: Checkpoint) -> None:
    """Run a blank input, so that the first picture does not pay for the kernels' setup."""
    size = checkpoint.card.input_size
    with torch.inference_mode():
        checkpoint.model(torch.zeros(1, 3, size, size))


def stream_outputs(
    checkpoint: Checkpoint,
    data: ImageDataset,
    samples: Sequence[Sample],
    batch_size: int = 32,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
    brightness: dict[str, float] | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield logits (B, C) and `early_statistics` (B, D), batch by batch.

    Parameters
    ----------
    checkpoint : the network and how its input is prepared
    data, samples : where the pictures are, and which of them
    batch_size : B; two batches are in memory at any time
    progress : called with images done and images in all
    cancelled : asked once a batch
    brightness : filled with `brightness_of` by image id, since pictures are decoded here anyway

    Raises
    ------
    DataError
        If a picture's file can't be read; it is named.
    ImageError
        If a picture can't be decoded; it is named.
    Cancelled
        If `cancelled` returns True.
    """
    prepare, done = preprocess_of(checkpoint), 0
    for inputs in stream_inputs(prepare, data, samples, batch_size, cancelled, brightness):
        with torch.inference_mode():
            output = checkpoint.model(inputs)
        done += len(inputs)
        if progress:
            progress(done, len(samples))
        yield output.logits.float(), early_statistics(output.stages)


def stream_inputs(
    prepare: Preprocess,
    data: ImageDataset,
    samples: Sequence[Sample],
    batch_size: int = 32,
    cancelled: CancelCheck | None = None,
    brightness: dict[str, float] | None = None,
) -> Iterator[Tensor]:
    """Yield what a network gets of the pictures, (B, 3, S, S), batch by batch.

    `prepare` makes the input of a picture; all else, and the errors, are as `stream_outputs` has
    them.
    """

    def load(sample: Sample) -> Tensor:
        rgb = data.picture(sample.image_id).rgb
        if brightness is not None:
            brightness[sample.image_id] = brightness_of(rgb)
        return prepare(rgb)

    with ThreadPoolExecutor(2) as pool:
        batches = _batched(samples, batch_size)
        # One batch is decoded while the one before it is in the network; no more wait in memory.
        waiting = [pool.submit(load, s) for s in next(batches, ())]
        while waiting:
            following = [pool.submit(load, s) for s in next(batches, ())]
            if cancelled and cancelled():
                for future in following:
                    future.cancel()
                raise Cancelled("The prediction")
            yield torch.stack([future.result() for future in waiting])
            waiting = following


def predict_dataset(
    checkpoint: Checkpoint,
    data: ImageDataset,
    samples: Sequence[Sample],
    split: str,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> Predictions:
    """Return the predictions of `checkpoint` on `samples` of `data`, recorded as part `split`.

    `progress` and `cancelled`, and the errors, are those of `stream_outputs`; and DataError if
    there are no samples.
    """
    if not samples:
        raise DataError(
            "There is no image to predict on.",
            "Choose another part of the split or another folder.",
        )
    brightness: dict[str, float] = {}
    outputs = stream_outputs(checkpoint, data, samples, 32, progress, cancelled, brightness)
    logits = np.concatenate([batch.numpy() for batch, _ in outputs])
    attributes = attributes_of(data, samples, brightness=brightness)
    return record(checkpoint, samples, split, logits, attributes=attributes)


def record(
    checkpoint: Checkpoint,
    samples: Sequence[Sample],
    split: str,
    logits: NDArray[np.float32],
    **more: Any,
) -> Predictions:
    """Return logits (N, C) of `checkpoint` on N samples as `Predictions`.

    `more` are further fields of it: `corruption`, `attributes`.
    """
    return Predictions(
        logits=logits.astype(np.float32),
        labels=np.array([s.label for s in samples], dtype=np.int64),
        sample_ids=np.array([s.image_id for s in samples]),
        group_ids=np.array([s.lesion_id for s in samples]),
        classes=checkpoint.card.classes,
        split=split,
        checkpoint_hash=checkpoint.hash,
        checkpoint=checkpoint.card.name,
        **more,
    )


def _batched(samples: Iterable[Sample], size: int) -> Iterator[list[Sample]]:
    iterator = iter(samples)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
