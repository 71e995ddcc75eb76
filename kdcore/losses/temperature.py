"""What a temperature does: softened outputs, their entropy, class similarity, and the gradient.

Source: Hinton, Vinyals & Dean 2015, sections 2 and 2.1. Everything here is closed form on saved
logits; nothing is trained and no network runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.base import check_labels, check_logits

Floats = NDArray[np.float64]
TEMPERATURES = tuple(np.arange(1.0, 20.5, 0.5).tolist())  # the grid that curves are drawn over


@dataclass(frozen=True)
class Softening:
    """Mean softened output and mean entropy of N images at K temperatures.

    Attributes
    ----------
    temperatures : (K,)
    probs : (K, C), rows sum to 1
    entropy : (K,), nats; at most log C
    """

    temperatures: Floats
    probs: Floats
    entropy: Floats


@dataclass(frozen=True)
class GradientCurve:
    """Mean size (L2 norm) of the gradient of KL in the student's logits at K temperatures.

    Attributes
    ----------
    temperatures : (K,)
    plain : (K,), of KL alone
    scaled : (K,), of T²·KL
    """

    temperatures: Floats
    plain: Floats
    scaled: Floats


def soften(logits: ArrayLike, temperature: float) -> Floats:
    """Return softmax(logits / T), (N, C), for logits (N, C) and T > 0."""
    if not temperature > 0:
        raise ValueError(f"temperature: expected a positive number, got {temperature}")
    scaled = check_logits(logits) / temperature
    exponent = np.exp(scaled - scaled.max(1, keepdims=True))
    return exponent / exponent.sum(1, keepdims=True)


def softening(logits: ArrayLike, temperatures: Sequence[float]) -> Softening:
    """Return mean softened outputs and entropies of logits (N, C), N ≥ 1, at `temperatures`."""
    if not len(check_logits(logits)):
        raise ValueError("logits: expected at least one row")
    probs = [soften(logits, t) for t in temperatures]  # K of (N, C)
    entropy = [float(-(p * np.log(np.maximum(p, 1e-300))).sum(1).mean()) for p in probs]
    return Softening(
        np.asarray(temperatures, dtype=np.float64),
        np.stack([p.mean(0) for p in probs]),
        np.asarray(entropy),
    )


def class_similarity(logits: ArrayLike, labels: ArrayLike, temperature: float) -> Floats:
    """Return the mean softened output of each true class, (C, C): the teacher's dark knowledge.

    Row = true class, column = class it is given to; a row of a class without images is NaN.

    Raises
    ------
    ValueError
        If labels do not match logits (N, C), or T is not positive.
    """
    probs = soften(logits, temperature)
    count, classes = probs.shape
    truth = check_labels(labels, count, classes)
    rows = [
        probs[truth == c].mean(0) if (truth == c).any() else np.full(classes, np.nan)
        for c in range(classes)
    ]
    return np.stack(rows)


def gradient_curve(
    student_logits: ArrayLike, teacher_logits: ArrayLike, temperatures: Sequence[float]
) -> GradientCurve:
    """Return how large the gradient of KL(teacher ‖ student) is at each temperature.

    For one image the gradient in the student's logits is (q_T − p_T) / T, with q and p the
    softened outputs of student and teacher (section 2.1). At high T the difference shrinks with
    1/T too, so the gradient falls with 1/T² and the factor T² holds it.

    Raises
    ------
    ValueError
        If the shapes (N, C) differ, N = 0, or a temperature is not positive.
    """
    student, teacher = check_logits(student_logits), check_logits(teacher_logits)
    if student.shape != teacher.shape or not len(student):
        raise ValueError(
            f"student_logits, teacher_logits: expected one shape (N, C) with N >= 1, got "
            f"{student.shape} and {teacher.shape}"
        )
    grid = np.asarray(temperatures, dtype=np.float64)
    gap = [np.linalg.norm(soften(student, t) - soften(teacher, t), axis=1).mean() for t in grid]
    plain = np.asarray(gap) / grid
    return GradientCurve(grid, plain, plain * grid**2)
