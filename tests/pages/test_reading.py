"""The Reader study page: setting one up, a reader's whole journey, results, failures, blinding."""

from __future__ import annotations

import dataclasses
import io
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from kdcore.base import group_hash
from kdcore.models import read_card, write_card
from kdcore.study import (
    SIDES,
    Study,
    finish,
    join,
    list_readers,
    list_studies,
)
from tests.pages.conftest import ended, words
from tests.study.makers import answer_all, make_study

Open = Callable[..., AppTest]
PAGE = "see/reading"
TELLING = ("teacher", "student", "big-net", "small-net", "secret", "lesion-", "nv", " mel")


def clean(app: AppTest) -> AppTest:
    assert not app.exception
    assert [e.value for e in app.error] == []
    return app


def begin(open_page: Open, study: Study, code: str = "r-1") -> AppTest:
    """A session that reads a study."""
    app = open_page(PAGE, study=study.id)
    app.text_input[0].set_value(code)
    app.button[0].click().run()
    return app


def rate_side(app: AppTest, value: int) -> None:
    """Answer the three scales that are shown, one by one."""
    for index in range(3):
        app.radio[index].set_value(value).run()


def rate_case(app: AppTest, values: tuple[int, int], choice: str) -> None:
    place = next(c.key for c in app.get("button_group") if "side-" in (c.key or ""))
    for side, value in zip(SIDES, values):
        app.segmented_control(key=place).set_value(side).run()
        rate_side(app, value)
    app.radio[3].set_value(choice).run()


def everything(app: AppTest) -> str:
    """All that a reader's browser is given in words: texts, labels, alternative texts, keys."""
    return str(app._tree).lower()


def test_a_readers_whole_journey(open_page: Open) -> None:
    study = make_study(2)
    app = clean(begin(open_page, study))
    assert "Reading as **R-1**" in words(app)
    assert "Case 1 of 2" in words(app)
    assert app.radio[3].disabled, "rate both before you prefer one"
    rate_case(app, (2, 5), "B")
    assert not app.radio[3].disabled
    app.text_area[0].set_value("clear").run()
    app.button(key="w:read-next").click().run()
    clean(app)
    assert "Case 2 of 2" in words(app)
    assert not [b for b in app.button if b.key == "w:read-finish"]
    rate_case(app, (1, 1), "none")
    app.button(key="w:read-back").click().run()
    rate_side(app, 4)  # a change of mind on B of the first case
    app.button(key="w:read-finish").click().run()
    clean(app)
    assert "Thank you" in words(app)
    (reader,) = list_readers(study)
    first, second = (reader.of(s.case) for s in reader.sights)
    assert {v for (side, _), v in first.ratings.items() if side == "A"} == {2}
    assert {v for (side, _), v in first.ratings.items() if side == "B"} == {4}
    assert (first.preference, first.comments) == ("B", {"B": "clear"})
    assert (set(second.ratings.values()), second.preference) == ({1}, "none")
    assert reader.finished


def test_a_closed_browser_loses_nothing(open_page: Open) -> None:
    study = make_study(3)
    app = begin(open_page, study)
    rate_case(app, (2, 3), "A")
    app.button(key="w:read-next").click().run()
    app.radio[1].set_value(5).run()
    again = clean(begin(open_page, study, " R-1"))
    assert "Case 2 of 3" in words(again)
    assert [r.value for r in again.radio] == [None, 5, None, None]
    again.button(key="w:read-back").click().run()
    assert [r.value for r in again.radio] == [2, 2, 2, "A"]


def test_nothing_on_the_page_unblinds(open_page: Open) -> None:
    study = make_study(2)
    app = begin(open_page, study)
    for place in range(2):
        for side in SIDES:
            app.segmented_control(key=f"w:side-{study.id}-{place}").set_value(side).run()
            assert f"Case {place + 1} of 2" in words(app)
            assert f"heatmap {side.lower()}" in everything(app)
            said = everything(app).replace("student's explanations as good as the teacher's", "")
            assert [t for t in TELLING if t in said] == []
            assert set(app.query_params) == {"study"}
        if place == 0:
            app.button(key="w:read-next").click().run()


