"""Pure loss functions of distillation: tensors in, scalars out."""

from kdcore.losses.attention import (
    attention_map,
    attention_transfer,
    attention_vector,
    contrastive_alignment,
    masked_alignment,
    top_fraction_mask,
)
from kdcore.losses.distillation import dkd_loss, kd_loss
from kdcore.losses.hard_label import CLASS_WEIGHTS, class_weights, hard_loss
from kdcore.losses.hints import hint_loss

__all__ = [
    "CLASS_WEIGHTS",
    "attention_map",
    "attention_transfer",
    "attention_vector",
    "class_weights",
    "contrastive_alignment",
    "dkd_loss",
    "hard_loss",
    "hint_loss",
    "kd_loss",
    "masked_alignment",
    "top_fraction_mask",
]
