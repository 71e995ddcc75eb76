"""Score-CAM and Grad-CAM against the grad-cam package; nothing of the model changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from kdcore.base import Cancelled
from kdcore.explain import score_cam
from kdcore.explain.attention import attention, attention_grids
from kdcore.explain.grad_cam import grad_cam
from kdcore.explain.score_cam import estimate_seconds
from kdcore.models import Ensemble, build_model

pytorch_grad_cam = pytest.importorskip("pytorch_grad_cam")


class _Logits(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        return self.model(images).logits


def _model(name, seed=0):
    torch.manual_seed(seed)
    return build_model(name, 7).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def image():
    return torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def small():
    return _model("cnn2")  # 16 and 32 channels: Score-CAM in a moment


def reference(method, model, layer, image, target):
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    wrapped = _Logits(model).requires_grad_(True)
    try:
        with getattr(pytorch_grad_cam, method)(wrapped, [layer]) as cam:
            return cam(image, [ClassifierOutputTarget(target)])[0]
    finally:
        wrapped.requires_grad_(False)
        wrapped.zero_grad(set_to_none=True)


LAYERS = [
    ("resnet18", 0, lambda m: m.net.layer1[-1]),
    ("mobilenet_v2", 1, lambda m: m.net.features[6]),
    pytest.param("resnet18", -1, lambda m: m.net.layer4[-1], marks=pytest.mark.slow),
    pytest.param("mobilenet_v2", -1, lambda m: m.net.features[18], marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "stage", "layer"), LAYERS)
@pytest.mark.parametrize(("method", "ours"), [("ScoreCAM", score_cam), ("GradCAM", grad_cam)])
def test_equals_the_package(name, stage, layer, method, ours, image):
    model = _model(name)
    theirs = reference(method, model, layer(model), image, 3)
    mine = ours(model, image, 3, stage)
    assert mine.shape == (64, 64)
    assert mine.dtype == np.float32
    assert np.abs(mine - theirs).max() <= 1e-3
    assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] >= 0.999


def test_constant_channels_count_as_in_the_package(image):
    model = _model("resnet18")
    with torch.no_grad():  # dead channels: the last block leaves zeros in every second one
        model.net.layer1[-1].bn2.weight[::2] = 0
        model.net.layer1[-1].bn2.bias[::2] = -1e4
    theirs = reference("ScoreCAM", model, model.net.layer1[-1], image, 2)
    seen = []
    mine = score_cam(model, image, 2, 0, progress=lambda done, total: seen.append((done, total)))
    assert np.abs(mine - theirs).max() <= 1e-3
    assert seen[-1] == (33, 33)  # one mask for all dead channels


def test_batch_size_and_a_second_run_change_nothing(small, image):
    first = score_cam(small, image, 1, batch_size=32)
    assert np.array_equal(first, score_cam(small, image, 1, batch_size=32))
    assert np.allclose(first, score_cam(small, image, 1, batch_size=7), atol=1e-4)


def test_progress_rises_to_the_total(small, image):
    seen = []
    score_cam(small, image, 0, 0, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (16, 16)


@pytest.mark.parametrize("training", [False, True])
def test_cancelling_restores_the_model(image, training):
    model = _model("cnn2").train(training)
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        score_cam(model, image, 0, batch_size=8, cancelled=lambda: next(asked))
    assert all(m.training is training for m in model.modules())


@pytest.mark.parametrize("method", [score_cam, grad_cam])
def test_the_model_is_unchanged(image, method):
    model = _model("resnet18")
    stage = 0 if method is score_cam else -1
    before = {k: v.clone() for k, v in model.state_dict().items()}
    method(model, image, 0, stage)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None and not p.requires_grad for p in model.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in model.modules())
    assert not image.requires_grad


@pytest.mark.parametrize("method", [score_cam, grad_cam])
@pytest.mark.parametrize(
    ("target", "stage", "shape", "word"),
    [
        (7, -1, (1, 3, 64, 64), "target"),
        (0, 2, (1, 3, 64, 64), "stage"),
        (0, -1, (2, 3, 64, 64), "tensor"),
    ],
)
def test_bad_arguments_are_named(small, method, target, stage, shape, word):
    with pytest.raises(ValueError, match=word):
        method(small, torch.zeros(shape), target, stage)


def test_ensemble_of_twins_explains_as_one(small, image):
    twins = Ensemble([small, small]).eval()
    assert np.allclose(grad_cam(twins, image, 2), grad_cam(small, image, 2), atol=1e-4)
    mixed = Ensemble([_model("resnet18"), _model("mobilenet_v2")]).eval()
    assert np.isfinite(grad_cam(mixed, image, 2, 1)).all()


def test_grad_cam_works_inside_inference_mode(small, image):
    with torch.inference_mode():
        inside = grad_cam(small, image.clone(), 2)
    assert np.array_equal(inside, grad_cam(small, image, 2))


def test_attention_is_the_scaled_sum_of_squares(small, image):
    grids = attention_grids(small, image)
    with torch.no_grad():
        raw = small(image).stages[1].square().sum(1)[0].numpy()
    assert np.allclose(grids[1], (raw - raw.min()) / (raw.max() - raw.min()), atol=1e-5)
    assert attention(small, image, 1).shape == (64, 64)


def test_the_estimate_is_a_positive_number(small, image):
    assert 0 < estimate_seconds(small, image) < 60
