"""Models on corrupted pictures: every model, corruption and severity, kept cell by cell.

Each corrupted picture is made once and shown to all models that still lack the cell, so that
several models cost little more than their forward passes. A cell that is on disk is not computed
again: a run that was cancelled or killed goes on where it ended, and another model, corruption or
severity adds its own cells only.

Corruptions are applied to the reference square, and so is none of them: "clean" differs from
`predict_dataset` by what a network's resize there still sees beyond the square's edge, and by the
reduction of pictures that are larger than the square.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from kdcore.base import DataError, KdError, sha256_bytes, state_folder
from kdcore.base.progress import Progress
from kdcore.data import ImageDataset, Sample
from kdcore.data.corruptions import (
    CLEAN,
    CORRUPTIONS,
    VERSION,
    Step,
    corrupt,
    image_seed,
    parse_stack,
    reference_square,
    stack_name,
)
from kdcore.models import Checkpoint, check_classes
from kdcore.predict.predict import preprocess_of, record
from kdcore.predict.predictions import Predictions

_BATCH = 32
_WORKERS = 2


@dataclass(frozen=True)
class GridStore:
    """Where the cells of a grid are kept: one file for each model and corruption.

    Attributes
    ----------
    root : folder of all grids
    key : names what the cells were computed on: pictures, seed, the corruptions' version
    """

    root: Path
    key: str

    def path(self, weights_sha256: str, stack: str) -> Path:
        """Return the file of a cell, there or not."""
        return self.root / weights_sha256[:16] / self.key / f"{stack}.npz"

    def load(self, weights_sha256: str, stack: str) -> Predictions | None:
        """Return a cell, or None where it is not there, or is broken and so made again."""
        path = self.path(weights_sha256, stack)
        try:
            return Predictions.load(path) if path.is_file() else None
        except KdError:
            return None


def grid_store(samples: Sequence[Sample], seed: int = 0, root: Path | None = None) -> GridStore:
    """Return the store of a grid over these pictures; by default inside the state folder."""
    ids = "\n".join(sample.image_id for sample in samples)
    key = sha256_bytes(f"{VERSION}\n{seed}\n{ids}".encode())[:16]
    return GridStore(root or state_folder() / "robustness", key)


def all_stacks(names: Sequence[str] = ()) -> tuple[str, ...]:
    """Return "clean" and each corruption at each severity, those of `names` or all."""
    chosen = [CORRUPTIONS.get(name) for name in names or CORRUPTIONS.names()]
    steps = (Step(c.name, severity) for c in chosen for severity in c.severities)
    return (CLEAN, *(stack_name((step,)) for step in steps))


def run_grid(
    checkpoints: Sequence[Checkpoint],
    data: ImageDataset,
    samples: Sequence[Sample],
    split: str,
    stacks: Sequence[str],
    store: GridStore,
    seed: int = 0,
    progress: Progress | None = None,
) -> None:
    """Compute the cells that `store` lacks, and keep each as soon as it is whole.

    Parameters
    ----------
    checkpoints : at least one; all of the same classes
    data, samples : where the pictures are, and which of them. Their centre squares of at most
        224 pixels stay in memory, 0.15 MB each
    split : the part that the predictions are recorded as
    stacks : names of corruptions, as `all_stacks` gives them; "a-1+b-2" is a stack of two
    store : from `grid_store` with the same samples and seed
    seed : of the corruptions; each picture has its own after its id
    progress : called after each batch; where it raises, whole cells are kept

    Raises
    ------
    CheckpointError
        If a network is of other classes than the first.
    DataError
        If there is no picture, a corruption is unknown, or a picture can't be read.
    """
    if not samples:
        raise DataError("There is no picture to corrupt.", "Choose another part of the split.")
    check_classes(checkpoint.card for checkpoint in checkpoints)
    wanted = {stack: parse_stack(stack) for stack in stacks}
    lacking = {
        stack: [c for c in checkpoints if store.load(c.hash, stack) is None] for stack in wanted
    }
    lacking = {stack: models for stack, models in lacking.items() if models}
    total, done = len(lacking) * len(samples), 0
    squares = _squares(data, samples) if lacking else []
    seeds = [image_seed(sample.image_id, seed) for sample in samples]
    for stack, models in lacking.items():
        logits: dict[str, list[NDArray[np.float32]]] = {c.hash: [] for c in models}
        for batch in _corrupted(squares, seeds, wanted[stack]):
            for weights, values in _answers(models, batch).items():
                logits[weights].append(values)
            done += len(batch)
            if progress:
                progress(done, total)
        for checkpoint in models:
            values = np.concatenate(logits[checkpoint.hash])
            cell = record(checkpoint, samples, split, values, corruption=stack)
            cell.save(store.path(checkpoint.hash, stack))


def _squares(data: ImageDataset, samples: Sequence[Sample]) -> list[Image.Image]:
    with ThreadPoolExecutor(_WORKERS) as pool:
        read = pool.map(lambda s: reference_square(data.picture(s.image_id).rgb), samples)
        return list(read)


def _corrupted(
    squares: Sequence[Image.Image], seeds: Sequence[int], stack: tuple[Step, ...]
) -> Iterator[list[Image.Image]]:
    """Yield batches of corrupted pictures; the next is made while one is in the networks."""
    with ThreadPoolExecutor(_WORKERS) as pool:

        def begin(start: int) -> list[Any]:
            places = range(start, min(start + _BATCH, len(squares)))
            return [pool.submit(corrupt, squares[i], stack, seeds[i]) for i in places]

        waiting = begin(0)
        for start in range(_BATCH, len(squares) + _BATCH, _BATCH):
            following = begin(start)
            try:
                yield [future.result() for future in waiting]
            except GeneratorExit:
                for future in following:
                    future.cancel()
                raise
            waiting = following


def _answers(
    checkpoints: Sequence[Checkpoint], pictures: Sequence[Image.Image]
) -> dict[str, NDArray[np.float32]]:
    """Return the logits (B, C) of each model by its hash; models of one input share the tensor."""
    inputs: dict[object, Tensor] = {}
    answers = {}
    for checkpoint in checkpoints:
        prepare = preprocess_of(checkpoint)
        if prepare not in inputs:
            inputs[prepare] = torch.stack([prepare(picture) for picture in pictures])
        with torch.inference_mode():
            answers[checkpoint.hash] = checkpoint.model(inputs[prepare]).logits.float().numpy()
    return answers
