"""Some of a data set's images, measured in resamples of the lesions of all of them.

What is summed of an image is summed by lesion once, zero for images of the other side, so that
all sides and resamples are one matrix product.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kdcore.evaluate.bootstrap import sum_by_group
from kdcore.evaluate.calibration import BINS, bin_index, confidence_and_hits, width_edges
from kdcore.evaluate.ranking import Ranking, auc, rank_classes, sweep
from kdcore.evaluate.scores import ratio

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Side:
    """Images of a data set of N images, C classes and G lesions.

    Attributes
    ----------
    n, lesions : images, and lesions they show
    support : (C,) images of each class
    positive : index of the class with a recall and an AUC of its own, or None
    sums : (G, 3·C + BINS) by lesion: images, decisions and hits of each class, then confidence
        less hits of each bin
    ranking : of the images for the class `positive`, as indices into all N; or None
    """

    n: int
    lesions: int
    support: Ints
    positive: int | None
    sums: Floats
    ranking: Ranking | None


def make_side(
    probs: Floats,
    labels: Ints,
    lesion: Ints,
    inside: NDArray[np.bool_],
    positive: int | None = None,
) -> Side:
    """Sum up the images that are `inside`.

    Parameters
    ----------
    probs, labels : (N, C) and (N,) of all images
    lesion : (N,) the lesion of each image, from `index_groups`
    inside : (N,) which images are meant; may be none or all
    positive : index of the class with a recall and an AUC of its own
    """
    classes, where = probs.shape[1], np.flatnonzero(inside)
    own = np.where(inside[:, None], _image_sums(probs, labels), 0.0)
    ranking = None
    if positive is not None:
        found = rank_classes(probs[where], labels[where])[positive]
        ranking = replace(found, rest=where[found.rest], members=where[found.members])
    return Side(
        n=len(where),
        lesions=len(np.unique(lesion[where])),
        support=np.bincount(labels[where], minlength=classes),
        positive=positive,
        sums=sum_by_group(own, lesion, int(lesion.max()) + 1),
        ranking=ranking,
    )


def measure(
    sides: Sequence[Side], lesion: Ints, drawn: Iterable[Floats]
) -> list[dict[str, Floats]]:
    """Return the scores of each side in each of B resamples.

    Parameters
    ----------
    sides : at least one, of the same images
    lesion : (N,) the lesion of each image
    drawn : how often each lesion was drawn, in pieces (b, G), as `draw_groups` yields them

    Returns
    -------
    For each side `accuracy`, `ece` and `overconfidence` (mean confidence less accuracy), (B,);
    `balanced_accuracy` and `macro_f1` class by class, (B, C); and `recall` and `auc` of the
    positive class, (B,), if there is one. NaN is what a resample has no image for.
    """
    stacked = np.hstack([side.sums for side in sides])  # (G, S·K)
    totals = [np.empty((0, stacked.shape[1]))]
    aucs = [np.empty((0, len(sides)))]
    for counts in drawn:
        totals.append(counts @ stacked)
        weights = np.ascontiguousarray(counts.T)[lesion]  # (N, b)
        rankings = tuple(side.ranking for side in sides if side.ranking is not None)
        if rankings:
            aucs.append(np.stack([auc(sweep(r, weights)) for r in rankings], axis=1))
    by_side = np.split(np.concatenate(totals), len(sides), axis=1)
    columns = np.concatenate(aucs).T
    return [_scores(side, total, area) for side, total, area in zip(sides, by_side, columns)]


def _image_sums(probs: Floats, labels: Ints) -> Floats:
    """Return what is summed of each image, (N, 3·C + BINS), as `Side` says."""
    confidence, hits = confidence_and_hits(probs, labels)
    truth, chosen = (np.eye(probs.shape[1])[k] for k in (labels, probs.argmax(1)))
    bins = np.eye(BINS)[bin_index(confidence, width_edges())]
    return np.hstack([truth, chosen, truth * chosen, bins * (confidence - hits)[:, None]])


def _scores(side: Side, totals: Floats, auc: Floats) -> dict[str, Floats]:
    """Return the scores of B resamples from their sums (B, K) and AUCs (B,)."""
    classes = len(side.support)
    truth, chosen, hits, gaps = np.split(totals, [classes, 2 * classes, 3 * classes], axis=1)
    n, recall = truth.sum(1), ratio(hits, truth)
    found = {
        "accuracy": ratio(hits.sum(1), n),
        "balanced_accuracy": recall,
        "macro_f1": np.where(truth > 0, ratio(2 * hits, truth + chosen), np.nan),
        "ece": ratio(np.abs(gaps).sum(1), n),
        "overconfidence": ratio(gaps.sum(1), n),
    }
    if side.positive is None:
        return found
    return found | {"recall": recall[:, side.positive], "auc": auc}
