"""The Explanations page: every view, the link, and records that are missing, broken or old."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from kdcore.predict.intervention_scores import InterventionScores
from kdcore.predict.map_scores import MapScores
from tests.evaluate.map_makers import make_baseline, make_scores, with_checks
from tests.pages.conftest import words
from tests.predict.test_intervention_scores import made

Open = Callable[..., AppTest]
PAGE = "measure/explanations"


def records() -> list[MapScores]:
    """A teacher, a student and its baseline, small, with corruptions and lesions."""
    columns = make_scores(60).columns
    tests = {n: v for n, v in columns.items() if n.startswith("deletion")}
    lesion = {"lesion_energy": columns["pearson"], "lesion_energy_centre": columns["pearson"] + 1}
    teacher = make_scores(60, checkpoint="teacher", columns=tests, meta={"role": "teacher"})
    student = make_scores(60, seed=2, level=0.9, stacks=("jpeg-1", "jpeg-3"))
    more = {n: np.pad(v, (0, 120), constant_values=np.nan) for n, v in lesion.items()}
    floor = "pearson_mismatched"  # the student's maps are the teacher's of this image alone
    more[floor] = student.columns[floor] - np.float32(0.4)
    student = replace(student, columns=dict(student.columns) | more)
    return [teacher, student, make_baseline(n=60, stacks=("jpeg-1", "jpeg-3"))]


def masks() -> list[InterventionScores]:
    rng = np.random.default_rng(0)
    return [made(rng, n=12, model="big"), made(rng, n=12)]


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of results, and few resamples."""
    monkeypatch.setattr("kdcore.base.results_folder", lambda: tmp_path)
    monkeypatch.setattr("pages.ui.measured.RESAMPLES", 20)
    return tmp_path


def save(folder: Path, *found: MapScores | InterventionScores) -> None:
    for index, record in enumerate(found):
        kind = "explanations" if isinstance(record, MapScores) else "interventions"
        record.save(folder / kind / f"{index}.npz")


def test_without_records_it_says_how_to_make_them(open_page: Open, results: Path) -> None:
    app = open_page(PAGE)
    assert not app.exception and not app.error
    assert "No study of explanations" in words(app) and "No test of causal masks" in words(app)
    commands = "\n".join(code.value for code in app.code)
    for name in ("explanations", "interventions"):
        assert f"python -m kdcore {name} tiny-student" in commands
    assert commands.count("--teacher tiny-teacher") == 2 and "--out results" in commands


def test_every_section_is_told(open_page: Open, results: Path) -> None:
    save(results, *records(), *masks())
    app = open_page(PAGE)
    assert not app.exception and not app.error and not app.warning
    said = words(app)
    assert "Yes: the maps of The student correlate" in said
    assert "behind a blob in the middle" in said and "does not show that the map is right" in said
    assert "n = 60 images of 40 lesions" in said and "95 % percentile bootstrap" in said
    assert "Removing the mask of big costs more" in said and "n = 12 images" in said
    assert len(app.subheader) == 6 and "Pictures appear here where the data set" in said
    app.selectbox(key="w:mask_model").set_value("small").run()
    assert "the teacher's mask from small's input" in words(app) and not app.exception


def test_checks_come_by_the_link_with_their_floors(open_page: Open, results: Path) -> None:
    save(results, with_checks(make_scores(60), 60), make_baseline(n=60))
    app = open_page(PAGE, checks="other_class", faithful="road")
    assert not app.exception and not app.error
    said = words(app)
    assert (
        "no map of this class" in said and "more like the maps for other classes than like" in said
    )
    assert "filled in from their neighbours" in said
    app.selectbox(key="w:checks").set_value("sensitivity").run()
    assert not app.exception and "the blob in the middle never moves" in words(app)


@pytest.mark.parametrize(
    ("view", "told"),
    [("class", "What distillation added"), ("quadrant", "quadrants of its own")],
)
def test_views_come_by_the_link(open_page: Open, results: Path, view: str, told: str) -> None:
    save(results, *records())
    app = open_page(PAGE, map_view=view, map_measure="cosine")
    assert not app.exception and told in words(app)
    assert "agree in cosine" in words(app) and "The answer was to be given by" in words(app)
    kept = [app.query_params[name] for name in ("map_view", "map_measure")]
    assert [v[0] if isinstance(v, list) else v for v in kept] == [view, "cosine"]


def test_corruptions_and_a_choice_of_models(open_page: Open, results: Path) -> None:
    save(results, *records())
    app = open_page(PAGE, map_view="corruption", map_models="baseline,teacher")
    assert not app.exception and not app.error
    assert "severity 0" in words(app) and "can't be told" in words(app)
    assert app.selectbox(key="w:map_corruption").value == "jpeg"
    assert app.selectbox(key="w:map_student").value == "baseline"
    app.multiselect(key="w:map_models").set_value(["teacher"]).run()
    assert not app.exception and "Choose a student above." in words(app)


def test_what_a_study_lacks_is_said(open_page: Open, results: Path) -> None:
    student, baseline = (
        replace(r, columns={n: v for n, v in r.columns.items() if n[:8] != "deletion"})
        for r in (make_scores(60), make_baseline(n=60))
    )
    save(results, student, baseline, *masks())
    app = open_page(PAGE, map_view="corruption", map_measure="nonsense", mask_model="nobody")
    assert not app.exception and not app.error
    assert words(app).count("--faithful 100") == 2 and "no lesion masks" in words(app)


@pytest.mark.parametrize("kind", ["explanations", "interventions"])
def test_a_broken_record_is_named_and_the_rest_is_shown(
    open_page: Open, results: Path, kind: str
) -> None:
    save(results, *records(), *masks())
    (results / kind / "0.npz").write_bytes(b"broken")
    app = open_page(PAGE)
    assert not app.exception and len(app.error) == 1 and "0.npz can't be read" in app.error[0].value
    other = "Removing the mask of" if kind == "explanations" else "Yes: the maps of"
    assert other in words(app)


def test_records_of_different_images_are_refused(open_page: Open, results: Path) -> None:
    save(results, make_scores(60), make_baseline(n=50))
    app = open_page(PAGE)
    assert not app.exception and "have different sample_ids" in app.error[0].value


def test_records_of_an_older_checkpoint_are_said_to_be(open_page: Open, results: Path) -> None:
    found = [
        replace(r, checkpoint=f"tiny-{r.checkpoint}", teacher="tiny-teacher") for r in records()
    ]
    save(results, *found, *(replace(m, teacher="tiny-teacher") for m in masks()))
    app = open_page(PAGE)
    assert not app.exception and len(app.warning) == 2
    assert "tiny-student have other weights" in app.warning[0].value
    assert "tiny-teacher has other weights" in app.warning[1].value


def test_two_studies_are_told_apart(open_page: Open, results: Path) -> None:
    save(results, *records(), *(replace(r, method="score-cam") for r in records()[1:]))
    app = open_page(PAGE, map_study="score-cam~test~teacher")
    assert not app.exception and "Maps by Score-CAM" in words(app)
    app.selectbox(key="w:map_study").set_value("grad-cam~test~teacher").run()
    assert "Maps by Grad-CAM" in words(app)
