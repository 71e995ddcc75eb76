"""Find images, or lesions, that a network was trained on, and refuse to measure it on them.

Which part of a split a lesion is in depends on all rows of the metadata, so "test" alone does not
say that a lesion is new to a network; the hashes in its card do. They know lesions by HAM10000's
number and pictures by that of the ISIC archive: not a copy without its name, such as MedMNIST's,
nor, in class folders, another picture of a lesion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError
from kdcore.data import Sample, picture_name, trace_hashes
from kdcore.models import Card
from kdcore.predict import Predictions


def trained_on(
    sample_ids: Sequence[str], group_ids: Sequence[str], trained: Iterable[str]
) -> NDArray[np.int64]:
    """Return the indices (M,), rising, of the images that are known by their lesion or name.

    Parameters
    ----------
    sample_ids, group_ids : (N,) of images and of their lesions
    trained : hashes, `Card.trained`
    """
    known = set(trained)
    hits = (
        not known.isdisjoint(trace_hashes(str(image), str(group)))
        for image, group in zip(sample_ids, group_ids, strict=True)
    )
    return np.flatnonzero(np.fromiter(hits, dtype=bool))


def unseen_samples(samples: Sequence[Sample], cards: Sequence[Card]) -> tuple[Sample, ...]:
    """Return the samples of lesions that no card's network was trained on, in their order.

    Raises
    ------
    DataError
        If nothing is left.
    """
    ids = [s.image_id for s in samples], [s.lesion_id for s in samples]
    known = set(trained_on(*ids, {trace for card in cards for trace in card.trained}).tolist())
    left = tuple(sample for index, sample in enumerate(samples) if index not in known)
    if not left:
        names = " and ".join(card.name for card in cards)
        raise DataError(
            f"None of these {len(samples):,} images is new to {names}.",
            "Choose another part, data folder or network.",
        )
    return left


def seen_by(image_id: str, cards: Mapping[str, Card]) -> list[str]:
    """Return the keys of the `cards` whose network was trained on the picture of that name."""
    known = trace_hashes(image_id, "")
    return [key for key, card in cards.items() if not known.isdisjoint(card.trained)]


def seen_text(image_id: str, roles: Sequence[str]) -> str:
    """Return what it means that the networks in these `roles` were trained on a picture."""
    were = "were" if len(roles) > 1 else "was"
    return (
        f"By the name of its file this is {picture_name(image_id)}. The {' and the '.join(roles)} "
        f"{were} trained on it and told its diagnosis, so a right answer here proves nothing."
    )


def refuse_training_images(
    predictions: Predictions, trained: Iterable[str], allow: bool = False
) -> NDArray[np.int64]:
    """Return the indices (M,) of images that were trained on, or whose lesion was; or raise.

    Parameters
    ----------
    predictions : what is about to be measured
    trained : `Card.trained`; empty means that nothing is known, and nothing is found
    allow : return them instead of raising, for a caller that says so beside its numbers

    Raises
    ------
    DataError
        If there are any and `allow` is false.
    """
    ids = predictions.sample_ids.tolist(), predictions.group_ids.tolist()
    found = trained_on(*ids, trained)
    if len(found) and not allow:
        raise DataError(
            f"{len(found)} of {len(predictions)} images show lesions that "
            f"{predictions.checkpoint or 'the checkpoint'} was trained on, so its scores on them "
            "say nothing about new patients.",
            "Make the predictions again with `python -m kdcore predict`, which leaves such images "
            "out, or allow training images explicitly.",
        )
    return found
