"""The network as it is exported: logits alone, from normalised images or from pixels."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from kdcore.models import Checkpoint


class Deployed(nn.Module):
    """A copy of a checkpoint's network that returns logits (N, C) and nothing else.

    Its input is images (N, 3, H, W), float32 and normalised; or, where `folded`, the pixels
    (N, H, W, 3), uint8 RGB of the input size, which it normalises itself. The copy is its own:
    exporters change what they trace, and sessions share the checkpoint's.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, checkpoint: Checkpoint, folded: bool = False) -> None:
        super().__init__()
        self.network = copy.deepcopy(checkpoint.model).eval().requires_grad_(False)
        for module in self.network.modules():
            if hasattr(module, "inplace"):
                vars(module)["inplace"] = False  # twice the work for the exporter, nothing gained
        self.folded = folded
        self.register_buffer("mean", torch.tensor(checkpoint.card.mean).view(3, 1, 1) * 255)
        self.register_buffer("std", torch.tensor(checkpoint.card.std).view(3, 1, 1) * 255)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N, C)."""
        if self.folded:
            images = (images.permute(0, 3, 1, 2).float() - self.mean) / self.std
        return self.network(images).logits

    def example(self, side: int) -> Tensor:
        """Return a batch to trace with, (2, 3, side, side) or folded (2, side, side, 3).

        A batch of one may be taken for a constant.
        """
        if self.folded:
            return torch.zeros(2, side, side, 3, dtype=torch.uint8)
        return torch.zeros(2, 3, side, side)
