"""Several networks behind the interface of one.

Logits are averaged. A stage of the ensemble is its members' stages side by side in the channel
dimension, on the finest member's grid: what attention transfer and the density see of it.
Explanations are not made of joined stages but averaged over members (`kdcore.explain.ensemble`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kdcore.models.output import Classifier, Output


class Ensemble(Classifier):
    """The mean of `members`, which must have the same number of stages and classes."""

    def __init__(self, members: Sequence[Classifier]) -> None:
        super().__init__()
        if not members or len({len(m.stage_names) for m in members}) != 1:
            raise ValueError("members: expected one or more networks with equally many stages")
        self.architecture = "ensemble(" + ",".join(m.architecture for m in members) + ")"
        self.members = nn.ModuleList(members)
        self.stage_names = members[0].stage_names

    def forward(self, images: Tensor) -> Output:
        """Return the mean logits and the joined stages."""
        outputs = [member(images) for member in self.members]
        logits = torch.stack([o.logits for o in outputs]).mean(0)
        stages = tuple(_side_by_side(parts) for parts in zip(*(o.stages for o in outputs)))
        return Output(logits, stages)


def _side_by_side(parts: tuple[Tensor, ...]) -> Tensor:
    grid = max((p.shape[-2:] for p in parts), key=lambda s: s[0] * s[1])
    return torch.cat(
        [
            p if p.shape[-2:] == grid else nn.functional.interpolate(p, grid, mode="bilinear")
            for p in parts
        ],
        1,
    )
