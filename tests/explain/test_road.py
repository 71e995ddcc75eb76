"""ROAD's filling against the authors' code as the grad-cam package has it, and on known cases."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kdcore.explain import random_map
from kdcore.explain.baseline_maps import baseline_maps
from kdcore.explain.road import fill, road
from tests.explain.quadrants import Quadrants, assert_unchanged, noise_picture, quadrant, state_of


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_filling_equals_the_package(share, rng):
    from pytorch_grad_cam.metrics.road import NoisyLinearImputer

    image = torch.from_numpy(rng.standard_normal((1, 3, 18, 23)).astype(np.float32))
    removed = rng.random((18, 23)) < share
    removed[0, 0], removed[4, 5] = True, False
    theirs = NoisyLinearImputer(noise=0)(image[0], torch.from_numpy(1.0 - removed))
    assert np.allclose(fill(image, removed, noise=0)[0], theirs, atol=1e-4)


def test_a_smooth_picture_comes_back_and_borders_do_not_pull():
    image = torch.full((1, 3, 16, 16), 0.7)
    removed = np.ones((16, 16), bool)
    removed[3, 12] = False
    assert torch.allclose(fill(image, removed, noise=0), image, atol=1e-5)
    slope = torch.arange(16.0).expand(1, 3, 16, 16)  # linear, so harmonic inside
    removed = np.zeros((16, 16), bool)
    removed[4:9, 5:11] = True
    assert torch.allclose(fill(slope, removed, noise=0), slope, atol=1e-4)


def test_filled_values_stay_within_what_is_left(rng):
    image = torch.from_numpy(rng.random((1, 3, 20, 20)).astype(np.float32))
    removed = rng.random((20, 20)) < 0.7
    filled = fill(image, removed, noise=0)[0]
    for channel, whole in zip(filled.numpy(), image[0].numpy()):
        assert whole[~removed].min() - 1e-5 <= channel.min()
        assert channel.max() <= whole[~removed].max() + 1e-5


def test_noise_has_its_deviation_and_seed():
    image = torch.zeros(1, 3, 60, 60)
    removed = np.ones((60, 60), bool)
    removed[0] = False
    filled = fill(image, removed, noise=0.05, seed=1)
    assert float(filled[0, :, removed].std()) == pytest.approx(0.05, rel=0.05)
    assert float(filled[0, :, ~removed].abs().max()) == 0
    assert torch.equal(filled, fill(image, removed, noise=0.05, seed=1))
    assert not torch.equal(filled, fill(image, removed, noise=0.05, seed=2))


def test_nothing_removed_and_nothing_left():
    image = torch.rand(1, 3, 8, 8)
    assert torch.equal(fill(image, np.zeros((8, 8), bool)), image)
    with pytest.raises(ValueError, match="removed"):
        fill(image, np.ones((8, 8), bool))


def test_the_right_map_loses_the_class_first():
    model, image = Quadrants(), noise_picture()
    before, seen = state_of(model), []
    right = quadrant(2).astype(np.float32)
    others = list(baseline_maps(image, (1, 1, 1)).values())
    first, *rest = road(
        model, image, 2, [right, *others], progress=lambda d, t: seen.append((d, t))
    )
    assert seen == [(i, 5) for i in range(1, 6)]
    assert first.probability == pytest.approx(0.25)
    assert first.probs.shape == first.fractions.shape == (9,)
    assert all(first.score < other.score for other in rest)
    assert first.probs[1] < 0.12  # four fifths of its quadrant are gone
    assert_unchanged(model, before)


def test_one_fraction_is_the_network_on_the_filled_picture():
    model, image = Quadrants(), noise_picture()
    heatmap = np.random.default_rng(5).random((32, 32), dtype=np.float32)
    (result,) = road(model, image, 1, [heatmap], fractions=[0.25], seed=4)
    removed = heatmap > np.sort(heatmap.ravel())[-257]
    with torch.no_grad():
        expected = model(fill(image, removed, seed=4)).logits.softmax(1)[0, 1]
    assert result.score == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize("change", [{"fractions": []}, {"fractions": [1.0]}])
def test_bad_arguments_are_named(change):
    with pytest.raises(ValueError, match="fractions"):
        road(Quadrants(), noise_picture(), 0, [random_map((32, 32))], **change)
