"""The network in training, with the projections that feature hints are learnt through."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kdcore.models import Classifier, Output


class Student(nn.Module):
    """A classifier `net` and a 1×1 projection for each teacher that gives hints.

    Parameters
    ----------
    net : the network that is kept; the projections are thrown away after training
    kept : how many last stages are returned; in half precision each is copied to float
    stage : which stage is projected, counted back from the last, from 1
    channels : of that stage in `net`
    teachers : channels of each teacher's stage; empty without hints
    """

    def __init__(
        self,
        net: Classifier,
        kept: int = 0,
        stage: int = 1,
        channels: int = 0,
        teachers: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.net, self.kept, self.stage = net, kept, stage
        self.projections = nn.ModuleList(nn.Conv2d(channels, k, 1, bias=False) for k in teachers)

    def forward(self, images: Tensor) -> tuple[Output, tuple[Tensor, ...]]:
        """Return the output, cut to the kept stages, and projected ones for images (B, 3, H, W)."""
        output = self.net(images)
        projected = tuple(p(output.stages[-self.stage]) for p in self.projections)
        return Output(output.logits, output.stages[-self.kept :] if self.kept else ()), projected


def stage_channels(net: Classifier, stage: int, size: int, device: torch.device) -> int:
    """Return the channels of one stage, by showing the network a blank picture.

    Parameters
    ----------
    net : on `device`; its mode is the same afterwards
    stage : counted back from the last, from 1
    size : of the picture, pixels
    device : where the picture is made

    Raises
    ------
    ValueError
        If the network has fewer stages.
    """
    if stage > len(net.stage_names):
        raise ValueError(f"stage: {net.architecture} has {len(net.stage_names)}, got {stage}")
    training = net.training
    with torch.no_grad():
        stages = net.eval()(torch.zeros(1, 3, size, size, device=device)).stages
    net.train(training)
    return int(stages[-stage].shape[1])
