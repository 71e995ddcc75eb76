"""Which pictures an export is checked on, and INT8 takes its ranges from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from kdcore.base import numpy_generator
from kdcore.data import ImageDataset, Sample
from kdcore.deploy.make import Pictures
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


def calibration_samples(samples: Sequence[Sample], n: int) -> list[Sample]:
    """Return 2 `n` samples for `export_pictures`, classes in turn, or fewer where there are.

    Give it the training part: validation then chooses between forms without having shaped one,
    and labels only see to it that every class is there.
    """
    return stratified_samples(samples, 2 * n)


def export_pictures(
    checkpoint: Checkpoint, data: ImageDataset, samples: Sequence[Sample]
) -> Pictures:
    """Return half of `samples` to give INT8 its ranges, the others to check and search on.

    `samples` are `calibration_samples`; where there are fewer than two, drawn lesions are checked
    on. Other parameters and errors are those of `load_inputs`.
    """
    if len(samples) < 2:
        return Pictures()
    ranges, checked = _halves(samples)
    images = load_inputs(checkpoint, data, samples)
    return Pictures(images[checked], images[ranges], images[checked])


def _halves(samples: Sequence[Sample]) -> tuple[list[int], list[int]]:
    """Return two halves of the indices of two samples or more, each with every class of two.

    A class goes to both by turns. Classes begin on one side and the other by turns, so that the
    halves are of one size, and neither is empty.
    """
    order = {label: k for k, label in enumerate(sorted({s.label for s in samples}))}
    turns: Counter[int] = Counter()
    halves: tuple[list[int], list[int]] = ([], [])
    for index, sample in enumerate(samples):
        halves[(turns[sample.label] + order[sample.label]) % 2].append(index)
        turns[sample.label] += 1
    return halves


def load_inputs(
    checkpoint: Checkpoint, data: ImageDataset, samples: Sequence[Sample]
) -> NDArray[np.float32]:
    """Return pictures as the checkpoint takes them, (N, 3, S, S); errors as `stream_inputs`."""
    return torch.cat(list(stream_inputs(preprocess_of(checkpoint), data, samples))).numpy()
