"""OFA-595: the specialised Once-for-All network of 595 M multiply-adds at 236 × 236 pixels.

Source: Cai et al. 2020, "Once-for-All: Train One Network and Specialize it for Efficient
Deployment"; the table is that of its `flops@595M` network. Parameters are named as in the authors'
files after their loader has renamed `mobile_inverted_conv` to `conv`, so that those load.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from torch import Tensor, nn

from kdcore.models.backbones import outputs_at
from kdcore.models.output import Classifier

_STEM, _EXPANDED, _MIXED = 24, 1152, 1536  # channels
_DROPOUT = 0.2
_SQUEEZE, _MULTIPLE = 4, 8  # of squeeze-and-excitation: C / 4 channels, as a multiple of 8


class _Stage(NamedTuple):
    """Blocks of one width; the first of them has the stride, and each its kernel and expansion."""

    out: int
    stride: int
    kernels: tuple[int, ...]
    expansions: tuple[int, ...]
    activation: type[nn.Module]
    squeezed: bool


_STAGES = (
    _Stage(24, 1, (3,), (1,), nn.ReLU, False),
    _Stage(32, 2, (3, 5, 3), (3, 4, 3), nn.ReLU, False),
    _Stage(48, 2, (5, 5, 3, 5), (4, 4, 6, 3), nn.ReLU, True),
    _Stage(96, 2, (7, 5, 3, 5), (6, 6, 3, 4), nn.Hardswish, False),
    _Stage(136, 1, (3, 5, 7, 3), (6, 6, 6, 4), nn.Hardswish, True),
    _Stage(192, 2, (3, 3, 5, 3), (6, 6, 6, 3), nn.Hardswish, True),
)


class SqueezeExcite(nn.Module):
    """Gate each channel by what all of them are on average (Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        fewer = int(channels / _SQUEEZE / _MULTIPLE + 0.5) * _MULTIPLE  # a half is rounded up
        self.fc = _named(
            reduce=nn.Conv2d(channels, fewer, 1),
            relu=nn.ReLU(inplace=True),
            expand=nn.Conv2d(fewer, channels, 1),
            h_sigmoid=nn.Hardsigmoid(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (B, C, h, w) gated."""
        return x * self.fc(x.mean((2, 3), keepdim=True))


class InvertedResidual(nn.Module):
    """Expand, filter each channel by itself, project; added to the input where shapes agree."""

    def __init__(self, inputs: int, stage: _Stage, index: int) -> None:
        super().__init__()
        kernel, wide = stage.kernels[index], inputs * stage.expansions[index]
        stride = stage.stride if index == 0 else 1
        parts: dict[str, nn.Sequential] = {}
        if wide != inputs:
            parts["inverted_bottleneck"] = _convolution(inputs, wide, 1, 1, 1, stage.activation)
        parts["depth_conv"] = _convolution(wide, wide, kernel, stride, wide, stage.activation)
        if stage.squeezed:
            parts["depth_conv"].add_module("se", SqueezeExcite(wide))
        parts["point_linear"] = _convolution(wide, stage.out, 1)
        self.conv = _named(**parts)
        self.residual = stride == 1 and inputs == stage.out

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, out, h, w) for `x` (B, inputs, H, W)."""
        return x + self.conv(x) if self.residual else self.conv(x)


class Ofa595(Classifier):
    """OFA-595; stages are the last map before each stride from 4 on, and what enters the pooling.

    For an input of S pixels: (32, S/4), (48, S/8), (136, S/16) and (1152, S/32), rounded up.
    """

    head_name = "classifier.linear"

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.architecture = "ofa595"
        self.first_conv = _convolution(3, _STEM, 3, 2, 1, nn.Hardswish)
        blocks, ends, inputs = [], [], _STEM
        for stage, following in zip(_STAGES, (*_STAGES[1:], None)):
            for index in range(len(stage.kernels)):
                blocks.append(InvertedResidual(inputs, stage, index))
                inputs = stage.out
            if len(blocks) > 1 and following is not None and following.stride > 1:
                ends.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)
        self.ends = tuple(ends)
        self.stage_names = (*(f"blocks.{end}" for end in ends), "final_expand_layer")
        self.final_expand_layer = _convolution(inputs, _EXPANDED, 1, 1, 1, nn.Hardswish)
        self.feature_mix_layer = _named(
            conv=nn.Conv2d(_EXPANDED, _MIXED, 1, bias=False), act=nn.Hardswish(inplace=True)
        )
        self.classifier = _named(
            dropout=nn.Dropout(_DROPOUT), linear=nn.Linear(_MIXED, num_classes)
        )
        self.apply(_start)

    def forward_stages(self, images: Tensor) -> tuple[Tensor, ...]:
        """See `Classifier`."""
        ends = (*self.ends, len(self.blocks) - 1)
        *stages, last = outputs_at(self.blocks, ends, self.first_conv(images))
        return (*stages, self.final_expand_layer(last))

    def head(self, last: Tensor) -> Tensor:
        """See `Classifier`."""
        return self.classifier(self.feature_mix_layer(last.mean((2, 3), keepdim=True)).flatten(1))


def _convolution(
    inputs: int,
    outputs: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    activation: type[nn.Module] | None = None,
) -> nn.Sequential:
    """Return a convolution, its batch norm, and its activation if it has one."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    act = {"act": activation(inplace=True)} if activation else {}
    return _named(conv=conv, bn=nn.BatchNorm2d(outputs), **act)


def _named(**modules: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(modules))


def _start(module: nn.Module) -> None:
    """Draw initial weights by fan-out, as the mobile networks' authors do."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)
