"""Sets of predictions on the same images in the same order, or a reason why they are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError
from kdcore.predict import Predictions


def align(
    first: Predictions, second: Predictions, common: bool = False
) -> tuple[Predictions, Predictions]:
    """Return both on the same images by sample id, in the order of `first`.

    Parameters
    ----------
    first, second : of any two models, or of one under two conditions
    common : leave out the images that only one of them has; otherwise they are an error

    Raises
    ------
    DataError
        If the classes differ, no image is in both, an image is in one only and `common` is false,
        or an image has another label or lesion in the other.
    """
    names = _names(first, second)
    _refuse_other_classes(first, second, names)
    place = {sample: i for i, sample in enumerate(second.sample_ids.tolist())}
    kept = [i for i, sample in enumerate(first.sample_ids.tolist()) if sample in place]
    if not kept:
        raise DataError(
            f"{names[0]} and {names[1]} have no image in common.",
            "Compare predictions on the same split of the same data.",
        )
    if not common:
        _refuse_unshared(first, second, names)
    one = take(first, kept)
    other = take(second, [place[sample] for sample in one.sample_ids.tolist()])
    _refuse_disagreement(one, other, names)
    return one, other


def align_all(predictions: Sequence[Predictions], common: bool = False) -> tuple[Predictions, ...]:
    """Return all on the same images by sample id, in the order of the first.

    Parameters
    ----------
    predictions : of at least one model
    common : leave out the images that one of them lacks; otherwise they are an error

    Raises
    ------
    DataError
        If `align` finds a reason not to compare one of them with the first, or no image is in all.
    """
    first, *others = predictions
    for other in others:
        first, _ = align(first, other, common)
    return (first, *(align(first, other, common=True)[1] for other in others))


def take(predictions: Predictions, indices: Sequence[int]) -> Predictions:
    """Return the images at `indices`, in that order, with all that is known of them."""
    where = np.asarray(indices, dtype=np.int64)
    return replace(
        predictions,
        logits=predictions.logits[where],
        labels=predictions.labels[where],
        sample_ids=predictions.sample_ids[where],
        group_ids=predictions.group_ids[where],
        attributes={name: values[where] for name, values in predictions.attributes.items()},
    )


def _names(first: Predictions, second: Predictions) -> tuple[str, str]:
    one, other = first.checkpoint or "unnamed", second.checkpoint or "unnamed"
    return (one, other) if one != other else (f"{one} (first)", f"{other} (second)")


def _refuse_other_classes(first: Predictions, second: Predictions, names: tuple[str, str]) -> None:
    if first.classes == second.classes:
        return
    one, other = (", ".join(p.classes) for p in (first, second))
    raise DataError(
        f"{names[0]} and {names[1]} tell different classes apart, or in another order: "
        f"{one}; {other}.",
        "Compare models that were trained on the same classes.",
    )


def _refuse_unshared(first: Predictions, second: Predictions, names: tuple[str, str]) -> None:
    told = []
    for own, other, (name, missing) in (
        (first, second, names),
        (second, first, names[::-1]),
    ):
        known = set(other.sample_ids.tolist())
        alone = [sample for sample in own.sample_ids.tolist() if sample not in known]
        if alone:
            told.append(f"{name} has {len(alone)} that {missing} lacks (first {alone[0]})")
    if told:
        raise DataError(
            f"{names[0]} and {names[1]} were measured on different images: {'; '.join(told)}.",
            "Make both again on the same split, or compare the common images only.",
        )


def _refuse_disagreement(one: Predictions, other: Predictions, names: tuple[str, str]) -> None:
    def told(labels: NDArray[np.int64], at: np.int64) -> str:
        return one.classes[int(labels[at])]

    wrong = np.flatnonzero(one.labels != other.labels)
    if len(wrong):
        at = wrong[0]
        raise DataError(
            f"{names[0]} and {names[1]} have different labels for {len(wrong)} images, first "
            f"{one.sample_ids[at]}: {told(one.labels, at)} and {told(other.labels, at)}.",
            "Make both again from the same data set.",
        )
    wrong = np.flatnonzero(one.group_ids != other.group_ids)
    if len(wrong):
        at = wrong[0]
        raise DataError(
            f"{names[0]} and {names[1]} have different lesions for {len(wrong)} images, first "
            f"{one.sample_ids[at]}: {one.group_ids[at]} and {other.group_ids[at]}.",
            "Make both again from the same data set.",
        )
