"""The Compare page: scores, pairs, cases by link and picker, and predictions from elsewhere."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from kdcore.evaluate import agreement, cases, compare_pair
from kdcore.evaluate.align import take
from kdcore.models import read_card, write_card
from kdcore.predict import Predictions, to_csv
from kdcore.predict.shelf import foreign_folder
from kdcore.report.cells import signed
from kdcore.report.models import SCORES
from tests.conftest import REPO
from tests.pages.conftest import words

Open = Callable[..., AppTest]
PAGE = "measure/compare"
SECTIONS = ["Overall", "Class by class", "Two at a time"]


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No imported predictions but a test's own, and resamples that take no time."""
    monkeypatch.setenv("DISTILSCOPE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr("pages.ui.measured.RESAMPLES", 20)


@pytest.fixture
def saved(page_checkpoints: Path) -> dict[str, Predictions]:
    return {
        role: Predictions.load(page_checkpoints / f"tiny-{role}" / "predictions-test.npz")
        for role in ("teacher", "student")
    }


@pytest.fixture
def own_checkpoints(
    page_checkpoints: Path, tmp_path: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A copy of the checkpoints that a test may spoil; `open_page` opens it."""
    shutil.copytree(page_checkpoints, tmp_path / "own")
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path / "own"))
    return tmp_path / "own"


def frame(app: AppTest, *columns: str) -> list[list[object]]:
    """The first table with these columns first, as rows."""
    return frame_of(app, *columns).to_numpy().tolist()


def frame_of(app: AppTest, *columns: str) -> pd.DataFrame:
    """The same with its head."""
    frames = [f.value for f in app.dataframe if tuple(f.value.columns[: len(columns)]) == columns]
    return frames[0]


def upload(app: AppTest, data: bytes, name: str) -> AppTest:
    app.file_uploader(key="w:foreign-file").set_value([("theirs.csv", data, "text/csv")])
    app.text_input(key="w:foreign-name").set_value(name)
    next(b for b in app.button if b.label == "Add").click()
    return app.run()


def test_another_models_predictions_are_not_shown_as_its_own(
    open_page: Open, own_checkpoints: Path
) -> None:
    teacher, student = (own_checkpoints / f"tiny-{role}" for role in ("teacher", "student"))
    shutil.copy(teacher / "predictions-test.npz", student / "predictions-test.npz")
    link = {"see/temperature": {"scope": "class", "student": "tiny-student"}}
    for page in (PAGE, "see/temperature", "write/results"):
        app = open_page(page, **link.get(page, {}))
        assert not app.exception
        assert "test predictions of tiny-student were made with other weights" in words(app)


def test_two_models(open_page: Open, saved: dict[str, Predictions]) -> None:
    app = open_page(PAGE)
    assert not app.exception
    assert not app.error
    found = [element.value for element in app.subheader]
    assert found == [*SECTIONS, "Melanoma against all else"]
    overall = frame(app, "model", *SCORES.values())
    accuracy = (saved["teacher"].logits.argmax(1) == saved["teacher"].labels).mean()
    assert overall[0][0] == "Tiny teacher"
    assert overall[0][3].startswith(f"{accuracy:.3f} [")
    assert "Test part, n = 30 images of 30 lesions" in words(app)
    same = agreement(saved["teacher"], saved["student"], n_boot=0)
    count = {q.name: q.count for q in same.quadrants}
    both = count["same_mistake"] + count["other_mistake"]
    assert f"In {count['same_mistake']} of the {both} images where both are wrong" in words(app)
    metrics = {m.label: m.value for m in app.metric}
    assert metrics["Same answer"] == f"{same.share.value:.1%}".replace("%", " %")


def test_what_the_teacher_gained_is_said_where_the_baseline_is_there(
    open_page: Open, own_checkpoints: Path, saved: dict[str, Predictions]
) -> None:
    assert "What its teacher brought" not in words(open_page(PAGE))
    alone = own_checkpoints / "tiny-alone"
    shutil.copytree(own_checkpoints / "tiny-student", alone)
    card = read_card(alone)
    write_card(alone, replace(card, name="tiny-alone", title="Tiny alone", role="baseline"))
    worse = np.where(np.arange(30)[:, None] < 20, -saved["student"].logits, 1.0)
    replace(saved["student"], logits=worse.astype(np.float32)).save(alone / "predictions-test.npz")
    app = open_page(PAGE)
    assert not app.exception
    difference = compare_pair(
        replace(saved["student"], logits=worse.astype(np.float32)), saved["student"], n_boot=20
    ).metrics["macro_f1"].delta  # fmt: skip
    assert f"{signed(difference.value)} [" in words(app)
    assert "What its teacher brought: **Tiny student** less **Tiny alone**: macro" in words(app)
    other = replace(read_card(alone), input_size=48)
    write_card(alone, other)
    assert "What its teacher brought" not in words(open_page(PAGE))


def test_a_pair_is_called_by_its_titles_and_who_taught_whom_by_the_card(
    open_page: Open, own_checkpoints: Path
) -> None:
    app = open_page(PAGE)
    assert "**Tiny student** less **Tiny teacher**: macro-F1" in words(app)
    assert "balanced accuracy" in words(app) and "taking images for independent" in words(app)
    head = list(frame_of(app, "score").columns)
    assert head == ["score", "Tiny teacher", "Tiny student", "Δ", "relative Δ"]
    titles = app.selectbox(key="w:quadrant").options
    assert "only right: Tiny student" in titles
    assert not re.search("the (student|teacher)('s| has| gives)", words(app))
    assert "**Tiny teacher** taught **Tiny student**" not in words(app)
    card = read_card(own_checkpoints / "tiny-student")
    taught = replace(card, teachers={"tiny-teacher": "0" * 64})
    write_card(own_checkpoints / "tiny-student", taught)
    assert "**Tiny teacher** taught **Tiny student**" in words(open_page(PAGE))


def test_the_quadrant_of_copied_mistakes_is_open_at_first(
    open_page: Open, saved: dict[str, Predictions]
) -> None:
    app = open_page(PAGE)
    listed = {row[0] for row in frame(app, "image", "lesion")}
    same = agreement(saved["teacher"], saved["student"], n_boot=0)
    assert listed == set(next(q for q in same.quadrants if q.name == "same_mistake").sample_ids)
    assert app.query_params["quadrant"] in ("same_mistake", ["same_mistake"])


@pytest.mark.parametrize("behind", ["teacher", "student"])
def test_a_link_opens_the_cases_of_a_cell(
    open_page: Open, saved: dict[str, Predictions], behind: str
) -> None:
    first = saved[behind]
    row, column = first.classes[first.labels[0]], first.classes[first.logits[0].argmax()]
    app = open_page(PAGE, behind=behind, row=row, column=column)
    wanted = first.sample_ids[cases(first, row, column)].tolist()
    assert [line[0] for line in frame(app, "image", "lesion")] == wanted
    app.selectbox(key="w:column").set_value("any").run()
    wanted = first.sample_ids[cases(first, row)].tolist()
    assert [line[0] for line in frame(app, "image", "lesion")] == wanted
    assert app.query_params["column"] in ("any", ["any"])


def test_a_cell_without_images_says_so(open_page: Open) -> None:
    app = open_page(PAGE, behind="student", row="vasc", column="mel")
    assert "No image is in this cell" in words(app)
    assert not app.exception


def test_one_model_has_scores_and_no_pair(open_page: Open) -> None:
    app = open_page(PAGE, models="tiny-student")
    assert not app.exception
    assert "Choose a second model at the top" in words(app)
    assert len(frame(app, "model", "macro-F1")) == 1


def test_calibration_moves_probabilities_only(open_page: Open, own_checkpoints: Path) -> None:
    card = own_checkpoints / "tiny-teacher" / "card.json"
    card.write_text(card.read_text().replace('"temperature": 1.0', '"temperature": 3.0'))
    assert '"temperature": 3.0' in card.read_text()
    app = AppTest.from_file(str(REPO / f"pages/{PAGE}.py"), default_timeout=120)
    app.run()
    before = frame(app, "model", "macro-F1")[0]
    app.toggle(key="w:calibrated").set_value(False).run()
    after = frame(app, "model", "macro-F1")[0]
    nll = 1 + list(SCORES).index("nll")
    assert before[1:6] == after[1:6]
    assert before[nll] != after[nll]
    assert app.query_params["calibrated"] in ("no", ["no"])


def test_no_predictions_on_validation(open_page: Open) -> None:
    app = open_page(PAGE, part="val")
    assert not app.exception
    assert "needs saved predictions of 1 models" in app.info[0].value


def test_a_broken_file_is_told(open_page: Open, own_checkpoints: Path) -> None:
    (own_checkpoints / "tiny-student" / "predictions-test.npz").write_bytes(b"broken")
    app = AppTest.from_file(str(REPO / f"pages/{PAGE}.py"), default_timeout=120)
    app.run()
    assert not app.exception
    assert "can't be read as saved predictions" in app.error[0].value


@pytest.mark.parametrize(
    "link",
    [
        {"behind": "x", "row": "y", "column": "z", "quadrant": "q", "calibrated": "perhaps"},
        {"score": "x", "class_score": "y", "difference": "z", "one": "w", "part": "all"},
        {"behind": "both", "row": "<b>", "models": "nobody", "common": "maybe"},
    ],
)
def test_a_link_with_nonsense_falls_back(open_page: Open, link: dict[str, str]) -> None:
    app = open_page(PAGE, **link)
    assert not app.exception
    assert not app.error


def test_predictions_from_elsewhere(open_page: Open, saved: dict[str, Predictions]) -> None:
    app = upload(open_page(PAGE), to_csv(saved["student"]).encode(), "theirs")
    assert not app.exception
    assert not app.error
    assert "theirs: 30 images added" in words(app)
    ours, theirs = frame(app, "model", "macro-F1")[1:]
    assert theirs[0] == "theirs"
    assert theirs[1:6] == ours[1:6]
    next(b for b in app.button if b.label == "Delete").click().run()
    next(b for b in app.button if b.label == "Yes, delete them").click().run()
    assert not app.exception
    assert list(foreign_folder().glob("*.npz")) == []
    assert len(frame(app, "model", "macro-F1")) == 2


def test_other_images_are_compared_if_the_person_agrees(
    open_page: Open, saved: dict[str, Predictions]
) -> None:
    fewer = take(saved["student"], np.arange(3, 30))
    app = upload(open_page(PAGE), to_csv(fewer).encode(), "theirs")
    assert not app.exception
    assert "tiny-teacher has 3 that theirs lacks" in app.error[0].value
    app.checkbox(key="w:common").set_value(True).run()
    assert not app.error
    assert "Test part, n = 27 images" in words(app)
    assert len(frame(app, "model", "macro-F1")) == 3


def test_what_is_wrong_with_a_file_is_shown(open_page: Open, saved: dict[str, Predictions]) -> None:
    app = open_page(PAGE)
    next(b for b in app.button if b.label == "Add").click().run()
    assert "No file was chosen" in app.error[0].value
    upload(app, b"image_id,label\nx,0\n", "theirs")
    assert "theirs.csv, row 1 has no column" in app.error[0].value
    upload(app, to_csv(saved["student"]).encode(), "tiny-teacher")
    assert "There is a model tiny-teacher already" in app.error[0].value
    assert not app.exception


def test_cases_show_pictures_and_a_way_to_explain_them(
    open_page: Open, ham_folder: Path, own_checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kdcore.data import Ham10000

    ids = [sample.image_id for sample in Ham10000.open(ham_folder).samples][:30]
    for path in own_checkpoints.glob("*/predictions-test.npz"):
        own = Predictions.load(path)
        replace(own, sample_ids=np.array(ids), group_ids=np.array(ids)).save(path)
    monkeypatch.setenv("DISTILSCOPE_DATA", str(ham_folder))
    st.cache_resource.clear()
    app = AppTest.from_file(str(REPO / f"pages/{PAGE}.py"), default_timeout=120)
    for name, value in {"behind": "teacher", "row": "any", "column": "any"}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert len(app.get("image")) == 12
    assert "(explain?source=data&image=ISIC_" in words(app)
    assert "teacher=tiny-teacher&student=tiny-student" in words(app)
    (pages,) = app.select_slider
    pages.set_value(3).run()
    assert len(app.get("image")) == 6
