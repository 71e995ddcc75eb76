"""Pure loss functions of distillation: tensors in, scalars out."""

from kdcore.losses.attention import (
    attention_map,
    attention_transfer,
    attention_vector,
    masked_alignment,
)
from kdcore.losses.distillation import hard_loss, kd_loss

__all__ = [
    "attention_map",
    "attention_transfer",
    "attention_vector",
    "hard_loss",
    "kd_loss",
    "masked_alignment",
]
