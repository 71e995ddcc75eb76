"""Fast, exact and refined Score-CAM against loops, scikit-learn and each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from torch import nn

from kdcore.base import Cancelled
from kdcore.explain import (
    METHODS,
    channel_scores,
    fast_score_cam,
    refine_score_cam,
    score_cam,
    score_prediction,
)
from kdcore.explain.channel_masks import distinct_masks, masked_images
from kdcore.explain.channel_scores import ChannelScores
from kdcore.explain.maps import finish_cam
from kdcore.explain.quick_network import quick_dtype, quick_network
from kdcore.explain.score_cam import estimate_seconds
from kdcore.models import ARCHITECTURES, Ensemble, build_model

SMALL = ("cnn2", "resnet18", "mobilenet_v2", "resnet56_cifar")
SIDES = {"visformer_small": 224, "swin_s3_tiny_224": 224}


def trained(name):
    """Return a network whose batch norms do something, as a trained one's do."""
    torch.manual_seed(len(name))
    model = build_model(name, 7).eval().requires_grad_(False)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.8, 1.2)
            module.weight.data.uniform_(0.5, 1.0)
            module.bias.data.uniform_(-0.1, 0.1)
    return model


def picture(side=64):
    return torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="module")
def network():
    return trained("resnet18")


def state(model):
    modes = [m.training for m in model.modules()]
    tensors = {k: (id(v), v.dtype, v.sum().item()) for k, v in model.named_parameters()}
    buffers = {k: v.sum().item() for k, v in model.named_buffers()}
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]
    grads = [p.grad is None and not p.requires_grad for p in model.parameters()]
    return modes, tensors, buffers, hooks, grads


EACH = [
    pytest.param(n, marks=[] if n in SMALL else [pytest.mark.slow]) for n in ARCHITECTURES.names()
]


@pytest.mark.parametrize("name", EACH)
def test_the_quick_copy_says_the_same_and_the_model_is_untouched(name):
    model, image = trained(name), picture(SIDES.get(name, 64))
    before = state(model)
    quick, output = quick_network(model, image, torch.float32)
    other = torch.flip(image, (3,)) * 0.5
    with torch.inference_mode():
        assert torch.equal(output.logits, model(image).logits)
        scale = model(other).logits.abs().max()
        error = (quick(other).logits - model(other).logits).abs().max()
        quick_network(model, image, torch.bfloat16)  # converting must not reach the model
    assert error <= 2e-3 * scale
    assert state(model) == before
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in quick.modules())
    if name.startswith(("resnet", "mobilenet", "efficientnet")):
        assert not any(isinstance(m, nn.BatchNorm2d) for m in quick.modules())


def test_a_batch_norm_behind_an_activation_in_place_is_not_folded():
    class Late(type(build_model("cnn2", 3))):
        def forward_stages(self, images):
            first = self.norm(torch.relu_(self.conv1(images)))
            return first, torch.relu(self.conv2(first))

    model = Late(3)
    model.norm = nn.BatchNorm2d(16)
    model.norm.running_mean.uniform_(0.5, 1)
    model.eval().requires_grad_(False)
    quick, output = quick_network(model, picture(32), torch.float32)
    assert torch.allclose(quick(picture(32)).logits, output.logits, atol=1e-5)


def test_grouped_convolutions_stay_in_float32(monkeypatch):
    native = {"avx512_bf16": True}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: native, raising=False)
    assert quick_dtype(build_model("resnet18", 3)) is torch.bfloat16
    assert quick_dtype(build_model("mobilenet_v2", 3)) is torch.float32
    native.clear()
    assert quick_dtype(build_model("resnet18", 3)) is torch.float32


