"""Trade-offs: what nothing else beats in cost and quality, and what is best within limits.

Pareto dominance as in Kung, Luccio & Preparata 1975: one beats another if it is at least as good
in both and better in one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pareto_front(costs: ArrayLike, qualities: ArrayLike) -> NDArray[np.bool_]:
    """Return which points nothing else beats, (N,).

    Parameters
    ----------
    costs : (N,), lower is better
    qualities : (N,), higher is better

    Returns
    -------
    (N,) booleans; equal points are all on the front, and one with a NaN is not

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    cost, quality = _columns(costs, qualities)
    defined = ~(np.isnan(cost) | np.isnan(quality))
    front = np.zeros(len(cost), dtype=bool)
    best = None
    # From the cheapest on, a point is on the front if it is better than all that cost less.
    for c in np.unique(cost[defined]):
        level = defined & (cost == c)
        top = quality[level].max()
        if best is None or top > best:
            front |= level & (quality == top)
            best = top
    return front


def best_within(costs: ArrayLike, limits: ArrayLike, qualities: ArrayLike) -> NDArray[np.int64]:
    """Return the indices of the points within all limits, the best first.

    Points of equal quality are ordered by their costs, the first of them first.

    Parameters
    ----------
    costs : (N, K)
    limits : (K,), each may be reached; infinite for none
    qualities : (N,), higher is better; a NaN, here or among the costs, is within no limit

    Raises
    ------
    ValueError
        If the shapes do not fit, or a limit is NaN.
    """
    quality = np.asarray(qualities, dtype=np.float64)
    table = np.asarray(costs, dtype=np.float64)
    most = np.asarray(limits, dtype=np.float64)
    if table.ndim != 2 or quality.shape != table.shape[:1] or most.shape != table.shape[1:]:
        raise ValueError(
            f"costs, limits, qualities: expected (N, K), (K,) and (N,), got {table.shape}, "
            f"{most.shape} and {quality.shape}"
        )
    if np.isnan(most).any():
        raise ValueError("limits: expected numbers, got NaN")
    fits = np.flatnonzero((table <= most).all(1) & ~np.isnan(quality))
    order = np.lexsort((*table[fits].T[::-1], -quality[fits]))
    return fits[order].astype(np.int64)


def _columns(costs: ArrayLike, qualities: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    cost, quality = (np.asarray(v, dtype=np.float64) for v in (costs, qualities))
    if cost.ndim != 1 or cost.shape != quality.shape:
        raise ValueError(
            f"costs, qualities: expected the same (N,), got {cost.shape}, {quality.shape}"
        )
    return cost, quality
