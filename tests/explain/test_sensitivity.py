"""Sensitivity, shuffled parameters and other classes: closed forms, oracles, untouched models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from kdcore.base import Cancelled, SettingError
from kdcore.explain import random_map
from kdcore.explain.baseline_maps import centre_map
from kdcore.explain.grad_cam import grad_cam
from kdcore.explain.map_question import MapQuestion
from kdcore.explain.sensitivity import other_classes, randomisation, sensitivity
from kdcore.explain.similarity import similarity
from kdcore.models import Ensemble, build_model
from tests.explain.quadrants import (
    Quadrants,
    answer,
    assert_unchanged,
    noise_picture,
    quadrant,
    state_of,
)

THIRD = (0.5, 0.5, 0.5)


def centre(model, tensor, target):
    return centre_map(tensor.shape[-2:])


@pytest.fixture(scope="module")
def image():
    return torch.randn(1, 3, 40, 40, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("seed", range(3))
def test_similarity_equals_scipy_and_torchmetrics(seed):
    from torchmetrics.functional.image import structural_similarity_index_measure as ssim

    a, b = random_map((40, 33), seed), random_map((40, 33), seed + 10)
    found = similarity(a, b)
    assert found.spearman == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)
    pair = [torch.from_numpy(m)[None, None].double() for m in (a, b)]
    # Torchmetrics averages windows that hang over the border, too; here only those inside.
    _, windows = ssim(*pair, sigma=1.5, data_range=1.0, return_full_image=True)
    assert found.ssim == pytest.approx(float(windows[..., 5:-5, 5:-5].mean()), abs=1e-9)


def test_similarity_at_the_edges():
    a, flat = random_map((20, 20)), np.full((20, 20), 0.5, np.float32)
    same = similarity(a, a)
    assert (same.spearman, same.ssim) == (pytest.approx(1), pytest.approx(1))
    assert similarity(a, 1 - a).spearman == pytest.approx(-1)
    assert similarity(a, flat).spearman == 0
    assert similarity(flat, flat).spearman == 1
    assert similarity(flat[:1, :1], flat[:1, :1]).ssim == pytest.approx(1)
    with pytest.raises(ValueError, match="shape"):
        similarity(a, a[1:])


def test_sensitivity_of_a_map_that_shows_one_pixel():
    def pixel(model, tensor, target):  # a map of 0.5, moved by the red pixel (0, 0)
        return np.full((40, 40), 0.5 + float(tensor[0, 0, 0, 0]), np.float32)

    image = torch.zeros(1, 3, 40, 40)
    found = sensitivity(
        MapQuestion(Quadrants(), image, 0, pixel), std=(0.25, 0.5, 0.5), radius=2, repeats=200
    )
    bound = 2 / 255 / 0.25 / 0.5  # the largest move of the pixel, over the map's value
    assert found.changes.shape == (200,)
    assert 0.97 * bound < found.worst <= bound * (1 + 1e-5)
    assert found.changes.mean() == pytest.approx(bound / 2, rel=0.15)  # uniform, not Gaussian


def test_sensitivity_equals_a_loop(image):
    torch.manual_seed(0)
    model = build_model("cnn2", 4).eval()
    found = sensitivity(
        MapQuestion(model, image, 1, "grad-cam"), std=THIRD, radius=4, repeats=3, seed=5
    )
    before, seen = grad_cam(model, image, 1), []

    def spy(model, tensor, target):
        seen.append(tensor)
        return grad_cam(model, tensor, target)

    again = sensitivity(
        MapQuestion(model, image, 1, spy), std=THIRD, heatmap=before, radius=4, repeats=3, seed=5
    )
    assert np.allclose(found.changes, again.changes)
    for change, picture in zip(found.changes, seen):
        assert float((picture - image).abs().max()) <= 4 / 255 / 0.5 + 1e-6
        gap = grad_cam(model, picture, 1) - before
        assert change == pytest.approx(np.sqrt((gap**2).sum() / (before**2).sum()), rel=1e-4)


def test_a_map_that_ignores_the_network_is_found_out():
    model, image = Quadrants(), noise_picture()
    question = MapQuestion(model, image, 0, centre)
    assert sensitivity(question, std=THIRD).worst == 0
    assert randomisation(question).spearman == pytest.approx(1)
    found = other_classes(question, count=3)
    assert sorted(found.others) == [1, 2, 3]
    assert found.spearman == pytest.approx(1)


def test_the_right_map_needs_the_weights_and_the_class():
    model, image = Quadrants(), noise_picture()
    before = state_of(model)
    question = MapQuestion(model, image, 0, answer)
    shuffled = randomisation(question)
    assert abs(shuffled.spearman) < 0.5 and shuffled.ssim < 0.5
    others = other_classes(question, count=10)
    assert len(others.others) == 3
    assert others.spearman < 0  # the quadrants don't overlap
    assert_unchanged(model, before)


def test_shuffling_keeps_each_tensors_values_and_the_model(image):
    torch.manual_seed(0)
    model = build_model("mobilenet_v2", 3).eval().requires_grad_(False)
    before, clones = state_of(model), []

    def spy(network, tensor, target):
        clones.append(network)
        return grad_cam(network, tensor, target)

    found = randomisation(MapQuestion(model, image, 0, spy), heatmap=random_map((40, 40)), seed=2)
    assert_unchanged(model, before)
    (clone,) = clones
    assert clone is not model
    moved = 0
    for (key, new), old in zip(clone.named_parameters(), model.parameters()):
        assert torch.equal(new.flatten().sort().values, old.flatten().sort().values), key
        moved += not torch.equal(new, old)
    assert moved > 10
    for stage in clone(image).stages:  # neither vanished nor exploded
        assert 1e-3 < float(stage.abs().mean()) < 1e3
    norm = next(m for m in clone.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert norm.momentum == 0.1 and not norm.training
    again = randomisation(
        MapQuestion(model, image, 0, grad_cam), heatmap=random_map((40, 40)), seed=2
    )
    assert again == found


def test_inside_inference_mode_and_of_an_ensemble(image):
    twins = Ensemble([build_model("cnn2", 4), build_model("cnn2", 4)]).eval()
    outside = randomisation(MapQuestion(twins, image, 1, "grad-cam"))
    with torch.inference_mode():
        inside = randomisation(MapQuestion(twins, image.clone(), 1, "grad-cam"))
    assert inside.spearman == pytest.approx(outside.spearman)


def test_the_global_generators_are_left_alone(image):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    question = MapQuestion(Quadrants(), noise_picture(), 0, answer)
    sensitivity(question, std=THIRD, repeats=2)
    randomisation(question)
    other_classes(question)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda q: sensitivity(q, std=THIRD, radius=0), "radius"),
        (lambda q: sensitivity(q, std=THIRD, repeats=0), "repeats"),
        (lambda q: sensitivity(q, std=THIRD, heatmap=quadrant(0)[1:]), "heatmap"),
        (lambda q: sensitivity(replace(q, tensor=q.tensor[0]), std=THIRD), "tensor"),
        (lambda q: randomisation(replace(q, model=torch.nn.Identity())), "parameters"),
        (lambda q: other_classes(q, count=0), "count"),
        (lambda q: other_classes(replace(q, target=4)), "target"),
    ],
)
def test_bad_arguments_are_named(call, word):
    with pytest.raises(ValueError, match=word):
        call(MapQuestion(Quadrants(), noise_picture(), 0, centre))


def test_an_unknown_method_lists_the_known_ones(image):
    with pytest.raises(SettingError, match="grad-cam"):
        sensitivity(MapQuestion(Quadrants(), image, 0, "gradcam"), std=THIRD)


@pytest.mark.parametrize("training", [False, True])
def test_cancelling_restores_the_model(image, training):
    model = build_model("cnn2", 3).train(training)
    before, question = state_of(model), MapQuestion(model, image, 0, "grad-cam")
    for call in (
        lambda stop: sensitivity(question, std=THIRD, cancelled=stop),
        lambda stop: randomisation(question, cancelled=stop),
        lambda stop: other_classes(question, cancelled=stop),
    ):
        with pytest.raises(Cancelled):
            call(lambda: True)
        assert_unchanged(model, before)
    for call in (sensitivity, randomisation, other_classes):
        more = {"std": THIRD, "repeats": 1} if call is sensitivity else {}
        call(question, **more)
        assert_unchanged(model, before)