def test_exact_is_what_a_loop_over_channels_gives():
    model, image = trained("cnn2"), picture(32)
    with torch.no_grad():
        channels = model(image).stages[-1]
        grown = nn.UpsamplingBilinear2d((32, 32))(channels)[0]
        scores = []
        for channel in grown:
            mask = (channel - channel.min()) / (channel.max() - channel.min() + 1e-8)
            scores.append(model(image * mask).logits[0, 4])
        cam = (torch.softmax(torch.stack(scores), 0)[:, None, None] * channels[0]).sum(0)
    mine = score_cam(model, image, 4, dtype=torch.float32)
    assert np.allclose(mine, finish_cam(cam.numpy(), (32, 32)), atol=1e-4)


def test_bfloat16_gives_nearly_the_same_map(network):
    exact = score_cam(network, picture(), 3, 1, dtype=torch.float32)
    rounded = score_cam(network, picture(), 3, 1, dtype=torch.bfloat16)
    assert np.corrcoef(exact.ravel(), rounded.ravel())[0, 1] >= 0.999


def test_fast_with_every_mask_is_exact(network):
    exact = score_cam(network, picture(), 1, 0)
    assert np.allclose(fast_score_cam(network, picture(), 1, 0, masks=10_000), exact, atol=1e-3)


@pytest.mark.parametrize("stage", [0, 1])
def test_fast_is_close(network, stage):
    exact, fast = (f(network, picture(), 1, stage) for f in (score_cam, fast_score_cam))
    assert np.corrcoef(exact.ravel(), fast.ravel())[0, 1] >= 0.95


def test_refining_goes_from_fast_to_exact_and_scores_nothing_twice(network, monkeypatch):
    scored, original = [], ChannelScores._logits

    def watch(self, rows):
        scored.append(rows)
        return original(self, rows)

    monkeypatch.setattr(ChannelScores, "_logits", watch)
    steps = list(refine_score_cam(network, picture(), 5, 1))
    rows = np.concatenate(scored)
    assert len(np.unique(rows)) == len(rows)
    counts = [step.scored for step in steps]
    assert counts == sorted(set(counts))
    assert steps[-1].scored == steps[-1].channels == 128
    assert [step.exact for step in steps] == [False] * (len(steps) - 1) + [True]
    assert np.allclose(steps[0].heatmap, fast_score_cam(network, picture(), 5, 1), atol=1e-5)
    assert np.allclose(steps[-1].heatmap, score_cam(network, picture(), 5, 1), atol=1e-3)


def test_refining_an_ensemble_is_the_mean_of_its_members():
    torch.manual_seed(0)
    parts = [build_model("cnn2", 7).eval(), build_model("cnn2", 7).eval()]
    *_, last = refine_score_cam(Ensemble(parts), picture(32), 2, 0)
    alone = [score_cam(part, picture(32), 2, 0) for part in parts]
    assert np.allclose(last.heatmap, np.mean(alone, 0), atol=1e-4)
    assert last.exact and last.channels == 32


@pytest.mark.parametrize("training", [False, True])
def test_dropping_cancelling_and_failing_leave_the_model_as_it_was(training, monkeypatch):
    model = trained("cnn2").train(training)
    before = state(model)
    steps = refine_score_cam(model, picture(32), 0, 1)
    next(steps)
    assert state(model) == before  # while it waits, too
    steps.close()
    for make in (score_cam, fast_score_cam):
        asked = iter([False] + [True] * 9)
        with pytest.raises(Cancelled):
            make(model, picture(32), 0, cancelled=lambda asked=asked: next(asked))
        with pytest.raises(ValueError, match="target"):
            make(model, picture(32), 7)
    with pytest.raises(ValueError, match="target"):
        next(refine_score_cam(model, picture(32), 7))
    monkeypatch.setattr(channel_scores, "masked_images", None)
    with pytest.raises(TypeError):
        score_cam(model, picture(32), 0)
    assert state(model) == before


def test_what_was_scored_before_cancelling_is_kept():
    scores = ChannelScores(trained("cnn2"), picture(32), 0, -1)
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        scores.score(20, batch_size=5, cancelled=lambda: next(asked))
    assert scores.scored == 5
    assert scores.heatmap().shape == (32, 32)


