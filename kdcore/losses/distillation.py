"""Hard and soft label terms of knowledge distillation (Hinton, Vinyals & Dean 2015)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def kd_loss(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """Return T² · KL(teacher ‖ student) of the softened outputs, batch mean in nats.

    Parameters
    ----------
    student_logits, teacher_logits : (B, C)
    temperature : T > 0; the factor T² keeps the gradient's size about constant in T

    Raises
    ------
    ValueError
        If T is not positive or the shapes differ.
    """
    if temperature <= 0:
        raise ValueError(f"temperature: expected a positive number, got {temperature}")
    if student_logits.shape != teacher_logits.shape:
        raise ValueError(
            f"student_logits, teacher_logits: expected one shape, got "
            f"{tuple(student_logits.shape)} and {tuple(teacher_logits.shape)}"
        )
    student = F.log_softmax(student_logits / temperature, 1)
    teacher = F.log_softmax(teacher_logits / temperature, 1)
    return temperature**2 * F.kl_div(student, teacher, reduction="batchmean", log_target=True)


def hard_loss(
    logits: Tensor,
    targets: Tensor,
    class_weights: Tensor | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the class-weighted cross-entropy with soft targets, a weighted batch mean in nats.

    Soft targets carry mixup; a sample's weight is the mean of its classes' weights under its
    target before smoothing. With one-hot targets this is torch's own `cross_entropy`,
    except that torch weighs the smoothed part by class, too.

    Parameters
    ----------
    logits, targets : (B, C), targets in [0, 1] with rows that sum to 1
    class_weights : (C,) or None for equal weights
    label_smoothing : share of the target spread over all classes, in [0, 1)
    """
    classes = logits.shape[1]
    smoothed = targets * (1 - label_smoothing) + label_smoothing / classes
    nll = -(smoothed * F.log_softmax(logits, 1)).sum(1)
    if class_weights is None:
        return nll.mean()
    weights = targets @ class_weights
    return (weights * nll).sum() / weights.sum().clamp_min(torch.finfo(nll.dtype).eps)
