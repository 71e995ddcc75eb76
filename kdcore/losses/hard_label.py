"""The hard-label term: cross-entropy or focal loss under class weights, smoothed or not."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

CLASS_WEIGHTS = ("none", "inverse-sqrt", "effective-number")


def hard_loss(
    logits: Tensor,
    targets: Tensor,
    class_weights: Tensor | None = None,
    label_smoothing: float = 0.0,
    focal_gamma: float = 0.0,
) -> Tensor:
    """Return the class-weighted hard-label loss with soft targets, a weighted batch mean in nats.

    Soft targets carry mixup; a sample's weight is the mean of its classes' weights under its
    target before smoothing. With one-hot targets this is torch's own `cross_entropy`,
    except that torch weighs the smoothed part by class, too. With γ > 0 each class's
    −log p is scaled by (1 − p)^γ (focal loss, Lin et al. 2017, section 3, in its softmax form).

    Parameters
    ----------
    logits, targets : (B, C), targets in [0, 1] with rows that sum to 1
    class_weights : (C,) or None for equal weights
    label_smoothing : share of the target spread over all classes, in [0, 1)
    focal_gamma : γ ≥ 0; 0 is cross-entropy
    """
    classes = logits.shape[1]
    smoothed = targets * (1 - label_smoothing) + label_smoothing / classes
    log_probs = F.log_softmax(logits, 1)  # (B, C)
    if focal_gamma:
        # −expm1(log p) is 1 − p without cancellation; its power has no gradient at exactly 0.
        easy = (-torch.expm1(log_probs)).clamp_min(torch.finfo(log_probs.dtype).eps)
        log_probs = easy**focal_gamma * log_probs
    loss = -(smoothed * log_probs).sum(1)
    if class_weights is None:
        return loss.mean()
    weights = targets @ class_weights
    return (weights * loss).sum() / weights.sum().clamp_min(torch.finfo(loss.dtype).eps)


def class_weights(counts: Tensor, kind: str, beta: float = 0.999) -> Tensor | None:
    """Return a weight for each class, mean 1, or None for equal weights.

    Parameters
    ----------
    counts : (C,) training images of each class; a class without any counts as one
    kind : "none"; "inverse-sqrt", 1/√n; "effective-number", (1 − β)/(1 − βⁿ), which is the
        "class-balanced" loss of Cui et al. 2019, section 4
    beta : β in [0, 1) of the effective number

    Raises
    ------
    ValueError
        If the kind is unknown or β out of range.
    """
    if kind not in CLASS_WEIGHTS:
        raise ValueError(f"kind: expected one of {', '.join(CLASS_WEIGHTS)}, got {kind!r}")
    if not 0 <= beta < 1:
        raise ValueError(f"beta: expected a number in [0, 1), got {beta}")
    if kind == "none":
        return None
    n = counts.double().clamp_min(1)
    weights = n.rsqrt() if kind == "inverse-sqrt" else (1 - beta) / (1 - beta**n)
    return (weights / weights.mean()).float()
