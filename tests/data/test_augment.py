"""A neutral view is the centre square; views replay; the same view renders at any size."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from kdcore.base import torch_generator
from kdcore.data import Augmentation, Preprocess, View, render, sample_views

NEUTRAL = View(
    torch.eye(2).unsqueeze(0), torch.zeros(1, 2), torch.eye(3).unsqueeze(0), torch.zeros(1, 3)
)


def _smooth() -> torch.Tensor:
    y, x = torch.meshgrid(torch.linspace(0, 200, 60), torch.linspace(0, 200, 80), indexing="ij")
    return torch.stack([x, y, (x + y) / 2]).byte()


def test_neutral_view_equals_preprocessing():
    source = _smooth()
    pil = Image.fromarray(source.permute(1, 2, 0).numpy())
    expected = Preprocess(60, (0, 0, 0), (1, 1, 1))(pil)
    assert torch.allclose(render(source[None], NEUTRAL, 60)[0], expected, atol=0.01)


def test_a_quarter_turn_is_rot90():
    turn = NEUTRAL._replace(geometry=torch.tensor([[[0.0, -1.0], [1.0, 0.0]]]))
    straight, turned = render(_smooth()[None], NEUTRAL, 60), render(_smooth()[None], turn, 60)
    assert torch.allclose(turned, torch.rot90(straight, 1, (2, 3)), atol=0.01)


def test_views_replay_and_stay_in_range():
    how = Augmentation()
    first = sample_views(5, how, torch_generator(1, 2))
    again = sample_views(5, how, torch_generator(1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, again))
    out = render(_smooth().expand(5, -1, -1, -1), first, 32)
    assert out.shape == (5, 3, 32, 32)
    assert 0 <= out.min() <= out.max() <= 1


def test_teacher_and_student_sizes_show_the_same_picture():
    view = sample_views(4, Augmentation(), torch_generator(0))
    sources = _smooth().expand(4, -1, -1, -1)
    large = torch.nn.functional.avg_pool2d(render(sources, view, 64), 2)
    assert (large - render(sources, view, 32)).abs().mean() < 0.02


def test_preprocess_crops_the_centre_and_undoes_itself():
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:, 26:74] = 200  # bicubic looks two pixels of the input past the square
    how = Preprocess(20, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    tensor = how(Image.fromarray(pixels))
    assert (how.display(tensor) == 200).all()
