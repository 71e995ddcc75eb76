"""All explanations in one computation: the parts alone, progress, cancelling."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from kdcore.base import Cancelled
from kdcore.data import HAM10000, draw_lesion
from kdcore.explain import everything_else, explain_pair, export_files
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


@pytest.mark.slow
def test_threads_that_share_a_model_do_not_meet(small: Checkpoint) -> None:
    pictures = [draw_lesion(dx, 5) for dx in ("mel", "vasc", "nv", "bcc")]

    def explain(number: int) -> list[np.ndarray]:
        found = explain_everything(small, small, pictures[number % 4], -1, number % 7)
        maps = [found.score_cam.teacher_map, found.grad_cam.teacher_map, found.teacher.mask]
        return [*maps, *found.teacher.attention]

    alone = [explain(number) for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(explain, range(12)))
    for one, other in zip(alone, together, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_of_an_empty_map_the_files_hold_no_number(
    small: Checkpoint, empty_maps_of: Callable[..., None]
) -> None:
    empty_maps_of("teacher", score_cam_only=True)
    student = replace(small, card=replace(small.card, role="student"))
    found = explain_everything(small, student, draw_lesion("mel", 5), -1, 4)
    pair = found.score_cam
    assert pair.empty == "the teacher's map is empty"
    assert pair.teacher.why_empty.startswith("The map is empty: by Score-CAM")
    assert pair.student.why_empty == ""
    assert math.isnan(pair.correlation) and math.isnan(found.fast[0])
    assert found.grad_cam.empty == ""
    files = export_files(pair, **everything_else(found))
    text = next(v for k, v in files.items() if k.endswith(".json")).decode()
    assert "NaN" not in text
    manifest = json.loads(text)
    assert manifest["correlations"]["score-cam"] is None
    assert manifest["correlations"]["grad-cam"] == found.grad_cam.correlation
    assert manifest["score_cam"]["correlation_with_fast"]["teacher"] is None
    assert manifest["teacher"]["empty"] and not manifest["student"]["empty"]
    assert "as the teacher's map is empty" in manifest["difference"]
    drawn = next(v for k, v in files.items() if k.endswith(".svg")).decode()
    assert "Teacher (empty map): cnn2" in drawn and "Student: cnn2" in drawn
    assert "None: the teacher&#x27;s map is empty" in drawn
    assert "+1 (teacher)" not in drawn


def test_the_files_hold_everything(small: Checkpoint) -> None:
    found = explain_everything(small, small, draw_lesion("mel", 5), -1, 4, q=0.3)
    files = export_files(found.score_cam, **everything_else(found))
    maps = np.load(io.BytesIO(next(v for k, v in files.items() if k.endswith(".npz"))))
    manifest = json.loads(next(v for k, v in files.items() if k.endswith(".json")))
    assert np.array_equal(maps["grad_cam_student"], found.grad_cam.student_map)
    assert np.array_equal(maps["teacher_causal_mask"], found.teacher.mask)
    assert np.array_equal(maps["student_attention_0"], found.student.attention[0])
    assert manifest["q"] == 0.3
    assert manifest["interventions"]["teacher"] == found.teacher.test.as_dict()
