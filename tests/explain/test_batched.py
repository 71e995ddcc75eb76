"""Heatmaps of a batch are those of its pictures one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kdcore.base import SettingError
from kdcore.explain import METHODS
from kdcore.explain.batched import heatmaps_of
from kdcore.explain.grad_cam import grad_cam, grad_cams
from kdcore.models import Ensemble, build_model


def network(name, seed=0):
    torch.manual_seed(seed)
    return build_model(name, 7).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def images():
    return torch.randn(5, 3, 48, 48, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("stage", [-1, 1])
@pytest.mark.parametrize(
    "model",
    [
        network("resnet18"),
        network("mobilenet_v2"),
        Ensemble([network("cnn2"), network("cnn2", seed=3)]).eval(),
    ],
    ids=["resnet18", "mobilenet_v2", "ensemble"],
)
def test_a_batch_is_its_images(model, images, stage):
    targets = [0, 3, 6, 3, 1]
    before = {k: v.clone() for k, v in model.state_dict().items()}
    found = grad_cams(model, images, targets, stage)
    assert found.shape == (5, 48, 48)
    assert found.dtype == np.float32
    for image, target, heatmap in zip(images, targets, found):
        if isinstance(model, Ensemble):
            alone = np.mean([grad_cam(m, image[None], target, stage) for m in model.members], 0)
        else:
            alone = grad_cam(model, image[None], target, stage)
        np.testing.assert_allclose(heatmap, alone, atol=2e-4)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None and not p.requires_grad for p in model.parameters())
    assert not images.requires_grad


def test_a_network_in_training_mode_explains_as_in_eval_mode_and_stays(images):
    model = network("resnet18")
    expected = grad_cams(model, images, [0] * 5)
    np.testing.assert_allclose(grad_cams(model.train(), images, [0] * 5), expected, atol=1e-5)
    assert model.training


@pytest.mark.parametrize("method", ["grad-cam", "score-cam", "attention"])
def test_every_method_takes_a_batch(images, method):
    model = network("cnn2")
    found = heatmaps_of(model, images, [0, 1, 2, 3, 4], method)
    compute = METHODS.get(method).compute
    for i in range(5):
        alone = compute(model, images[i : i + 1], i, -1, None, None)
        np.testing.assert_allclose(found[i], alone, atol=2e-4)


def test_what_is_refused(images):
    model = network("cnn2")
    with pytest.raises(SettingError, match="no explanation method"):
        heatmaps_of(model, images, [0] * 5, "tea-leaves")
    with pytest.raises(ValueError, match="targets"):
        grad_cams(model, images, [0] * 4)
    with pytest.raises(ValueError, match="target"):
        grad_cams(model, images, [0, 1, 2, 3, 7])
    with pytest.raises(ValueError, match="stage"):
        grad_cams(model, images, [0] * 5, 5)
