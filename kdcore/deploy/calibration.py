"""Which pictures the ranges of a quantised network are taken from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from kdcore.base import numpy_generator
from kdcore.data import ImageDataset, Sample
from kdcore.models import Checkpoint
from kdcore.predict import preprocess_of, stream_inputs


def stratified_samples(samples: Sequence[Sample], n: int, seed: int = 0) -> list[Sample]:
    """Return `n` samples with as many of each class as it has, at most an equal share.

    Classes take turns, so that the rare ones are there: their activations belong to the range.
    All are returned if there are fewer than `n`.

    Parameters
    ----------
    samples : to choose from
    n : how many, 1 or more
    seed : of the order within each class

    Raises
    ------
    ValueError
        If `n` is less than 1.
    """
    if n < 1:
        raise ValueError(f"n: expected 1 or more, got {n}")
    order = numpy_generator(seed).permutation(len(samples))
    turns: dict[int, int] = {}
    ranked = []
    for index in order.tolist():
        label = samples[index].label
        ranked.append((turns.get(label, 0), label, index))
        turns[label] = turns.get(label, 0) + 1
    return [samples[index] for _, _, index in sorted(ranked)[:n]]


def load_inputs(
    checkpoint: Checkpoint, data: ImageDataset, samples: Sequence[Sample]
) -> NDArray[np.float32]:
    """Return pictures as the checkpoint takes them, (N, 3, S, S); errors as `stream_inputs`."""
    return torch.cat(list(stream_inputs(preprocess_of(checkpoint), data, samples))).numpy()
