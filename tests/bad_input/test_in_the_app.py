"""In the app each bad input gives one message with what to do, and the page stays usable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

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
    assert note in "\n".join(c.value for c in app.caption)


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
