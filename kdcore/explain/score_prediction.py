"""Which masks to score first, and what the others' scores will be.

A mask is a point in a space of few dimensions, its values on the stage's h × w grid, and the
logit behind it changes smoothly there. So a few masks far from each other (Gonzalez 1985,
farthest-first traversal) tell about the others by Gaussian process regression (Rasmussen &
Williams 2006, section 2.2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_NOISE = 1e-3  # of the scores' variance; chosen with `_REACH` on validation pictures
_REACH = 1.0  # the kernel's length scale, in median distances between scored masks


def farthest_first(points: Floats, first: int, count: int) -> NDArray[np.int64]:
    """Return `count` rows of `points`, each the farthest from all before it.

    Parameters
    ----------
    points : (n, d)
    first : the row to begin with
    count : 1 to n

    Returns
    -------
    (count,) indices, in order; deterministic, and all different wherever `points` are
    """
    chosen = np.empty(count, dtype=np.int64)
    distance = np.full(len(points), np.inf, dtype=np.float32)
    row = first
    for place in range(count):
        chosen[place] = row
        distance = np.minimum(distance, ((points - points[row]) ** 2).sum(1))
        distance[row] = -1  # never again, equal points included
        row = int(distance.argmax())
    return chosen


def predict_scores(known: Floats, scores: Floats, wanted: Floats) -> Floats:
    """Return the expected scores (m,) of `wanted` points, given those of `known` ones.

    Parameters
    ----------
    known : (n, d) points whose scores are known, n ≥ 1
    scores : (n,)
    wanted : (m, d)
    """
    mean, spread = float(scores.mean()), float(scores.std())
    between = _squared_distances(known, known)
    apart = between[between > 0]
    if spread == 0 or len(apart) == 0:  # nothing to learn a slope from
        return np.full(len(wanted), mean, dtype=np.float32)
    reach = _REACH**2 * float(np.median(apart))
    kernel = np.exp(-between / (2 * reach)) + _NOISE * np.eye(len(known))
    weights = np.linalg.solve(kernel, (scores - mean) / spread)
    across = np.exp(-_squared_distances(wanted, known) / (2 * reach))
    return (mean + spread * (across @ weights)).astype(np.float32)


def _squared_distances(a: Floats, b: Floats) -> NDArray[np.float64]:
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    squares = (a64**2).sum(1)[:, None] + (b64**2).sum(1) - 2 * a64 @ b64.T
    return np.maximum(squares, 0.0)
