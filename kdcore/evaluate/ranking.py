"""Areas under the ROC and precision-recall curves, one class against the rest, many weightings.

The AUC is the probability that a random image of the class scores above a random one of the
others, ties counted half (Hanley & McNeil 1982). Average precision is Σ (Rₙ − Rₙ₋₁) Pₙ over the
distinct scores as thresholds, without interpolation, so images of one score enter together, as
in scikit-learn. With images sorted once, each resample of a bootstrap is a weighting, and its
areas follow from two cumulative sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.base import check_labels, check_logits
from kdcore.evaluate.scores import ratio

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """Images sorted by the score of one class.

    Attributes
    ----------
    rest : (M,) indices of the images of other classes, by rising score
    members : (P,) indices of the images of the class, by rising score
    below : (P,) how many of `rest` score below each member
    upto : (P,) how many of `rest` score below or the same
    under : (P,) how many of `members` score below
    """

    rest: NDArray[np.int64]
    members: NDArray[np.int64]
    below: NDArray[np.int64]
    upto: NDArray[np.int64]
    under: NDArray[np.int64]


@dataclass(frozen=True)
class Sweep:
    """What the score of each member, taken as the threshold, separates, under B weightings.

    Attributes
    ----------
    members : (P, B) weight of each member, by rising score
    hits : (P, B) weight of the members at or above it
    below : (P, B) weight of the rest below it
    upto : (P, B) weight of the rest below or at it
    positives, negatives : (B,) weight of all members, of all the rest
    """

    members: Floats
    hits: Floats
    below: Floats
    upto: Floats
    positives: Floats
    negatives: Floats


def rank_classes(scores: ArrayLike, labels: ArrayLike) -> tuple[Ranking, ...]:
    """Sort the images once for each class.

    Parameters
    ----------
    scores : (N, C), finite; any rising function of the probability of each class
    labels : (N,) in [0, C)

    Raises
    ------
    ValueError
        If shapes or values are not these.
    """
    array = check_logits(scores)
    truth = check_labels(labels, len(array), array.shape[1])
    return tuple(_rank(array[:, c], truth == c) for c in range(array.shape[1]))


def _rank(scores: Floats, member: NDArray[np.bool_]) -> Ranking:
    rest = np.flatnonzero(~member)
    rest = rest[np.argsort(scores[rest], kind="stable")]
    members = np.flatnonzero(member)
    members = members[np.argsort(scores[members], kind="stable")]
    own, others = scores[members], scores[rest]
    below, under = (np.searchsorted(of, own, side="left") for of in (others, own))
    return Ranking(rest, members, below, np.searchsorted(others, own, side="right"), under)


def sweep(ranking: Ranking, weights: Floats) -> Sweep:
    """Return what each threshold separates where images occur `weights` (N, B) times."""
    rest, members = weights[ranking.rest], weights[ranking.members]  # (M, B), (P, B)
    passed, own = _running(rest), _running(members)
    return Sweep(
        members=members,
        hits=own[-1] - own[ranking.under],
        below=passed[ranking.below],
        upto=passed[ranking.upto],
        positives=own[-1],
        negatives=passed[-1],
    )


def auc(swept: Sweep) -> Floats:
    """Return the area under the ROC curve, (B,) in [0, 1]; NaN where class or rest is absent."""
    twice = np.einsum("pb,pb->b", swept.members, swept.below + swept.upto)  # ties count half
    return ratio(twice / 2, swept.positives * swept.negatives)


def average_precision(swept: Sweep) -> Floats:
    """Return the average precision, (B,) in (0, 1]; NaN where the class is absent.

    It is 1 where there is no rest to mistake for the class.
    """
    flagged = swept.hits + swept.negatives - swept.below
    precision = np.divide(swept.hits, flagged, out=np.zeros_like(flagged), where=flagged > 0)
    return ratio(np.einsum("pb,pb->b", swept.members, precision), swept.positives)


def weighted_areas(rankings: tuple[Ranking, ...], weights: Floats) -> Floats:
    """Return the AUC and the average precision of each class under each weighting.

    Parameters
    ----------
    rankings : C rankings, from `rank_classes`
    weights : (N, B), how often each image occurs; B weightings side by side

    Returns
    -------
    (B, 2, C) AUCs and average precisions; NaN where they are not defined
    """
    swept = [sweep(ranking, weights) for ranking in rankings]
    return np.stack([[area(one) for one in swept] for area in (auc, average_precision)]).transpose(
        2, 0, 1
    )


def _running(weights: Floats) -> Floats:
    """Return the sums of the first 0, 1, ... M rows of `weights` (M, B), (M + 1, B)."""
    sums = np.zeros((len(weights) + 1, weights.shape[1]))
    np.cumsum(weights, axis=0, out=sums[1:])
    return sums
