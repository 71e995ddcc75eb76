"""A neutral view is the centre square; views replay; the same view renders at any size."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from kdcore.base import torch_generator
from kdcore.data import (
    AUGMENTATIONS,
    Augmentation,
    Preprocess,
    View,
    render,
    sample_views,
    turn_view,
)

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


def test_turns_are_the_eight_symmetries_of_the_picture():
    generator = torch.Generator().manual_seed(0)
    small = torch.randint(0, 256, (1, 3, 12, 12), generator=generator)
    sources = F.interpolate(small.float(), scale_factor=8).byte().expand(8, -1, -1, -1)
    view = sample_views(1, Augmentation(), generator)
    views = type(view)(*(part.expand(8, *part.shape[1:]) for part in view))
    plain = render(sources, views, 24)[0]
    turned = render(sources, turn_view(views, torch.arange(8)), 24)
    square = [plain, plain.flip(2), plain.flip(1), plain.flip(1, 2)]
    expected = [*square, *(p.transpose(1, 2) for p in square)]
    for ours, theirs in zip(turned, expected, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_cifar_views_are_moved_by_whole_pixels():
    pixels = torch.randint(0, 256, (64, 3, 32, 32), dtype=torch.uint8)
    view = sample_views(64, AUGMENTATIONS["cifar"], torch.Generator().manual_seed(0))
    out = render(pixels, view, 32) * 255
    assert torch.allclose(out, out.round(), atol=1e-2)  # no pixel is a mixture of two
    assert not torch.allclose(out[0], pixels[0].float())
    same = sample_views(4, AUGMENTATIONS["none"], torch.Generator().manual_seed(0))
    assert torch.allclose(render(pixels[:4], same, 32) * 255, pixels[:4].float(), atol=1e-3)


def test_preprocess_crops_the_centre_and_normalises():
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:, 26:74] = 200  # bicubic looks two pixels of the input past the square
    how = Preprocess(20, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    tensor = how(Image.fromarray(pixels))
    expected = (200 / 255 - np.array(how.mean)) / np.array(how.std)
    np.testing.assert_allclose(tensor, np.broadcast_to(expected[:, None, None], (3, 20, 20)), 1e-5)
