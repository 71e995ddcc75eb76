"""Checks of a pair, the share of a map on the lesion, and agreement as numbers."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from kdcore.base import Cancelled
from kdcore.data import HAM10000, draw_lesion
from kdcore.explain import (
    agreements,
    check_map,
    check_pair,
    explain_one,
    explain_pair,
    explain_steps,
    fast_score_cam,
    join,
    lesion_share,
    methods_for,
    score_cam,
)
from kdcore.explain.map_agreement import MEASURES
from kdcore.explain.map_question import MapQuestion
from kdcore.models import Card, Checkpoint, build_model, load_checkpoint, save_checkpoint
from kdcore.predict import preprocess_of

PICTURE = draw_lesion("mel", 5)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder: Path = tmp_path_factory.mktemp("check-pair") / "cnn2"
    card = Card(
        name="cnn2",
        role="teacher",
        architecture="cnn2",
        classes=HAM10000.classes,
        input_size=32,
        mean=HAM10000.mean,
        std=HAM10000.std,
    )
    save_checkpoint(folder, build_model("cnn2", 7), card)
    return load_checkpoint(folder)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("kdcore.explain.score_cam"), "FAST_LEAST", 2)


def test_a_pair_is_checked_as_each_map_alone(small: Checkpoint) -> None:
    pair, seen = explain_pair(small, small, PICTURE, "grad-cam", target=4), []
    lesion = np.zeros((32, 32), bool)
    lesion[8:20, 8:20] = True
    found = check_pair(small, small, PICTURE, pair, (lesion, None), lambda f, d: seen.append(f))
    tensor = preprocess_of(small)(PICTURE)[None]
    question = MapQuestion(small.model, tensor, 4, "grad-cam", pair.teacher.stage)
    given = (question, pair.teacher_map, HAM10000.std)
    assert found.teacher.checks == check_map(*given, lesion=lesion).checks
    assert found.student.checks == check_map(*given).checks
    assert seen == sorted(seen) and seen[-1] == 1
    facts = json.loads(json.dumps(found.as_dict()))
    assert facts["teacher"]["verdict"] == found.teacher.verdict
    assert [c["name"] for c in facts["student"]["checks"]][-1] != "energy"


def test_an_approximate_map_is_made_again_of_as_many_masks(
    small: Checkpoint, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def watched(*args: object) -> np.ndarray:
        asked.append(args[-1])
        return fast_score_cam(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(import_module("kdcore.explain.check_pair"), "fast_score_cam", watched)
    fast = next(explain_steps(small, PICTURE, target=4))
    check_pair(small, small, PICTURE, join(fast, fast))
    assert fast.masks is not None and not fast.masks.exact
    assert set(asked) == {fast.masks.scored}


def test_checks_can_be_cancelled(small: Checkpoint) -> None:
    def stop(fraction: float, doing: str) -> None:
        if fraction > 0.5:
            raise Cancelled

    pair = explain_pair(small, small, PICTURE, "grad-cam", target=4)
    with pytest.raises(Cancelled):
        check_pair(small, small, PICTURE, pair, progress=stop)


def test_steps_end_with_what_explain_one_gives(small: Checkpoint, few: None) -> None:
    steps, counted = [], []

    def count(done: int, total: int) -> None:
        counted.append(done)

    for step in explain_steps(small, PICTURE, -1, 4, progress=count):
        steps.append(step)
    alone = explain_one(small, PICTURE, "score-cam", -1, 4)
    assert len(steps) > 2
    assert [s.exact for s in steps] == [False] * (len(steps) - 1) + [True]
    assert steps[0].masks is not None
    assert steps[0].manifest["checkpoint"]["masks"]["scored"] == steps[0].masks.scored
    np.testing.assert_allclose(steps[-1].heatmap, alone.heatmap, atol=1e-3)
    np.testing.assert_allclose(
        score_cam(small.model, preprocess_of(small)(PICTURE)[None], 4), alone.heatmap, atol=1e-6
    )
    assert counted == sorted(counted)


def test_the_share_on_the_lesion_is_a_share_of_the_sum(rng: np.random.Generator) -> None:
    heatmap, lesion = rng.random((20, 30), np.float32), rng.random((20, 30)) < 0.3
    share = lesion_share(heatmap, lesion)
    assert share is not None
    assert share.inside == pytest.approx(heatmap[lesion].sum() / heatmap.sum(), rel=1e-5)
    assert share.area == pytest.approx(lesion.mean())
    assert share.inside + share.outside == pytest.approx(1)
    even = lesion_share(np.ones((20, 30), np.float32), lesion)
    assert even is not None and even.inside == pytest.approx(even.area)
    assert lesion_share(heatmap, np.zeros((20, 30), bool)) is None


def test_agreements_are_each_measure_alone(rng: np.random.Generator) -> None:
    one, other = rng.random((2, 24, 24), np.float32)
    found = agreements(one, other)
    pair = one[None].astype(np.float64), other[None].astype(np.float64)
    assert found == pytest.approx({name: float(m(*pair)[0]) for name, m in MEASURES.items()})
    assert agreements(one, one) == pytest.approx(dict.fromkeys(MEASURES, 1.0))


def test_methods_for_leaves_out_what_one_of_them_is_not_for(small: Checkpoint) -> None:
    names = [method.name for method in methods_for(small.model)]
    assert "attention-rollout" not in names
    assert {"score-cam", "eigen-cam", "occlusion"} <= set(names)
    rolled = build_model("visformer_small", 7)
    assert "attention-rollout" in [method.name for method in methods_for(rolled)]
    assert "attention-rollout" not in [method.name for method in methods_for(rolled, small.model)]
