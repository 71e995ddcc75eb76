"""Find images of lesions that a network was trained on, and refuse to measure it on them.

Which part of a split a lesion is in depends on all rows of the metadata, so "test" alone does not
say that a lesion is new to a network; the hashes in its card do.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.base import DataError, group_hash
from kdcore.predict.predictions import Predictions


def trained_on(group_ids: ArrayLike, train_groups: Iterable[str]) -> NDArray[np.int64]:
    """Return the indices (M,), rising, of the images whose lesion is among `train_groups`.

    Parameters
    ----------
    group_ids : (N,) lesion ids
    train_groups : hashes by `group_hash`, from a checkpoint's card
    """
    known = set(train_groups)
    names, index = np.unique(np.asarray(group_ids, dtype=np.str_), return_inverse=True)
    hit = np.array([group_hash(name) in known for name in names], dtype=bool)
    return np.flatnonzero(hit[index.reshape(-1)]) if len(names) else np.empty(0, np.int64)


def refuse_training_images(
    predictions: Predictions, train_groups: Iterable[str], allow: bool = False
) -> NDArray[np.int64]:
    """Return the indices (M,) of images whose lesion was trained on; raise if there are any.

    Parameters
    ----------
    predictions : what is about to be measured
    train_groups : `Card.train_groups`; empty means that nothing is known, and nothing is found
    allow : return them instead of raising, for a caller that says so beside its numbers

    Raises
    ------
    DataError
        If a lesion was trained on and `allow` is false.
    """
    found = trained_on(predictions.group_ids, train_groups)
    if len(found) and not allow:
        raise DataError(
            f"{len(found)} of {len(predictions)} images show lesions that "
            f"{predictions.checkpoint or 'the checkpoint'} was trained on, so its scores on them "
            "say nothing about new patients.",
            "Make the predictions again with `python -m kdcore predict`, which leaves such images "
            "out, or allow training images explicitly.",
        )
    return found
