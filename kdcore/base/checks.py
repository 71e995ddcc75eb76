"""Checks of numeric inputs: a value outside its domain raises instead of being guessed at."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_ROUNDING = 1e-4


def check_logits(logits: ArrayLike) -> NDArray[np.float64]:
    """Return `logits` as float64 of shape (N, C).

    Raises
    ------
    ValueError
        If the shape is not (N, C) with C ≥ 2, or a value is not finite.
    """
    array = np.asarray(logits, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] < 2:
        raise ValueError(f"logits: expected shape (N, C) with C >= 2, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("logits: expected finite values, got NaN or infinity")
    return array


def check_probs(probs: ArrayLike) -> NDArray[np.float64]:
    """Return `probs` as float64 of shape (N, C), rows summing to 1 but for rounding, 1e-4.

    Raises
    ------
    ValueError
        If the shape is not (N, C), a value lies outside [0, 1] or a row does not sum to 1.
    """
    array = check_logits(probs)
    if array.size and (array.min() < -_ROUNDING or array.max() > 1 + _ROUNDING):
        raise ValueError(
            f"probs: expected values in [0, 1], got [{array.min():.4g}, {array.max():.4g}]"
        )
    if array.size and np.abs(array.sum(1) - 1).max() > _ROUNDING:
        raise ValueError("probs: expected rows that sum to 1; were logits passed?")
    return array


def check_labels(labels: ArrayLike, n: int, classes: int) -> NDArray[np.int64]:
    """Return `labels` as int64 of shape (N,), each in [0, classes).

    Raises
    ------
    ValueError
        If the length is not `n` or a label is out of range.
    """
    array = np.asarray(labels, dtype=np.int64)
    if array.shape != (n,):
        raise ValueError(f"labels: expected shape ({n},), got {array.shape}")
    if n and (array.min() < 0 or array.max() >= classes):
        raise ValueError(
            f"labels: expected values in [0, {classes}), got [{array.min()}, {array.max()}]"
        )
    return array