def test_bad_codes_and_links_are_told(open_page: Open) -> None:
    study = make_study(1)
    app = begin(open_page, study, "Dr Who")
    assert "can't be a reader code" in app.error[0].value
    assert list_readers(study) == []
    lost = clean(open_page(PAGE, study="../../etc"))
    assert "not on this machine" in words(lost)
    assert "Set up a new study" in words(lost)


def test_an_answer_that_was_not_stored_is_told(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make_study(1)
    app = begin(open_page, study)
    app.radio[0].set_value(3).run()
    with closing(sqlite3.connect(study.answers)) as db:
        db.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON ratings BEGIN SELECT RAISE(FAIL, 'x'); END"
        )
        db.commit()
    app.radio[1].set_value(4).run()
    assert not app.exception
    assert "was not stored" in words(app)
    assert [r.value for r in app.radio[:2]] == [3, None], "what is shown is what is stored"


def test_a_damaged_database_is_told(open_page: Open) -> None:
    study = make_study(1)
    study.answers.write_bytes(b"not a database " * 400)
    for view in ("read", "results"):
        app = open_page(PAGE, study=study.id, reading_view=view)
        if view == "read":
            app.text_input[0].set_value("R-1")
            app.button[0].click().run()
        assert not app.exception
        assert "damaged" in app.error[0].value


def test_results_wait_behind_a_notice(open_page: Open) -> None:
    study = make_study(6)
    for code in ("R-1", "R-2"):
        answer_all(study, join(study, code))
    finish(study, "R-1")
    app = clean(open_page(PAGE, study=study.id, reading_view="results"))
    assert "Opening the results unblinds" in words(app)
    assert app.dataframe[0].value["cases complete"].tolist() == [6, 6]
    assert "big-net" not in everything(app)
    app.button(key="w:open-results").click().run()
    clean(app)
    said = words(app)
    assert "big\\-net" in said or "big-net" in said
    assert "The student's map is preferred" in said
    assert "Little can be said yet: 6 cases" in said
    table = app.dataframe[1].value
    assert table["question"].tolist() == ["Plausibility", "Focus", "Usefulness"]
    assert [t[:5] for t in table["student − teacher"]] == ["+2.00"] * 3
    labels = {b.proto.label for b in app.get("download_button")}
    assert {"Ratings (CSV)", "Preferences (CSV)", "Everything (JSON)", "LaTeX", "SVG"} <= labels


def test_no_readers_and_an_unfinished_own_reading(open_page: Open) -> None:
    study = make_study(1)
    app = clean(open_page(PAGE, study=study.id, reading_view="results"))
    assert "Nobody has begun" in words(app)
    app.button(key="w:open-results").click().run()
    assert "There is no rating yet" in words(clean(app))
    reading = begin(open_page, study)
    reading.segmented_control(key="w:reading_view").set_value("results").run()
    assert "have not finished" in words(clean(reading))


def test_a_study_is_deleted_after_a_question(open_page: Open) -> None:
    study, other = make_study(1, title="Old"), make_study(1, title="Kept")
    app = open_page(PAGE, study=study.id, reading_view="results")
    app.button(key=f"w:ask-delete-study-{study.id}").click().run()
    assert list_studies()[0]
    app.button(key=f"w:yes-delete-study-{study.id}").click().run()
    clean(app)
    assert [s.id for s in list_studies()[0]] == [other.id]


def setup(app: AppTest, title: str, cases: int) -> AppTest:
    app.text_input(key="w:title").set_value(title)
    app.number_input(key="w:cases").set_value(cases)
    app.button(key="w:setup").click().run()
    return app


