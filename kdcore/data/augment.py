"""Training views as numbers: geometry and colour are sampled apart from their rendering.

One affine grid does crop, rotation, flip, scale and resize in a single interpolation, for a whole
batch. Because a view is numbers, the same view can be rendered at the teacher's input size and at
the student's: both see the same picture (Beyer et al. 2022, "consistent teaching").
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class Augmentation(NamedTuple):
    """How far views may go from the centre square.

    `zoom` scales the square's side (1 = short side), `shift` is in half sides, `rotate` in
    degrees, `stretch` the largest log ratio of the axes; `brightness`, `contrast`, `saturation`
    and `tint` are the largest relative changes. With `steps` > 0, shifts are whole multiples of
    1 / steps half sides, so that a picture of 2·steps pixels is moved by whole pixels. `turns`
    is how many of the square's eight symmetries (`TURNS`) leave a picture as good as it was.
    """

    zoom: tuple[float, float] = (0.65, 1.1)
    shift: float = 0.12
    rotate: float = 180.0
    stretch: float = 0.15
    flip: bool = True
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    tint: float = 0.05
    steps: int = 0
    turns: int = 8


# The field's flip and crop: up to 4 of 32 pixels, which is a quarter of the half side. What comes
# in at the border is the picture's reflection, where the field pads with black.
CIFAR = Augmentation(
    zoom=(1.0, 1.0), shift=0.25, rotate=0.0, stretch=0.0, brightness=0.0, contrast=0.0,
    saturation=0.0, tint=0.0, steps=16, turns=2,
)  # fmt: skip
NONE = Augmentation(
    zoom=(1.0, 1.0), shift=0.0, rotate=0.0, stretch=0.0, flip=False, brightness=0.0,
    contrast=0.0, saturation=0.0, tint=0.0, turns=1,
)  # fmt: skip
AUGMENTATIONS = {"dermoscopy": Augmentation(), "cifar": CIFAR, "none": NONE}

# Identity and mirror first: a picture that has an up and a down has those two only.
TURNS = torch.tensor(
    [
        [[1, 0], [0, 1]], [[-1, 0], [0, 1]], [[1, 0], [0, -1]], [[-1, 0], [0, -1]],
        [[0, 1], [1, 0]], [[0, -1], [1, 0]], [[0, 1], [-1, 0]], [[0, -1], [-1, 0]],
    ]
).float()  # fmt: skip


class View(NamedTuple):
    """A batch of views: `geometry` (B, 2, 2), `offset` (B, 2), `colour` (B, 3, 3), `light` (B, 3).

    Geometry and offset map the unit square onto the source in units of its half short side.
    """

    geometry: Tensor
    offset: Tensor
    colour: Tensor
    light: Tensor


def sample_views(n: int, how: Augmentation, generator: torch.Generator) -> View:
    """Draw `n` views; the same generator state gives the same views."""

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(n, generator=generator) * (high - low) + low

    zoom, angle = uniform(*how.zoom), uniform(-how.rotate, how.rotate) * (math.pi / 180)
    ratio = uniform(-how.stretch, how.stretch).exp().sqrt()
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0) if how.flip else torch.ones(n)
    cos, sin = angle.cos(), angle.sin()
    x, y = zoom * ratio * mirror, zoom / ratio
    geometry = torch.stack([cos * x, -sin * y, sin * x, cos * y], 1).view(n, 2, 2)
    offset = torch.stack([uniform(-how.shift, how.shift), uniform(-how.shift, how.shift)], 1)
    if how.steps:  # each whole shift is as likely as another
        most = round(how.shift * how.steps)
        offset = torch.randint(-most, most + 1, (n, 2), generator=generator) / how.steps

    gain = 1 + uniform(-how.brightness, how.brightness)
    contrast = 1 + uniform(-how.contrast, how.contrast)
    saturation = (1 + uniform(-how.saturation, how.saturation)).view(n, 1, 1)
    grey = torch.tensor([0.299, 0.587, 0.114]).expand(3, 3)
    tint = 1 + torch.stack([uniform(-how.tint, how.tint) for _ in range(3)], 1)
    mix = saturation * torch.eye(3) + (1 - saturation) * grey
    colour = (gain * contrast).view(n, 1, 1) * tint.view(n, 3, 1) * mix
    # Contrast turns about mid-grey of skin rather than about black.
    light = ((1 - contrast) * 0.6).view(n, 1).expand(n, 3)
    return View(geometry, offset, colour, light)


def turn_view(view: View, turns: Tensor) -> View:
    """Return each view with its output turned by `TURNS[turns]`, `turns` (B,)."""
    return view._replace(geometry=view.geometry @ TURNS[turns])


def render(sources: Tensor, view: View, size: int, shrink: float = 1.0) -> Tensor:
    """Render each `view` of uint8 `sources` (B, 3, H, W) as float (B, 3, size, size) on [0, 1].

    Sources are sampled bilinearly with reflected borders; `shrink` ≥ 2 averages squares of that
    many pixels of a source that is finer than the output first, so that nothing aliases.
    """
    images = sources.float().div_(255)
    if (factor := int(shrink)) > 1:
        images = F.avg_pool2d(images, factor)
    height, width = images.shape[-2:]
    short = min(height, width)
    scale = view.geometry.new_tensor([short / width, short / height])
    theta = torch.cat([view.geometry, view.offset.unsqueeze(2)], 2) * scale.view(1, 2, 1)
    grid = F.affine_grid(theta, [len(images), 3, size, size], align_corners=False)
    out = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    out = torch.einsum("bij,bjhw->bihw", view.colour, out) + view.light.view(-1, 3, 1, 1)
    return out.clamp_(0, 1)