def test_memory_is_bounded_by_the_batch(network, monkeypatch):
    sizes, original = [], channel_scores.masked_images

    def watch(image, channels, dtype):
        sizes.append(len(channels))
        return original(image, channels, dtype)

    monkeypatch.setattr(channel_scores, "masked_images", watch)
    score_cam(network, picture(), 0, 0, batch_size=9)
    assert max(sizes) == 9
    monkeypatch.setattr(channel_scores, "_BATCH_PIXELS", 5 * 64 * 64)
    del sizes[:]
    score_cam(network, picture(), 0, 0)
    assert set(sizes[:-1]) == {5}


def test_masks_of_one_shape_are_one():
    shape = torch.rand(4, 4, generator=torch.Generator().manual_seed(0))
    zero, other = torch.zeros(4, 4), shape.flip(0)
    channels = torch.stack([zero, shape, 5 * shape, other, zero, shape + 3, zero + 0.7, zero + 0.1])
    first, which = distinct_masks(channels)
    assert which.tolist() == [0, 1, 1, 2, 0, 1, 3, 4]  # constants by their own rounding
    assert first.tolist() == [0, 1, 3, 6, 7]
    image = torch.rand(1, 3, 24, 24)
    each = masked_images(image, channels, torch.float32)
    merged = each[torch.from_numpy(first[which])]
    assert torch.allclose(each, merged, atol=1e-4)


def test_farthest_first_is_the_definition(rng):
    points = rng.normal(size=(40, 5)).astype(np.float32)
    points[7] = points[3]
    chosen = score_prediction.farthest_first(points, 3, 40).tolist()
    assert sorted(chosen) == list(range(40))
    for place in range(1, 39):
        gaps = [min(np.sum((p - points[c]) ** 2) for c in chosen[:place]) for p in points]
        assert gaps[chosen[place]] == pytest.approx(max(gaps), rel=1e-5)
    assert chosen[-1] == 7


def test_prediction_is_scikit_learns(rng):
    points, wanted = rng.random((30, 9), np.float32), rng.random((50, 9), np.float32)
    scores = (points @ rng.normal(size=9)).astype(np.float32)
    gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)
    kernel = RBF(score_prediction._REACH * np.sqrt(np.median(gaps[gaps > 0] ** 2)))
    theirs = GaussianProcessRegressor(kernel, alpha=score_prediction._NOISE, optimizer=None)
    theirs.fit(points, (scores - scores.mean()) / scores.std())
    expected = scores.mean() + scores.std() * theirs.predict(wanted)
    assert np.allclose(score_prediction.predict_scores(points, scores, wanted), expected, atol=1e-3)


@pytest.mark.parametrize("count", [1, 4])
def test_prediction_without_anything_to_learn_is_the_mean(count):
    points, scores = np.ones((count, 3), np.float32), np.arange(count, dtype=np.float32)
    found = score_prediction.predict_scores(points, scores, np.zeros((2, 3), np.float32))
    assert found.tolist() == [scores.mean()] * 2


def test_bad_arguments_and_the_registry(network):
    with pytest.raises(ValueError, match="masks"):
        fast_score_cam(network, picture(), 0, masks=1)
    with pytest.raises(ValueError, match="batch_size"):
        score_cam(network, picture(), 0, batch_size=0)
    assert METHODS.get("score-cam-fast").convention.startswith("approximate")
    assert 0 < estimate_seconds(network, picture(), 0) < 60


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["densenet201", "visformer_small", "swin_s3_tiny_224", "vgg19", "ofa595"]
)
@pytest.mark.parametrize("stage", [0, -1])
def test_maps_of_the_cross_architecture_networks(name, stage):
    model, image = trained(name), picture(SIDES.get(name, 64))
    before = state(model)
    heatmap = fast_score_cam(model, image, 2, stage, masks=6)
    assert heatmap.shape == image.shape[2:] and heatmap.dtype == np.float32
    assert heatmap.min() >= 0 and heatmap.max() == pytest.approx(1, abs=1e-6)
    assert heatmap.std() > 0
    assert state(model) == before