def test_a_study_of_drawn_samples_is_set_up(open_page: Open) -> None:
    app = ended(setup(clean(open_page(PAGE)), "Pilot", 3), "done")
    clean(app)
    (study,), problems = list_studies()
    assert not problems and study.title == "Pilot" and len(study.cases) == 3
    assert app.query_params["study"] in (study.id, [study.id])
    assert "You will see 3 pictures" in words(app)
    assert study.about["method"]["name"] == "grad-cam"
    assert study.about["pictures"] == "drawn"
    assert len(study.about["student"]["weights_sha256"]) == 64
    assert len({c.dx for c in study.cases}) == 3
    assert study.picture(0).size == (448, 448)
    assert study.heatmap(0, "teacher").max() <= 1


def test_methods_that_are_for_neither_network_are_not_offered(open_page: Open) -> None:
    (method,) = (box for box in clean(open_page(PAGE)).selectbox if box.label == "Method")
    assert "Grad-CAM" in method.options and "Attention rollout" not in method.options


@pytest.mark.slow
def test_a_study_of_test_images_leaves_training_lesions_out(
    open_page: Open, ham_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(PAGE, reading_source="data")
    assert "No data set is configured" in words(clean(app))
    monkeypatch.setenv("DISTILSCOPE_DATA", str(ham_folder))
    app = ended(setup(open_page(PAGE, reading_source="data"), "Test part", 4), "done")
    clean(app)
    (study,), _ = list_studies()
    assert len({c.group for c in study.cases}) == 4
    assert len({c.dx for c in study.cases}) == 4


def test_uploads_lose_their_names(open_page: Open, tmp_path: Path) -> None:
    app = open_page(PAGE, reading_source="upload")
    photo = io.BytesIO()
    Image.new("RGB", (90, 60), (150, 90, 70)).save(photo, "PNG")
    files = [("mueller.png", photo.getvalue(), "image/png"), ("bad.png", b"x", "image/png")]
    app.get("file_uploader")[0].set_value(files)
    app.run()
    assert not app.exception
    assert "Photo 2" in app.error[0].value
    app = ended(setup(app, "Own photos", 1), "done")
    (study,), _ = list_studies()
    assert study.cases[0].image_id == "upload-001"
    assert "mueller" not in (study.folder / "manifest.json").read_text().lower()


def test_uploads_that_were_trained_on_are_left_out(
    open_page: Open, page_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(PAGE, reading_source="upload")
    for folder in page_checkpoints.iterdir():
        shutil.copytree(folder, tmp_path / folder.name)
    student = tmp_path / "tiny-student"
    known = (group_hash("ISIC_0024306"),)
    write_card(student, dataclasses.replace(read_card(student), train_images=known))
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path))
    photo = io.BytesIO()
    Image.new("RGB", (90, 60), (150, 90, 70)).save(photo, "PNG")
    names = ("ISIC_0024306.png", "ISIC_0024307.png")
    app.get("file_uploader")[0].set_value([(n, photo.getvalue(), "image/png") for n in names])
    app.run()
    assert not app.exception
    assert "1 of 2 photos are left out" in words(app)
    assert app.number_input(key="w:cases").max == 1


def test_a_cancelled_set_up_leaves_nothing(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*args: object, progress: Callable[[int, int], None]) -> None:
        while True:
            progress(1, 100)
            time.sleep(0.01)

    monkeypatch.setattr("kdcore.explain.explain_pair", slow)
    app = setup(open_page(PAGE), "Pilot", 2)
    app.session_state["job"].stop.set()
    app = ended(app, "cancelled")
    assert "Cancelled" in words(clean(app))
    assert list_studies() == ([], [])
    assert app.button(key="w:setup")


def test_a_title_is_needed(open_page: Open) -> None:
    app = setup(open_page(PAGE), " ", 2)
    assert "can't be a study's title" in app.error[0].value
