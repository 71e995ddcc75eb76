"""What every network here returns: logits and its stages, as explicit outputs."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn


class Output(NamedTuple):
    """One forward pass: `logits` (B, C) and `stages`, each (B, channels, h, w), early to late."""

    logits: Tensor
    stages: tuple[Tensor, ...]


class Classifier(nn.Module):
    """A network split into stages, so that attention and explanations need no hooks.

    Subclasses give `forward_stages` and `head`; hooks on a module that two browser sessions
    share would mix their activations, explicit outputs can't.

    Attributes
    ----------
    architecture : registered name
    stage_names : one name per stage, in forward order
    head_name : the module that gives the logits, as `named_modules` has it; its weights alone
        depend on the number of classes
    """

    architecture: str
    stage_names: tuple[str, ...]
    head_name: str = "fc"

    def forward_stages(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the stages (B, channels, h, w) for images (B, 3, H, W)."""
        raise TypeError(f"{type(self).__name__} does not define forward_stages")

    def head(self, last: Tensor) -> Tensor:
        """Return logits (B, C) for the last stage (B, channels, h, w)."""
        raise TypeError(f"{type(self).__name__} does not define head")

    def forward(self, images: Tensor) -> Output:
        """Return logits and stages for normalised images (B, 3, H, W)."""
        stages = self.forward_stages(images)
        return Output(self.head(stages[-1]), stages)
