"""The Explain page: fast maps and then exact ones, other methods, checks, outline, agreement."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from kdcore.explain import everything
from kdcore.models import read_card
from tests.evaluate.map_makers import make_baseline, make_scores
from tests.pages.conftest import words

Open = Callable[..., AppTest]
APPROXIMATE = "The Score-CAM maps are approximate"


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Few masks in the first maps, and better ones only when the event is set."""
    opened, real = threading.Event(), everything.everything_in_steps
    monkeypatch.setattr(import_module("kdcore.explain.score_cam"), "FAST_LEAST", 2)

    def held(*args: Any, progress: Any, **more: Any) -> Iterator[Any]:
        for result in real(*args, progress=progress, **more):
            yield result
            while not opened.wait(0.02):
                progress(0.5, "held by the test")

    monkeypatch.setattr(everything, "everything_in_steps", held)
    return opened


def wait(until: Callable[[], bool]) -> None:
    for _ in range(600):
        if until():
            return
        time.sleep(0.1)
    pytest.fail("the job took more than a minute")


def press(app: AppTest, key: str) -> Any:
    """Press a button that starts a job, and return that."""
    app.button(key=key).click().run()
    assert not app.exception
    return app.session_state["job"]


def finish(app: AppTest, key: str) -> Any:
    job = press(app, key)
    wait(lambda: job.over)
    assert job.state == "done", job.error
    app.run()
    assert not app.exception
    return job.result


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button}


def captions_of_pictures(app: AppTest) -> str:
    return "\n".join(picture.caption for found in app.get("image") for picture in found.proto.imgs)


def test_fast_maps_come_first_and_exact_ones_replace_them(
    open_page: Open, gate: threading.Event
) -> None:
    app = open_page("see/explain", target="mel")
    job = press(app, "w:explain")
    wait(lambda: job.result is not None)
    app.run()
    assert not app.exception
    assert APPROXIMATE in words(app)
    assert "approximate: 2 of" in captions_of_pictures(app)
    assert "w:cancel" in keys(app) and "w:continue" not in keys(app)
    assert app.button(key="w:check").disabled, "it would take the place of the job at work"
    gate.set()
    wait(lambda: job.over)
    app.run()
    assert APPROXIMATE not in words(app)
    assert "The Score-CAM maps are exact" in words(app)
    assert "exact: all" in captions_of_pictures(app)
    assert job.result.score_cam.exact


def test_cancelling_keeps_the_fast_maps_and_it_can_go_on(
    open_page: Open, gate: threading.Event
) -> None:
    app = open_page("see/explain", target="mel")
    job = press(app, "w:explain")
    wait(lambda: job.result is not None)
    job.stop.set()
    wait(lambda: job.over)
    app.run()
    assert job.state == "cancelled"
    assert "Stopped: the Score-CAM maps are approximate" in words(app)
    assert "approximate: 2 of" in captions_of_pictures(app)
    app.selectbox(key="w:target").set_value("nv").run()
    app.selectbox(key="w:target").set_value("mel").run()
    assert "Stopped: the Score-CAM maps are approximate" in words(app), "it is not lost"
    gate.set()
    assert finish(app, "w:continue").score_cam.exact
    assert "The Score-CAM maps are exact" in words(app)


def test_a_job_replaced_by_another_keeps_what_it_had(
    open_page: Open, gate: threading.Event
) -> None:
    app = open_page("see/explain", target="mel")
    job = press(app, "w:explain")
    wait(lambda: job.result is not None)
    app.selectbox(key="w:target").set_value("nv").run()
    gate.set()
    finish(app, "w:explain")
    app.selectbox(key="w:target").set_value("mel").run()
    assert "Stopped" in words(app) or "are exact" in words(app)


@pytest.mark.slow
def test_other_methods_are_offered_and_computed_on_request(open_page: Open) -> None:
    app = open_page("see/explain", target="mel", method="layer-cam")
    finish(app, "w:explain")
    picker = app.selectbox(key="w:method")
    assert picker.value == "layer-cam"
    assert not {"Score-CAM (fast)", "Attention rollout"} & set(picker.options)
    assert "Layer-CAM for mel" in captions_of_pictures(app)
    picker.set_value("occlusion").run()
    assert "Occlusion for mel" not in captions_of_pictures(app)
    finish(app, "w:compute")
    assert "Occlusion for mel" in captions_of_pictures(app)
    app.selectbox(key="w:method").set_value("score-cam").run()
    app.selectbox(key="w:method").set_value("occlusion").run()
    assert "Occlusion for mel" in captions_of_pictures(app), "it was computed already"


def test_maps_are_checked_on_request_only(open_page: Open) -> None:
    app = open_page("see/explain", target="mel", method="grad-cam")
    finish(app, "w:explain")
    assert "checks passed" not in words(app)
    found = finish(app, "w:check")
    assert found.teacher.summary in words(app)
    assert all(check.words in words(app) for check in found.student.checks)
    assert "there is no mask of it" in words(app)
    app.selectbox(key="w:method").set_value("score-cam").run()
    assert "w:check" in keys(app), "other maps have not been checked"


