"""All explanations in one computation: the parts alone, progress, cancelling."""

from __future__ import annotations

import numpy as np
import pytest

from kdcore.base import Cancelled
from kdcore.data.drawn import draw_lesion
from kdcore.data.info import HAM10000
from kdcore.explain import explain_pair
from kdcore.explain.everything import explain_everything
from kdcore.models import Card, Checkpoint, build_model, load_checkpoint, save_checkpoint


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("everything") / "cnn2"
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


def test_it_holds_what_each_method_gives_alone(small: Checkpoint) -> None:
    picture, seen = draw_lesion("mel", 5), []
    found = explain_everything(
        small, small, picture, -1, 4, progress=lambda fraction, doing: seen.append(fraction)
    )
    for method, pair in (("score-cam", found.score_cam), ("grad-cam", found.grad_cam)):
        alone = explain_pair(small, small, picture, method, -1, 4)
        np.testing.assert_allclose(pair.teacher_map, alone.teacher_map, atol=1e-6)
    assert seen == sorted(seen)
    assert 0 <= seen[0] < 0.1
    assert seen[-1] <= 1
    assert len(found.teacher.attention) == len(small.model.stage_names)
    assert found.teacher.mask.mean() == pytest.approx(found.q, abs=0.02)


def test_progress_can_cancel(small: Checkpoint) -> None:
    def stop(fraction: float, doing: str) -> None:
        if fraction > 0.1:
            raise Cancelled("The explanation")

    with pytest.raises(Cancelled):
        explain_everything(small, small, draw_lesion("nv", 1), -1, 0, progress=stop)
