"""Krippendorff's alpha for ordinal ratings: how far readers agree beyond chance.

Krippendorff 2011, "Computing Krippendorff's alpha-reliability": 1 − observed / expected
disagreement, with the ordinal metric; 1 is full agreement, 0 chance, less than 0 systematic
disagreement. Missing ratings are left out, and a thing that fewer than two readers rated says
nothing of agreement. The coincidences of things add up, so a resample of cases is a sum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.evaluate.bootstrap import Interval, percentile_interval, resample_sums

Floats = NDArray[np.float64]


def coincidences(ratings: ArrayLike, levels: int) -> Floats:
    """Return how often two readers gave two levels to the same thing, (U, levels, levels).

    Parameters
    ----------
    ratings : (R, U), whole numbers 1 to `levels`, of R readers on U things; NaN where missing
    levels : how many there are, K

    Raises
    ------
    ValueError
        If a rating is no level, or the shape is another.
    """
    array = np.asarray(ratings, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"ratings: expected shape (R, U), got {array.shape}")
    known = array[~np.isnan(array)]
    if not np.isin(known, np.arange(1, levels + 1)).all():
        raise ValueError(f"ratings: expected whole numbers 1 to {levels}, or NaN")
    counts = (array[:, :, None] == np.arange(1, levels + 1)).sum(0).astype(np.float64)  # (U, K)
    pairs = counts[:, :, None] * (counts[:, None, :] - np.eye(levels))
    readers = counts.sum(1)
    # One rating alone makes no pair: its row is 0 already.
    return pairs / np.maximum(readers - 1, 1)[:, None, None]


def ordinal_alpha(pairs: ArrayLike) -> Floats:
    """Return alpha of summed coincidences (..., K, K), (...,); NaN where all ratings are equal."""
    o = np.asarray(pairs, dtype=np.float64)
    n = o.sum(-1)  # (..., K): pairable ratings by level
    total = n.sum(-1)
    below = np.cumsum(n, -1) - n / 2  # up to the middle of each level
    distance = (below[..., :, None] - below[..., None, :]) ** 2
    observed = (o * distance).sum((-2, -1))
    expected = (n[..., :, None] * n[..., None, :] * distance).sum((-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(
            np.where(expected > 0, 1 - (total - 1) * observed / expected, np.nan), dtype=np.float64
        )


def alpha_interval(
    ratings: ArrayLike, group_ids: ArrayLike, levels: int = 5, n_boot: int = 1000, seed: int = 0
) -> Interval:
    """Return alpha with its interval from resampling groups of things, such as cases.

    Parameters
    ----------
    ratings : (R, U) as `coincidences` has them
    group_ids : (U,) of the things
    levels : of the scale
    n_boot, seed : of the bootstrap

    Returns
    -------
    NaN where no thing was rated by two readers, or all ratings are equal
    """
    pairs = coincidences(ratings, levels)
    flat = pairs.reshape(len(pairs), levels**2)
    sums = resample_sums(flat, group_ids, n_boot, seed).reshape(-1, levels, levels)
    return percentile_interval(float(ordinal_alpha(pairs.sum(0))), ordinal_alpha(sums))
