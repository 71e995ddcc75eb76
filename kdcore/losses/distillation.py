"""Soft-label terms: KD (Hinton, Vinyals & Dean 2015) and decoupled KD (Zhao et al. 2022)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def kd_loss(
    student_logits: Tensor,
    teacher_logits: Tensor,
    temperature: float,
    sample_weights: Tensor | None = None,
) -> Tensor:
    """Return T² · KL(teacher ‖ student) of the softened outputs, batch mean in nats.

    Parameters
    ----------
    student_logits, teacher_logits : (B, C)
    temperature : T > 0; the factor T² keeps the gradient's size about constant in T
    sample_weights : (B,) ≥ 0 for a weighted batch mean; None for equal weights

    Raises
    ------
    ValueError
        If T is not positive or the shapes differ.
    """
    _check(student_logits, teacher_logits, temperature)
    loss = _kl(student_logits / temperature, teacher_logits / temperature)
    return temperature**2 * _mean(loss, sample_weights)


def dkd_loss(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    temperature: float,
    target_weight: float = 1.0,
    other_weight: float = 8.0,
    sample_weights: Tensor | None = None,
) -> Tensor:
    """Return T² · (a·TCKD + b·NCKD), batch mean in nats (Zhao et al. 2022, equation 8).

    TCKD is the KL of "the true class or not", NCKD that among the other classes. KL itself is
    TCKD + (1 − p)·NCKD with p the teacher's softened probability of the true class: it silences
    NCKD where the teacher is sure, and DKD gives it a weight of its own.

    Parameters
    ----------
    student_logits, teacher_logits : (B, C)
    labels : (B,) the true classes
    temperature : T > 0
    target_weight, other_weight : a and b ≥ 0 (the paper's α and β)
    sample_weights : (B,) ≥ 0 for a weighted batch mean; None for equal weights

    Raises
    ------
    ValueError
        If T is not positive or the shapes differ.
    """
    _check(student_logits, teacher_logits, temperature)
    true = F.one_hot(labels, student_logits.shape[1]).bool()
    student, teacher = student_logits / temperature, teacher_logits / temperature
    target = _kl(_two(student, true), _two(teacher, true))
    other = _kl(_rest(student, true), _rest(teacher, true))
    loss = target_weight * target + other_weight * other
    return temperature**2 * _mean(loss, sample_weights)


def _two(logits: Tensor, true: Tensor) -> Tensor:
    """Logits (B, 2) of the true class against all others together."""
    own = logits[true].unsqueeze(1)
    others = _rest(logits, true).logsumexp(1, keepdim=True)
    return torch.cat([own, others], 1)


def _rest(logits: Tensor, true: Tensor) -> Tensor:
    return logits[~true].view(len(logits), -1)  # (B, C - 1)


def _kl(student: Tensor, teacher: Tensor) -> Tensor:
    ours, theirs = F.log_softmax(student, 1), F.log_softmax(teacher, 1)
    return F.kl_div(ours, theirs, reduction="none", log_target=True).sum(1)  # (B,)


def _mean(values: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        return values.mean()
    return (weights * values).sum() / weights.sum().clamp_min(torch.finfo(values.dtype).eps)


def _check(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> None:
    if temperature <= 0:
        raise ValueError(f"temperature: expected a positive number, got {temperature}")
    if student_logits.shape != teacher_logits.shape:
        raise ValueError(
            f"student_logits, teacher_logits: expected one shape, got "
            f"{tuple(student_logits.shape)} and {tuple(teacher_logits.shape)}"
        )