def test_the_outline_is_offered_where_there_is_a_mask(
    open_page: Open, ham_dataverse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("see/explain")
    assert "w:outline" not in {toggle.key for toggle in app.toggle}
    monkeypatch.setenv("DISTILSCOPE_DATA", str(ham_dataverse))
    gone = open_page("see/explain", source="data", image="ISIC_1")
    assert r"ISIC\_1 is no image for these networks here." in words(gone)
    app = open_page("see/explain", source="data", outline="no", method="grad-cam")
    assert app.toggle(key="w:outline").value is False
    app.toggle(key="w:outline").set_value(True).run()
    assert app.query_params["outline"] in ("yes", ["yes"])
    finish(app, "w:explain")
    assert "A blob in the middle would have" in words(app)
    assert "energy" in finish(app, "w:check").teacher.lift


def test_agreement_stands_beside_what_a_study_found(
    open_page: Open, page_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kdcore.base.results_folder", lambda: tmp_path)
    hashes = {
        role: read_card(page_checkpoints / f"tiny-{role}").weights_sha256
        for role in ("teacher", "student")
    }
    records = (
        make_scores(checkpoint="teacher", checkpoint_hash=hashes["teacher"]),
        make_scores(checkpoint_hash=hashes["student"], noise=0.001),
        make_baseline(level=0.4, noise=0.001),
    )
    for record in records:
        record.save(tmp_path / "explanations" / f"grad-cam-test-{record.checkpoint}.npz")
    app = open_page("see/explain", target="mel")
    finish(app, "w:explain")
    assert "python -m kdcore explanations" in words(app), "the study is not of Score-CAM"
    app.selectbox(key="w:method").set_value("grad-cam").run()
    table = app.table[0].value.set_index("Measure")
    assert set(table.index) == {"Cosine", "Spearman", "SSIM", "Top 20 %", "Pearson"}
    assert table.loc["Pearson", ["This pair", "Unrelated", "Without a teacher"]].tolist() == [
        "0.50",
        "0.30",
        "0.40",
    ]
    assert "200 test images" in words(app)


def test_an_empty_map_is_told_and_compared_with_nothing(
    open_page: Open, empty_maps_of: Callable[..., None]
) -> None:
    empty_maps_of("teacher", score_cam_only=True)
    app = open_page("see/explain", target="mel")
    result = finish(app, "w:explain")
    assert result.score_cam.empty == "the teacher's map is empty"
    (told,) = (box.value for box in app.info if "empty" in box.value)
    assert told.startswith("The map is empty: by Score-CAM no place speaks for mel.")
    assert told.endswith("Grad-CAM, under *Method*, is not empty here.")
    assert "can't be said, as the teacher's map is empty" in words(app)
    assert "The teacher's can't be compared: a map is empty." in words(app)
    assert "left out, as the teacher's map is empty" in words(app)
    assert not app.table
    assert "Teacher minus student: Score-CAM" not in captions_of_pictures(app)
    assert "Red: the teacher does" not in captions_of_pictures(app)
    assert not re.search(r"\bnan\b|\bnone\b", words(app))
    app.selectbox(key="w:method").set_value("grad-cam").run()
    assert "Teacher minus student: Grad-CAM" in captions_of_pictures(app)
    assert app.table and "map is empty:" not in words(app)


def test_two_empty_maps_are_told_in_words(
    open_page: Open, empty_maps_of: Callable[..., None]
) -> None:
    empty_maps_of("teacher", "student")
    app = open_page("see/explain", target="mel")
    finish(app, "w:explain")
    boxes = [box.value for box in app.info if box.value.startswith("The map is empty")]
    assert len(boxes) == 2
    assert not any("Grad-CAM, under" in box for box in boxes), "that one is empty, too"
    assert "as both maps are empty" in words(app)
    assert "With the fast maps that came first they can't be compared" in words(app)


def test_the_manifest_says_how_far_it_is(open_page: Open, gate: threading.Event) -> None:
    from kdcore.explain import everything_else, export_files

    app = open_page("see/explain", target="mel")
    job = press(app, "w:explain")
    wait(lambda: job.result is not None)
    result = job.result
    files = export_files(result.score_cam, **everything_else(result))
    name, text = next((n, t) for n, t in files.items() if n.endswith(".json"))
    manifest = json.loads(text)
    assert name.startswith("score-cam-approximate_mel")
    assert manifest["score_cam"]["exact"] is False
    assert manifest["teacher"]["masks"]["scored"] == result.score_cam.teacher.masks.scored
    assert b"approximate: 2 of" in next(t for n, t in files.items() if n.endswith(".svg"))
    job.stop.set()
