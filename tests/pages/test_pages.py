"""Pages as a session meets them: first frame, links, jobs, empty and error states."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from kdcore.base import group_hash
from kdcore.cli.main import main
from kdcore.data import draw_lesion, read_image
from kdcore.models import Ensemble, build_model, read_card, save_checkpoint, write_card
from tests.conftest import REPO
from tests.pages.conftest import words

Open = Callable[..., AppTest]
PAGES = ("see/explain", "see/temperature", "see/attention", "see/demo", "build/data")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_without_an_exception(open_page: Open, page: str) -> None:
    app = open_page(page)
    assert not app.exception
    assert not app.error
    assert len(app.title) == 1
    assert "Not for diagnosis" in words(app)


def test_the_entry_opens_the_start_page(open_page: Open, page_checkpoints: Path) -> None:
    app = AppTest.from_file(str(REPO / "streamlit_app.py"), default_timeout=120).run()
    assert not app.exception
    assert app.title[0].value == "DistilScope"


def test_importing_the_entry_prepares_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.runtime.pages_manager import PagesManager

    from pages.ui import server

    monkeypatch.setattr(server, "_warm", lambda: None)
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    server.prepare()
    assert PagesManager.uses_pages_directory is False


@pytest.mark.parametrize("page", PAGES[:4])
def test_without_checkpoints_the_page_says_what_to_do(
    open_page: Open, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path / "nothing"))
    app = AppTest.from_file(str(REPO / "pages" / f"{page}.py"), default_timeout=120).run()
    assert not app.exception
    assert "python -m kdcore train" in app.info[0].value


def test_a_broken_checkpoint_is_named_and_the_others_work(
    open_page: Open, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(broken))
    app = AppTest.from_file(str(REPO / "pages/see/explain.py"), default_timeout=120).run()
    assert not app.exception
    assert "bad" in app.error[0].value
    assert len(app.metric) == 2


def test_the_state_is_in_the_link_and_comes_from_it(open_page: Open) -> None:
    app = open_page("see/explain", T="6.5", target="mel", source="drawn", stage="-2")
    assert app.slider(key="w:T").value == 6.5
    assert app.selectbox(key="w:target").value == "mel"
    assert app.selectbox(key="w:stage").value == "-2"
    app.slider(key="w:T").set_value(8.0).run()
    assert app.query_params["T"] in ("8.0", ["8.0"])
    assert not app.exception


@pytest.mark.parametrize(
    "link",
    [
        {"T": "hot", "stage": "99", "teacher": "nobody"},
        {"T": "1e9", "target": "<script>", "method": "magic", "source": "space"},
        {"T": "nan", "drawn": "missing", "q": "-4", "opacity": "inf"},
    ],
)
@pytest.mark.parametrize("page", PAGES[:4])
def test_a_link_with_nonsense_falls_back(open_page: Open, page: str, link: dict[str, str]) -> None:
    app = open_page(page, **link)
    assert not app.exception
    assert not app.error


def test_no_data_set_is_said_where_one_is_asked_for(open_page: Open) -> None:
    app = open_page("see/explain", source="data")
    assert "No data set is configured" in app.info[0].value


def test_a_data_set_image_is_explained(
    open_page: Open, ham_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILSCOPE_DATA", str(ham_folder))
    app = AppTest.from_file(str(REPO / "pages/see/explain.py"), default_timeout=120)
    app.query_params["source"] = "data"
    app.run()
    assert not app.exception
    assert len(app.metric) == 2
    assert re.match("ISIC_", app.selectbox(key="w:image").value)


def finished_job(app: AppTest) -> Any:
    """Press Explain and wait for the computation."""
    app.button(key="w:explain").click().run()
    assert not app.exception
    job = app.session_state["job"]
    for _ in range(300):
        if job.over:
            break
        time.sleep(0.1)
    assert job.state == "done", job.error
    return job


def test_the_command_line_writes_the_maps_of_the_app(
    open_page: Open, page_checkpoints: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    draw_lesion("bcc", 3, (120, 90)).save(photo)
    app = open_page("see/explain", source="upload")
    app.file_uploader[0].set_value(("photo.jpg", photo.read_bytes(), "image/jpeg")).run()
    shown = finished_job(app).result.score_cam
    pair = [str(page_checkpoints / f"tiny-{role}") for role in ("teacher", "student")]
    command = ["explain", str(photo), "--teacher", pair[0], "--student", pair[1]]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    with np.load(next((tmp_path / "out").glob("*.npz"))) as written:
        np.testing.assert_allclose(written["teacher"], shown.teacher_map, atol=1e-6)
        np.testing.assert_allclose(written["student"], shown.student_map, atol=1e-6)


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ({"teacher": "gone"}, "gone can't be the teacher here"),
        ({"teacher": "tiny-student"}, "tiny-student can't be the teacher here"),
        ({"student": "[x](http://y)"}, r"\[x\](http\://y) can't be the student here"),
        ({"teacher": "tiny-teacher", "student": "tiny-student"}, ""),
        ({"teacher": ""}, ""),
    ],
)
def test_a_link_to_a_model_that_is_not_there_is_told(
    open_page: Open, link: dict[str, str], told: str
) -> None:
    app = open_page("see/temperature", **link)
    assert not app.exception
    assert (told or "Dividing the logits") in words(app)
    assert ("Another is shown." in words(app)) == bool(told)


@pytest.mark.parametrize(("drawn", "told"), [("mel-999", True), ("mel-15", False), ("", False)])
def test_a_link_to_a_drawn_sample_that_is_not_there_is_told(
    open_page: Open, drawn: str, told: bool
) -> None:
    app = open_page("see/explain", drawn=drawn)
    assert not app.exception
    assert ("mel-999 is no drawn sample here. Another picture is shown." in words(app)) == told
    app.run()
    assert "is no drawn sample" not in words(app)


def test_explaining_runs_as_a_job_and_sliders_do_not_repeat_it(open_page: Open) -> None:
    app = open_page("see/explain", target="mel")
    job = finished_job(app)
    app.run()
    assert not app.exception
    assert "How alike the two maps are" in words(app)
    app.slider(key="w:opacity").set_value(0.8).run()
    assert not app.exception
    assert app.session_state["job"] is job
    app.selectbox(key="w:target").set_value("nv").run()
    assert app.button(key="w:explain"), "another class is another computation"


@pytest.mark.parametrize("page", ["explain", "temperature", "attention", "corrupt"])
def test_an_upload_that_was_trained_on_is_told(
    open_page: Open,
    page_checkpoints: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
) -> None:
    app = open_page(f"see/{page}", source="upload", scope="image")
    for folder in page_checkpoints.iterdir():
        shutil.copytree(folder, tmp_path / folder.name)
    seen = dataclasses.replace(
        read_card(tmp_path / "tiny-teacher"), train_images=(group_hash("ISIC_0024306"),)
    )
    write_card(tmp_path / seen.name, seen)
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path))
    photo = io.BytesIO()
    draw_lesion("nv", 1, (120, 90)).save(photo, "PNG")
    for name, told in (("ISIC_0024306.png", True), ("ISIC_0024307.png", False)):
        app.file_uploader[0].set_value((name, photo.getvalue(), "image/png")).run()
        assert not app.exception
        assert ("this is ISIC_0024306. The teacher was trained on it" in words(app)) == told


def test_a_newcomer_sees_the_strongest_single_teacher_and_the_student_that_it_taught(
    open_page: Open, page_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in page_checkpoints.iterdir():
        shutil.copytree(folder, tmp_path / folder.name)
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path))
    teacher, student = (read_card(tmp_path / name) for name in ("tiny-teacher", "tiny-student"))
    write_card(
        tmp_path / student.name,
        dataclasses.replace(student, teachers={teacher.name: teacher.weights_sha256}),
    )
    members = [build_model("cnn2", len(teacher.classes)) for _ in range(2)]
    many = dataclasses.replace(
        teacher, name="many", title="Many", architecture="ensemble", members=("cnn2", "cnn2"),
        metrics={"val": {"macro_f1": {"value": 0.9}}},
    )  # fmt: skip
    many = save_checkpoint(tmp_path / many.name, Ensemble(members), many)
    other = dataclasses.replace(
        many, name="other", role="student", architecture="cnn2", members=(), teachers={"many": ""}
    )
    save_checkpoint(tmp_path / other.name, members[0], other)

    app = open_page("see/temperature")
    assert not app.exception
    assert [app.selectbox(key=f"w:{name}").value for name in ("teacher", "student")] == [
        "tiny-teacher",
        "tiny-student",
    ]
    assert "Many · strongest" in app.selectbox(key="w:teacher").options


def test_uploads_good_and_bad(open_page: Open) -> None:
    app = open_page("see/explain", source="upload")
    assert "Choose a photo" in app.info[0].value
    photo = (REPO / "streamlit_app.py").read_bytes()
    app.file_uploader[0].set_value(("photo.jpg", photo, "image/jpeg")).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "**" in app.error[0].value


def test_temperature_of_a_class_and_of_an_empty_one(open_page: Open) -> None:
    app = open_page("see/temperature", scope="class", **{"class": "mel"})
    assert not app.exception
    assert "5 test images of mel" in words(app)
    app.selectbox(key="w:class").set_value("vasc").run()
    assert not app.exception
    assert "There is no test image of vasc" in words(app)


def test_the_data_page_sets_and_forgets_a_folder(open_page: Open, ham_dataverse: Path) -> None:
    app = open_page("build/data")
    assert "No data set is configured" in words(app)
    app.text_input[0].set_value(str(ham_dataverse))
    app.button[0].click().run()
    assert not app.exception
    assert not app.error
    values = {m.label: m.value for m in app.metric}
    assert values["Images"] == "84"
    assert values["Lesions"] == "56"
    assert values["Lesion masks"] == "84"
    app.button[1].click().run()
    assert "No data set is configured" in words(app)


def test_the_data_page_refuses_a_folder_without_data(open_page: Open, tmp_path: Path) -> None:
    app = open_page("build/data")
    app.text_input[0].set_value(str(tmp_path))
    app.button[0].click().run()
    assert not app.exception
    assert "HAM10000_metadata" in app.error[0].value
    app = open_page("build/data")
    app.button[0].click().run()
    assert "No folder was named" in app.error[0].value


def test_a_telephones_photo_is_read_once(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reads = []
    monkeypatch.setattr("kdcore.data.read_image", lambda data: reads.append(1) or read_image(data))
    photo = tmp_path / "photo.jpg"
    draw_lesion("nv", 8).resize((2000, 1500)).save(photo)
    app = open_page("see/explain", source="upload")
    app.file_uploader[0].set_value(("photo.jpg", photo.read_bytes(), "image/jpeg")).run()
    app.slider(key="w:T").set_value(7.0).run()
    assert not app.exception
    assert len(app.metric) == 2
    assert len(reads) == 1


def test_a_result_of_another_picture_is_not_lost(open_page: Open) -> None:
    app = open_page("see/explain", target="mel")
    finished_job(app)
    app.selectbox(key="w:target").set_value("nv").run()  # before the page has seen it done
    finished_job(app)
    app.selectbox(key="w:target").set_value("mel").run()
    assert "How alike the two maps are" in words(app)


def test_a_waiting_computation_lives_while_another_page_is_read(open_page: Open) -> None:
    app = open_page("see/explain", target="mel")
    job = finished_job(app)
    job.seen -= 1000
    app.run()
    assert time.monotonic() - job.seen < 100


@pytest.mark.parametrize("broken", ["ood.npz", "predictions-test.npz"])
def test_a_broken_side_file_is_told(
    page_checkpoints: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    open_page: Open,
    broken: str,
) -> None:
    root = tmp_path / "checkpoints"
    shutil.copytree(page_checkpoints, root)
    card = json.loads((root / "tiny-teacher/card.json").read_text())
    (root / "tiny-teacher/card.json").write_text(json.dumps(card | {"ood": {"threshold": 1.0}}))
    (root / "tiny-teacher" / broken).write_bytes(b"PK\x03\x04 broken")
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(root))
    page = "explain" if broken == "ood.npz" else "temperature"
    app = AppTest.from_file(str(REPO / f"pages/see/{page}.py"), default_timeout=120)
    app.query_params["scope"] = "class"
    app.run()
    assert not app.exception
    assert broken in app.error[0].value
