"""The Report page: what is wanted is made in the background, and can be taken away."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from kdcore.cli.reporting import figures
from kdcore.cli.reporting.whole import SECTIONS
from tests.pages.conftest import words
from tests.report import pdf

Open = Callable[..., AppTest]
PAGE = "write/report"
MAKE = "Make the report"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILSCOPE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr("pages.ui.measured.RESAMPLES", 20)
    monkeypatch.setattr(figures, "figure_bytes", lambda _, kind, __: pdf.FIGURE[kind])


def make(app: AppTest) -> AppTest:
    next(b for b in app.button if b.label == MAKE).click().run()
    end = time.monotonic() + 60
    while "Cancel" in [b.label for b in app.button] and time.monotonic() < end:
        time.sleep(0.2)
        app.run()
    return app


def test_it_offers_everything_and_says_how_long(open_page: Open) -> None:
    app = open_page(PAGE)
    assert not app.exception and not app.error
    assert app.multiselect(key="w:report_sections").value == list(SECTIONS)
    assert app.multiselect(key="w:report_models").value == ["tiny-teacher", "tiny-student"]
    assert app.selectbox(key="w:report_teacher").value == "tiny-teacher"
    assert f"2 models, {len(SECTIONS)} sections" in words(app) and "About" in words(app)
    assert "Everything" not in words(app), "no section is on explanations or subgroups"
    assert "Explanations and subgroups are on pages of their own." in words(app)


def test_it_is_made_and_can_be_taken_away(open_page: Open) -> None:
    app = make(open_page(PAGE, report_sections="summary,methods"))
    assert not app.exception and not app.error
    assert "tables and 3 figures" in words(app)
    labels = [b.label for b in app.get("download_button")]
    assert [label.split(",")[0] for label in labels] == [
        "PDF to print",
        "HTML to read",
        "Zip with all tables and figures",
    ]
    assert MAKE not in [b.label for b in app.button]
    app.multiselect(key="w:report_sections").set_value(["summary"]).run()
    assert MAKE in [b.label for b in app.button]


def test_what_goes_wrong_is_told(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    from kdcore.base import DataError

    def broken(*_: object) -> None:
        raise DataError("The predictions are gone.", "Make them again.")

    monkeypatch.setattr("kdcore.cli.reporting.bundle.open_models", broken)
    app = make(open_page(PAGE, report_sections="methods"))
    assert not app.exception and "The predictions are gone." in words(app)
    assert MAKE in [b.label for b in app.button]


def test_nothing_chosen(open_page: Open) -> None:
    app = open_page(PAGE, report_sections="-")
    assert "at least one section" in words(app) and not app.button
    app = open_page(PAGE, report_models="-")
    assert "at least one model" in words(app) and not app.button


def test_no_model(open_page: Open) -> None:
    app = open_page(PAGE, part="val")
    assert "needs a model with saved predictions" in words(app) and not app.button
