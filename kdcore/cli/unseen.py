"""Which images a command predicts on: the part asked for, less what the network was trained on.

The parts of a split depend on every row of the metadata, so with rows more or less than in
training, some images of the test part show lesions of the training part. The card knows them.
"""

from __future__ import annotations

import argparse
import sys

from kdcore.base import DataError
from kdcore.cli.common import choose
from kdcore.data import ImageDataset, Sample
from kdcore.evaluate import trained_on
from kdcore.models import Card


def choose_unseen(
    data: ImageDataset, options: argparse.Namespace, card: Card
) -> tuple[tuple[Sample, ...], int]:
    """Return the samples of the chosen part without trained lesions, and how many were left out.

    What was left out is said on stderr; nothing is with `--allow-training-images`, nor where the
    card does not tell which lesions the checkpoint was trained on.

    Raises
    ------
    DataError
        If the part is empty, or nothing is left of it.
    """
    samples = choose(data, options, card.recipe)
    if options.allow_training_images:
        return samples, 0
    ids = [s.image_id for s in samples], [s.lesion_id for s in samples]
    trained = set(trained_on(*ids, card.trained).tolist())
    if not trained:
        return samples, 0
    if len(trained) == len(samples):
        raise DataError(
            f"{card.name} was trained on the lesions of all {len(samples):,} images.",
            "Choose another part or data folder, or keep them with --allow-training-images.",
        )
    lesions = {samples[i].lesion_id for i in trained if samples[i].lesion_id != samples[i].image_id}
    grouped = f", of {len(lesions):,} lesions," if lesions else ""
    print(
        f"Left out: {len(trained):,} of {len(samples):,} images{grouped} that {card.name} was "
        "trained on.",
        file=sys.stderr,
    )
    return tuple(s for i, s in enumerate(samples) if i not in trained), len(trained)
