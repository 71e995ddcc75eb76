"""In the app each bad input gives one message with what to do, and the page stays usable."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from kdcore.base import group_hash
from kdcore.data import Ham10000
from kdcore.models import read_card, write_card
from tests.bad_input import makers
from tests.conftest import REPO
from tests.pages.conftest import open_page, page_checkpoints, words

__all__ = ["open_page", "page_checkpoints"]  # fixtures, found by name
Open = Callable[..., AppTest]


def upload(app: AppTest, data: bytes) -> None:
    app.file_uploader[0].set_value(("lesion.jpg", data, "image/jpeg")).run()


@pytest.mark.parametrize("kind", makers.REFUSED)
def test_a_refused_picture_is_told_and_the_next_one_works(open_page: Open, kind: str) -> None:
    app = open_page("see/explain", source="upload")
    upload(app, makers.REFUSED[kind])
    assert not app.exception
    assert len(app.error) == 1
    problem, _, hint = app.error[0].value.partition("\n\n")
    assert problem.startswith("**")
    assert hint.endswith(".")
    assert not app.metric
    upload(app, makers.encode(makers.LESION, "JPEG"))
    assert not app.error
    assert len(app.metric) == 2


@pytest.mark.parametrize("kind", makers.UNUSUAL)
def test_an_unusual_picture_works_and_is_told(open_page: Open, kind: str) -> None:
    data, note = makers.UNUSUAL[kind]
    app = open_page("see/explain", source="upload")
    upload(app, data)
    assert not app.exception
    assert not app.error
    assert len(app.metric) == 2
    shown = [c.value for c in app.caption if c.value.startswith(":material/info: ")]
    other = ("diagnosis", "This student")  # the line of caution and one on the pair have the icon
    notes = [text for text in shown if not any(word in text for word in other)]
    assert len(notes) == (1 if note else 0)
    assert note in "".join(notes)


@pytest.mark.parametrize("how", makers.CHECKPOINTS)
def test_a_spoilt_checkpoint_is_told_and_the_others_work(
    open_page: Open,
    page_checkpoints: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    for folder in page_checkpoints.iterdir():
        (tmp_path / folder.name).symlink_to(folder)
    makers.spoilt_checkpoint(page_checkpoints / "tiny-teacher", tmp_path / "spoilt", how)
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path))
    app = AppTest.from_file(str(REPO / "pages/see/explain.py"), default_timeout=120)
    app.query_params["teacher"] = "spoilt"
    app.run()
    assert not app.exception
    assert makers.CHECKPOINTS[how][1] in app.error[0].value
    app.selectbox(key="w:teacher").set_value("tiny-teacher").run()
    assert not app.exception
    assert len(app.metric) == 2


@pytest.mark.parametrize("how", makers.TABLES)
def test_a_spoilt_table_is_told_and_not_kept(
    open_page: Open, make_ham: Callable[..., Path], tmp_path: Path, how: str
) -> None:
    change, expected = makers.TABLES[how]
    makers.spoil_table(make_ham(tmp_path), change)
    app = open_page("build/data")
    app.text_input[0].set_value(str(tmp_path))
    app.button[0].click().run()
    assert not app.exception
    assert expected in app.error[0].value
    assert "No data set is configured" in words(app)


def test_missing_files_are_told_and_the_rest_is_used(
    open_page: Open, make_ham: Callable[..., Path], tmp_path: Path
) -> None:
    makers.spoil_table(make_ham(tmp_path), lambda rows: [*rows, makers.MISSING_FILE])
    app = open_page("build/data")
    app.text_input[0].set_value(str(tmp_path))
    app.button[0].click().run()
    assert not app.exception
    assert not app.error
    assert "1 images named in the metadata have no file" in words(app)
    assert {m.label: m.value for m in app.metric}["Images"] == "84"


def on_data(folder: Path, page: str = "see/explain", **link: str) -> AppTest:
    """Open a page on a data set by a link."""
    app = AppTest.from_file(str(REPO / "pages" / f"{page}.py"), default_timeout=120)
    for name, value in ({"source": "data"} | link).items():
        app.query_params[name] = value
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISTILSCOPE_DATA", str(folder))
        return app.run()


def train_on(root: Path, role: str, lesions: set[str]) -> None:
    """Say in a card that the network was trained on these lesions."""
    groups = tuple(sorted(map(group_hash, lesions)))
    folder = root / f"tiny-{role}"
    write_card(folder, dataclasses.replace(read_card(folder), train_groups=groups))


@pytest.fixture
def own_checkpoints(
    open_page: Open, page_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A copy of the checkpoints whose cards may be changed."""
    shutil.copytree(page_checkpoints, tmp_path / "checkpoints")
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    return tmp_path / "checkpoints"


def test_lesions_that_either_network_was_trained_on_are_not_offered(
    own_checkpoints: Path, ham_folder: Path
) -> None:
    data = Ham10000.open(ham_folder)
    test = [s for s, p in zip(data.samples, data.parts()) if p == "test"]
    trained = [next(s.lesion_id for s in test if s.dx == dx) for dx in ("nv", "mel")]
    for role, lesion in zip(("teacher", "student"), trained):
        train_on(own_checkpoints, role, {lesion})
    left = [s for s in test if s.lesion_id not in trained]
    for page in ("see/explain", "see/attention", "see/temperature"):
        app = on_data(ham_folder, page)
        assert not app.exception
        offered = app.selectbox(key="w:image").options
        assert offered == [f"{s.image_id} · {s.dx}" for s in left]
        assert f"{len(test) - len(left)} of {len(test)} images of this part are left" in words(app)
    link = {"image": next(s.image_id for s in test if s.lesion_id == trained[0])}
    assert on_data(ham_folder, **link).selectbox(key="w:image").value == left[0].image_id


def test_a_rerun_hashes_no_lesion_again(
    own_checkpoints: Path, ham_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILSCOPE_DATA", str(ham_folder))
    app = on_data(ham_folder)
    monkeypatch.setattr("kdcore.base.group_hash", None)
    app.selectbox(key="w:part").set_value("val").run()
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("page", ["see/explain", "see/attention", "see/temperature"])
def test_a_part_without_images_is_told(
    open_page: Open, make_ham: Callable[..., Path], tmp_path: Path, page: str
) -> None:
    makers.spoil_table(make_ham(tmp_path), lambda rows: rows[:3])  # one lesion, in training
    app = on_data(tmp_path, page)
    assert not app.exception
    assert "There is no image left in this part" in app.info[0].value
    assert not app.metric


def test_a_part_that_was_all_trained_on_is_told(own_checkpoints: Path, ham_folder: Path) -> None:
    train_on(own_checkpoints, "student", {s.lesion_id for s in Ham10000.open(ham_folder).samples})
    app = on_data(ham_folder)
    assert not app.exception
    assert "There is no image left in this part" in app.info[0].value


def test_a_damaged_image_of_the_data_set_is_named(
    open_page: Open, make_ham: Callable[..., Path], tmp_path: Path
) -> None:
    make_ham(tmp_path)
    for path in tmp_path.rglob("*.jpg"):
        path.write_bytes(path.read_bytes()[:-400])
    app = on_data(tmp_path)
    assert not app.exception
    assert app.error[0].value.startswith(f"**Image {app.selectbox(key='w:image').value} is inco")
