"""Logits to probabilities: softmax with a temperature, its logarithm, and entropy in nats."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def log_softmax(logits: ArrayLike, temperature: float = 1.0) -> NDArray[np.float64]:
    """Return log softmax(`logits` / `temperature`) over the last axis, in nats.

    Parameters
    ----------
    logits : (..., C), finite, C >= 2
    temperature : positive; above 1 softens, below 1 sharpens

    Returns
    -------
    (..., C) float64, finite where the softmax itself underflows to 0

    Raises
    ------
    ValueError
        If a logit is not finite, C < 2, or the temperature is not positive and finite.
    """
    array = np.asarray(logits, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] < 2:
        raise ValueError(f"logits: expected shape (..., C) with C >= 2, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("logits: expected finite values, got NaN or infinity")
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature: expected a positive number, got {temperature}")
    scaled = (array - array.max(-1, keepdims=True)) / temperature  # shift first: no overflow
    return scaled - np.log(np.exp(scaled).sum(-1, keepdims=True))


def softmax(logits: ArrayLike, temperature: float = 1.0) -> NDArray[np.float64]:
    """Return softmax(`logits` / `temperature`) over the last axis, float64 of the same shape.

    Parameters and errors are those of `log_softmax`.
    """
    return np.exp(log_softmax(logits, temperature))


def entropy(probs: ArrayLike, tolerance: float = 1e-4) -> NDArray[np.float64]:
    """Return the Shannon entropy of `probs` over the last axis, in nats, 0 · log 0 = 0.

    Parameters
    ----------
    probs : (..., C), in [0, 1], summing to 1 within `tolerance`

    Returns
    -------
    (...,) float64 in [0, log C]

    Raises
    ------
    ValueError
        If `probs` are not probabilities.
    """
    array = np.asarray(probs, dtype=np.float64)
    if array.ndim == 0 or not np.isfinite(array).all():
        raise ValueError("probs: expected finite values of shape (..., C)")
    if array.size and (array.min() < -tolerance or array.max() > 1 + tolerance):
        raise ValueError("probs: expected values in [0, 1]; were logits passed?")
    if array.size and np.abs(array.sum(-1) - 1).max() > tolerance:
        raise ValueError("probs: expected a sum of 1 over the last axis; were logits passed?")
    clipped = np.clip(array, 0.0, 1.0)
    logs = np.log(np.where(clipped > 0, clipped, 1.0))
    return np.maximum(-(clipped * logs).sum(-1), 0.0)
