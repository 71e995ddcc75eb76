"""Every further method against its library called directly, closed forms, and a clean model."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from kdcore.base import Cancelled, SettingError
from kdcore.data import draw_lesion
from kdcore.explain import (
    METHODS,
    attention_rollout,
    eigen_cam,
    explain_one,
    explain_pair,
    grad_cam_pp,
    integrated_gradients,
    layer_cam,
    occlusion,
    panel_svg,
)
from kdcore.explain.attribution import gradient_integral, occlusion_drops, patch_of, smooth
from kdcore.explain.maps import finish_cam, scale_unit
from kdcore.explain.rollout import rollout_shares
from kdcore.models import ARCHITECTURES, Card, Checkpoint, Classifier, Ensemble, build_model

LAYERS = [
    ("resnet18", 0, lambda m: m.net.layer1[-1]),
    ("resnet18", -1, lambda m: m.net.layer4[-1]),
    ("mobilenet_v2", 1, lambda m: m.net.features[6]),
]


class _Logits(nn.Module):
    """A deep copy of a network that gives logits only: a library may hook it as it likes."""

    def __init__(self, model):
        super().__init__()
        self.model = copy.deepcopy(model).requires_grad_(True)

    def forward(self, images):
        return self.model(images).logits


class _Linear(Classifier):
    """Logits that are weighted sums of the pixels; one stage, the picture itself."""

    architecture, stage_names = "linear", ("picture",)

    def __init__(self, side):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(2, 3, side, side, generator=generator))

    def forward_stages(self, images):
        return (images,)

    def head(self, last):
        return torch.einsum("bchw,kchw->bk", last, self.weight) + 1


def _model(name, seed=0):
    torch.manual_seed(seed)
    return build_model(name, 7).eval().requires_grad_(False)


def _noise(side, seed=1):
    return torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def image():
    return _noise(64)


@pytest.fixture(scope="module")
def small():
    return _model("cnn2")


@pytest.fixture(scope="module")
def visformer():
    return _model("visformer_small")


def _package(method, model, layer, image, target):
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    wrapped = _Logits(model)
    with getattr(pytorch_grad_cam, method)(wrapped, [layer(wrapped.model)]) as cam:
        return cam(image, [ClassifierOutputTarget(target)])[0]


@pytest.mark.parametrize(("name", "stage", "layer"), LAYERS)
@pytest.mark.parametrize(
    ("method", "ours"), [("GradCAMPlusPlus", grad_cam_pp), ("LayerCAM", layer_cam)]
)
def test_the_cams_equal_the_package(name, stage, layer, method, ours, image):
    model = _model(name)
    mine = ours(model, image, 3, stage)
    assert mine.dtype == np.float32
    assert np.abs(mine - _package(method, model, layer, image, 3)).max() <= 1e-3


@pytest.mark.parametrize(("name", "stage", "layer"), LAYERS)
def test_eigen_cam_equals_the_package_but_for_the_sign(name, stage, layer, image):
    from pytorch_grad_cam.utils.svd_on_activations import (
        get_2d_projection,
        get_2d_projection_with_sign_correction,
    )

    model = _model(name)
    with torch.no_grad():
        activations = model(image).stages[stage].numpy()
    mine = eigen_cam(model, image, stage)
    signed = get_2d_projection_with_sign_correction(activations)[0]
    assert np.abs(mine - finish_cam(signed, (64, 64))).max() <= 1e-3
    either = [finish_cam(s * get_2d_projection(activations)[0], (64, 64)) for s in (1, -1)]
    assert min(np.abs(mine - m).max() for m in either) <= 1e-3
    theirs = _package("EigenCAM", model, layer, image, 3)
    assert np.abs(either[0] - theirs).max() <= 1e-3


def test_eigen_cam_of_a_constant_stage_is_flat():
    assert not eigen_cam(_Linear(16).eval(), torch.ones(1, 3, 16, 16)).any()


def test_integrated_gradients_equal_captum(image):
    from captum.attr import IntegratedGradients

    model = _model("resnet18")
    direct = IntegratedGradients(_Logits(model)).attribute(image, target=2, n_steps=20)
    mine = gradient_integral(model, image, 2, steps=20)
    assert np.allclose(mine, direct[0].sum(0).detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("name", ["cnn2", "mobilenet_v2"])
def test_integrated_gradients_sum_to_the_logits_difference(name, image):
    model = _model(name)
    with torch.no_grad():
        ends = [model(x).logits[0, 4] for x in (image, torch.zeros_like(image))]
    difference = float(ends[0] - ends[1])
    values = gradient_integral(model, image, 4, steps=80)
    assert values.sum() == pytest.approx(difference, rel=0.02, abs=1e-3)
    assert smooth(values).sum() == pytest.approx(values.sum(), rel=1e-3, abs=1e-4)


def test_integrated_gradients_of_a_linear_network_are_its_terms():
    model, image = _Linear(24).eval(), _noise(24)
    terms = (model.weight[1] * image[0]).sum(0).detach().numpy()
    assert np.allclose(gradient_integral(model, image, 1, steps=3), terms, atol=1e-4)
    expected = scale_unit(np.maximum(smooth(terms), 0))
    assert np.allclose(integrated_gradients(model, image, 1, steps=3), expected, atol=1e-4)


@pytest.mark.parametrize("side", [24, 33])
def test_occlusion_of_a_linear_network_is_what_the_patches_hold(side):
    model, image = _Linear(side).eval(), _noise(side)
    terms = (model.weight[0] * image[0]).sum(0).detach().numpy()
    window, stride = patch_of((side, side))
    assert (window, stride) == (round(side / 8), round(side / 8) // 2)
    total, times = np.zeros((side, side)), np.zeros((side, side))
    starts = range(0, side - window + stride, stride)
    for top in starts:
        for left in starts:
            place = slice(top, top + window), slice(left, left + window)
            total[place] += terms[place].sum()
            times[place] += 1
    assert np.allclose(occlusion_drops(model, image, 0), total / times, atol=1e-3)
    expected = scale_unit(np.maximum(total / times, 0))
    assert np.allclose(occlusion(model, image, 0), expected, atol=1e-4)


def test_occlusion_equals_captum(image, small):
    from captum.attr import Occlusion

    direct = Occlusion(_Logits(small)).attribute(
        image, sliding_window_shapes=(3, 8, 8), strides=(3, 4, 4), target=5
    )
    assert np.allclose(occlusion_drops(small, image, 5), direct[0, 0].detach(), atol=1e-5)


def test_rollout_equals_the_hooked_network(visformer):
    image, seen = _noise(224), []
    copied = copy.deepcopy(visformer)
    for name, module in copied.named_modules():
        if name.endswith(".attn"):
            module.fused_attn = False
        if name.endswith("attn_drop"):  # gets the attention after its softmax
            module.register_forward_hook(lambda m, args, out: seen.append(args[0][0].mean(0)))
    with torch.no_grad():
        copied(image)
    rolled = torch.eye(196)
    for weights in seen:
        if len(weights) < len(rolled):  # 14 × 14 cells become 7 × 7
            rolled = torch.nn.functional.avg_pool2d(rolled.T.reshape(196, 1, 14, 14), 2)
            rolled = rolled.reshape(196, 49).T
        rolled = (weights + torch.eye(len(weights))) / 2 @ rolled
    shares = rollout_shares(visformer, image)
    assert len(seen) == 8
    assert torch.allclose(shares.flatten(), rolled.mean(0), atol=1e-6)
    assert float(shares.sum()) == pytest.approx(1, abs=1e-4)
    assert float(rollout_shares(visformer, image, 1).sum()) == pytest.approx(1, abs=1e-4)
    with pytest.raises(SettingError, match="later stage"):
        attention_rollout(visformer, image, 0)


def test_rollout_of_attention_to_everything_alike_is_flat(visformer):
    blind = copy.deepcopy(visformer)
    for name, value in blind.named_parameters():
        if "attn.qkv" in name:
            value.zero_()
    shares = rollout_shares(blind, _noise(224))
    assert torch.allclose(shares, torch.full((14, 14), 1 / 196), atol=1e-6)


def _checkpoint(model, side):
    third = (0.5, 0.5, 0.5)
    card = Card("m", "teacher", model.architecture, tuple("abcdefg"), side, third, third)
    return Checkpoint(model, card, Path("m"), "0" * 64)


def test_a_network_without_such_attention_is_refused_before_any_time_is_spent(small, visformer):
    first, other = _checkpoint(visformer, 224), _checkpoint(small, 32)
    for model in (small, Ensemble([small, small]).eval()):
        with pytest.raises(SettingError, match="visformer_small"):
            explain_one(_checkpoint(model, 32), draw_lesion("mel", 2), "attention-rollout")
    with pytest.raises(SettingError, match="not defined for cnn2"):
        explain_pair(first, other, draw_lesion("mel", 2), "attention-rollout")


def _state(model):
    """Return all that an explanation might leave behind on a model."""
    parameters = [(p.requires_grad, p.grad is None, p.detach()) for p in model.parameters()]
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return (
        [(m.training, [len(getattr(m, h)) for h in hooks]) for m in model.modules()],
        [(wants, none, float(value.double().sum())) for wants, none, value in parameters],
        [float(b.double().sum()) for b in model.buffers()],
    )


class _Failing(type(build_model("cnn2", 7))):
    """A network that fails in its n-th pass."""

    passes = 99

    def forward(self, images):
        self.passes -= 1
        if not self.passes:
            raise RuntimeError("no memory")
        return super().forward(images)


@pytest.mark.parametrize("method", [n for n in METHODS.names() if n != "attention-rollout"])
@pytest.mark.parametrize("training", [False, True])
def test_nothing_is_left_on_the_model(method, training):
    torch.manual_seed(0)
    model = _Failing(7).train(training)  # parameters that want gradients
    picture, before = _noise(32), _state(model)
    compute = METHODS.get(method).compute
    first = compute(model, picture, 1, -1, None, None)
    assert _state(model) == before
    with torch.inference_mode():
        assert np.allclose(compute(model, picture.clone(), 1, -1, None, None), first, atol=1e-5)
    asked = iter([False, True, True])
    slow = METHODS.get(method).slow
    with pytest.raises(Cancelled):
        compute(model, picture, 1, -1, None, lambda: next(asked) if slow else True)
    assert _state(model) == before
    model.passes = 2 if slow else 1  # of a slow one the first is only its question
    with pytest.raises(RuntimeError, match="no memory"):
        compute(model, picture, 1, -1, None, None)
    assert _state(model) == before
    assert not picture.requires_grad


@pytest.mark.parametrize("training", [False, True])
def test_rollout_leaves_nothing_on_the_model(visformer, training, monkeypatch):
    model = copy.deepcopy(visformer).train(training)
    picture, before = _noise(224), _state(model)
    compute = METHODS.get("attention-rollout").compute
    compute(model, picture, 1, -1, None, None)
    assert _state(model) == before
    with pytest.raises(Cancelled):
        compute(model, picture, 1, -1, None, lambda: True)
    assert _state(model) == before

    def fail(cells):
        raise RuntimeError("no memory")

    monkeypatch.setattr(getattr(model.net, model.stage_names[-1])[-1], "forward", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        compute(model, picture, 1, -1, None, None)
    assert _state(model) == before


@pytest.mark.parametrize("method", [grad_cam_pp, layer_cam, integrated_gradients, occlusion])
def test_bad_arguments_are_named(small, method):
    with pytest.raises(ValueError, match="target"):
        method(small, torch.zeros(1, 3, 32, 32), 7)
    with pytest.raises(ValueError, match="tensor"):
        method(small, torch.zeros(2, 3, 32, 32), 0)


def test_a_missing_stage_and_no_steps_are_named(small, image):
    for method in (grad_cam_pp, layer_cam):
        with pytest.raises(ValueError, match="stage"):
            method(small, image, 0, 2)
    with pytest.raises(ValueError, match="stage"):
        eigen_cam(small, image, 2)
    with pytest.raises(ValueError, match="steps"):
        integrated_gradients(small, image, 0, steps=0)


@pytest.mark.parametrize("method", ["integrated-gradients", "occlusion"])
def test_progress_rises_to_the_total(small, image, method):
    seen = []
    METHODS.get(method).compute(
        small, image, 0, -1, lambda done, total: seen.append((done, total)), None
    )
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]
    assert len({total for _, total in seen}) == 1


def test_the_panel_names_a_layer_only_where_one_was_asked(small):
    own = _checkpoint(small, 32)
    for method, words in (("occlusion", False), ("layer-cam", True)):
        pair = explain_pair(own, own, draw_lesion("mel", 2), method)
        assert ("layer: conv2" in panel_svg(pair)) is words


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES.names())
def test_every_architecture_is_explained_and_left_alone(name):
    model, tops = _model(name), []
    side = 224 if name in ("visformer_small", "swin_s3_tiny_224") else 64
    side = 32 if name.endswith("_cifar") else side
    before = _state(model)
    for method in (METHODS.get(key) for key in METHODS.names() if key != "score-cam"):
        if method.architectures and name not in method.architectures:
            with pytest.raises(SettingError, match=name):
                method.compute(model, _noise(side), 2, -1, None, None)
            continue
        heatmap = method.compute(model, _noise(side), 2, -1, None, None)
        assert heatmap.shape == (side, side)
        assert heatmap.dtype == np.float32
        assert heatmap.min() >= 0
        assert heatmap.max() <= 1 + 1e-6
        tops.append(float(heatmap.max()))
    assert max(tops) > 0.99  # random weights may leave single maps flat, as nothing speaks for it
    assert _state(model) == before
