"""Which images a command predicts on: the part asked for, less what a network was trained on.

The parts of a split depend on every row of the metadata, so with rows more or less than in
training, some images of the test part show lesions of the training part. The cards know them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from kdcore.base import DataError
from kdcore.cli.common import choose
from kdcore.data import ImageDataset, Sample
from kdcore.evaluate import unseen_samples
from kdcore.models import Card


def choose_unseen(
    data: ImageDataset, options: argparse.Namespace, cards: Sequence[Card]
) -> tuple[tuple[Sample, ...], int]:
    """Return the samples of the chosen part that no network knows, and how many were left out.

    The part is that of the first card's split, in the data set's order. What was left out is said
    on stderr; nothing is with `--allow-training-images`, nor where the cards do not tell which
    lesions the networks were trained on.

    Raises
    ------
    DataError
        If the part is empty, or nothing is left of it.
    """
    samples = choose(data, options, cards[0].recipe)
    if options.allow_training_images:
        return samples, 0
    try:
        left = unseen_samples(samples, cards)
    except DataError as error:
        raise DataError(
            error.problem, f"{error.hint} --allow-training-images keeps those that are known."
        ) from error
    kept = set(left)
    gone = [sample for sample in samples if sample not in kept]
    if gone:
        lesions = {s.lesion_id for s in gone if s.lesion_id != s.image_id}
        grouped = f", of {len(lesions):,} lesions," if lesions else ""
        who = cards[0].name if len(cards) == 1 else "one of the networks"
        print(
            f"Left out: {len(gone):,} of {len(samples):,} images{grouped} that {who} was "
            "trained on.",
            file=sys.stderr,
        )
    return left, len(gone)
