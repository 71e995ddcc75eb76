"""Area under the ROC curve, one class against the rest, for many weightings of the images.

The AUC is the probability that a random image of the class scores above a random one of the
others, ties counted half (Hanley & McNeil 1982). With images sorted once, each resample of a
bootstrap is a weighting, and its AUC one cumulative sum.
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
    members : (P,) indices of the images of the class
    below : (P,) how many of `rest` score below each member
    upto : (P,) how many of `rest` score below or the same
    """

    rest: NDArray[np.int64]
    members: NDArray[np.int64]
    below: NDArray[np.int64]
    upto: NDArray[np.int64]


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
    members = members[np.argsort(scores[members], kind="stable")]  # rising: kinder to the cache
    below = np.searchsorted(scores[rest], scores[members], side="left")
    upto = np.searchsorted(scores[rest], scores[members], side="right")
    return Ranking(rest, members, below, upto)


def weighted_auc(rankings: tuple[Ranking, ...], weights: Floats) -> Floats:
    """Return the AUC of each class under each weighting.

    Parameters
    ----------
    rankings : C rankings, from `rank_classes`
    weights : (N, B), how often each image occurs; B weightings side by side

    Returns
    -------
    (B, C) in [0, 1]; NaN where the class or the rest has no weight
    """
    return np.stack([_auc(ranking, weights) for ranking in rankings], axis=1)


def _auc(ranking: Ranking, weights: Floats) -> Floats:
    rest = weights[ranking.rest]  # (M, B)
    members = weights[ranking.members]  # (P, B)
    running = np.zeros((len(rest) + 1, weights.shape[1]))
    np.cumsum(rest, axis=0, out=running[1:])
    beaten = running[ranking.below] + running[ranking.upto]  # (P, B), twice: ties count half
    won = np.einsum("pb,pb->b", members, beaten) / 2
    return ratio(won, members.sum(0) * running[-1])
