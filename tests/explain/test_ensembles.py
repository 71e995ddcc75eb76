"""What an ensemble explains is the mean of what its members explain, by every method."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from kdcore.base import Cancelled
from kdcore.data import draw_lesion
from kdcore.explain import METHODS, explain_one, explain_pair, refine_score_cam, score_cam
from kdcore.explain.attention import attention_grids
from kdcore.explain.channel_scores import ChannelScores
from kdcore.explain.ensemble import CONVENTION, mean_attention_grids, mean_map, mean_of
from kdcore.explain.everything import explain_everything
from kdcore.explain.score_cam import estimate_seconds
from kdcore.models import Card, Checkpoint, Ensemble, build_model

SIDE = 32
FOR_ALL = [name for name in METHODS.names() if not METHODS.get(name).architectures]


def _loud(model):
    """Scale a network's activations and logits by ten: joined, it would drown the other."""
    with torch.no_grad():
        model.conv1.weight *= 10
        for layer in (model.conv1, model.conv2, model.hidden, model.fc):
            layer.bias *= 10  # ReLU and pooling pass a positive factor on
    return model


@pytest.fixture(scope="module")
def ensemble():
    torch.manual_seed(3)
    members = [build_model("cnn2", 7), _loud(build_model("cnn2", 7))]
    return Ensemble(members).eval().requires_grad_(False)


def _checkpoint(model, name):
    third = (0.5, 0.5, 0.5)
    card = Card(name, "teacher", "cnn2", tuple("abcdefg"), SIDE, third, third)
    return Checkpoint(model, card, Path(name), "0" * 64)


@pytest.fixture(scope="module")
def picture():
    return draw_lesion("mel", 2)


@pytest.mark.parametrize("method", FOR_ALL)
@pytest.mark.parametrize("stage", [0, -1])
def test_the_map_is_the_mean_of_the_members_maps(ensemble, picture, method, stage):
    alone = [explain_one(_checkpoint(m, "m"), picture, method, stage, 2) for m in ensemble.members]
    both = explain_one(_checkpoint(ensemble, "both"), picture, method, stage, 2)
    assert np.allclose(both.heatmap, np.mean([a.heatmap for a in alone], 0), atol=1e-6)
    assert both.heatmap.dtype == np.float32
    assert 0 <= both.heatmap.min() <= both.heatmap.max() <= 1 + 1e-6
    assert np.allclose(both.logits, np.mean([a.logits for a in alone], 0), atol=1e-5)
    assert CONVENTION in both.manifest["method"]["convention"]


def test_members_whose_map_is_empty_are_left_out_of_the_mean(ensemble):
    empty, full, half = (np.full((2, 4), v, np.float32) for v in (0, 0, 0))
    full[0, 0], half[1, 1] = 1, 0.5
    maps = iter([empty, full])
    found = mean_map(ensemble, lambda member, progress: next(maps), None)
    assert np.array_equal(found, full), "its maximum is still 1"
    assert np.allclose(mean_of([full, empty, half]), (full + half) / 2)
    assert mean_of([full, half]).dtype == np.float32
    assert np.array_equal(mean_of([empty, empty]), empty)


def test_a_refined_map_leaves_empty_members_out_too(ensemble, monkeypatch):
    image, real = torch.rand(1, 3, SIDE, SIDE), ChannelScores.heatmap
    *_, alone = refine_score_cam(ensemble.members[1], image, 0)
    calls = itertools.count()
    monkeypatch.setattr(ChannelScores, "heatmap", lambda s: real(s) * np.float32(next(calls) % 2))
    *_, both = refine_score_cam(ensemble, image, 0)
    assert alone.heatmap.max() > 0.99
    assert np.allclose(both.heatmap, alone.heatmap, atol=1e-6)
    assert np.allclose(score_cam(ensemble, image, 0), alone.heatmap, atol=1e-6)


def test_attention_per_stage_is_the_mean_on_the_finest_grid():
    members = [build_model("cnn2", 3).eval(), build_model("cnn2", 3).eval()]
    image = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    found = mean_attention_grids(Ensemble(members).eval(), image)
    for stage, pair in zip(found, zip(*(attention_grids(m, image) for m in members))):
        assert np.allclose(stage, np.mean(pair, 0), atol=1e-6)
    mixed = Ensemble([build_model("resnet18", 3), build_model("mobilenet_v2", 3)]).eval()
    joined = mixed(image).stages
    shapes = [grid.shape for grid in mean_attention_grids(mixed, image)]
    assert shapes == [tuple(stage.shape[-2:]) for stage in joined]


def test_progress_rises_over_all_members(ensemble):
    image, seen = torch.rand(1, 3, SIDE, SIDE), []
    score_cam(ensemble, image, 0, progress=lambda done, total: seen.append(done / total))
    assert seen == sorted(seen)
    assert seen[0] < 0.5 < seen[-1] == 1
    assert estimate_seconds(ensemble, image) > 0


@pytest.mark.parametrize("method", FOR_ALL)
def test_a_pair_with_an_ensemble_reports_and_cancels(ensemble, picture, method):
    teacher, student = _checkpoint(ensemble, "t"), _checkpoint(ensemble.members[0], "s")
    seen = []
    explain_pair(
        teacher, student, picture, method, progress=lambda done, total: seen.append(done / total)
    )
    assert seen == sorted(seen)
    assert seen[-1] == 1
    image, asked = torch.rand(1, 3, SIDE, SIDE), iter([False] * 1 + [True] * 99)
    with pytest.raises(Cancelled):
        METHODS.get(method).compute(ensemble, image, 0, -1, None, lambda: next(asked))


def test_everything_of_an_ensemble(ensemble, picture):
    teacher, student = _checkpoint(ensemble, "t"), _checkpoint(ensemble.members[0], "s")
    seen = []
    found = explain_everything(
        teacher, student, picture, -1, 1, progress=lambda fraction, doing: seen.append(fraction)
    )
    assert seen == sorted(seen)
    assert seen[-1] <= 1
    alone = explain_pair(teacher, student, picture, "score-cam", -1, 1)
    assert np.allclose(found.score_cam.teacher_map, alone.teacher_map, atol=1e-5)
    assert found.teacher.attention[-1].max() <= 1 + 1e-6
