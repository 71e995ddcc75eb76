"""The Start page and the guided demo: what they say follows from the networks that are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from kdcore.base import checkpoints_folder, results_folder
from kdcore.models import list_checkpoints
from kdcore.report.overview import gain_texts, overview_texts
from kdcore.report.sweep_scores import read_sweeps
from tests.conftest import REPO
from tests.pages.conftest import words

Open = Callable[..., AppTest]


def test_start_says_what_distillation_is_and_lists_the_models(
    page_checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(page_checkpoints))
    app = AppTest.from_file(str(REPO / "streamlit_app.py"), default_timeout=120).run()
    assert not app.exception
    assert "knowledge distillation" in words(app)
    assert list(app.dataframe[0].value["model"]) == ["Tiny teacher", "Tiny student"]
    assert list(app.dataframe[0].value["test macro-F1 [95 %]"]) == ["not measured"] * 2
    assert list(app.dataframe[0].value["taught by"]) == ["none"] * 2
    assert "No model here was taught by **Tiny teacher**" in words(app)
    assert "What the teacher brought" not in [s.value for s in app.subheader]


def test_start_says_of_the_shipped_what_their_cards_and_sweeps_say() -> None:
    app = AppTest.from_file(str(REPO / "streamlit_app.py"), default_timeout=120).run()
    assert not app.exception
    cards = list_checkpoints(checkpoints_folder())
    said = words(app)
    for text in overview_texts(cards) + gain_texts(cards, read_sweeps([results_folder()])[0]):
        assert text in said
    taught = app.dataframe[0].value.set_index("model")["taught by"]
    titles = {c.name: c.title for c in cards}
    for card in cards:
        assert taught[card.title] == (" + ".join(titles[n] for n in card.teachers) or "none")
    assert "What the teacher brought" in [s.value for s in app.subheader]


def test_the_tour_goes_forth_and_back(open_page: Open) -> None:
    app = open_page("see/demo")
    assert not app.exception
    first = app.subheader[0].value
    assert app.button(key="w:Back").disabled
    app.button(key="w:Next").click().run()
    second = app.subheader[0].value
    assert second != first
    app.button(key="w:Back").click().run()
    assert app.subheader[0].value == first
    assert "drawing, nobody's skin" in words(app)


def test_the_last_case_of_the_tour_leads_on(open_page: Open) -> None:
    app = open_page("see/demo")
    for _ in range(5):
        if not app.button(key="w:Next").disabled:
            app.button(key="w:Next").click().run()
    assert app.button(key="w:Next").disabled
    assert "That was the tour" in words(app)
    assert not app.exception


def test_a_link_opens_its_case(open_page: Open) -> None:
    app = open_page("see/demo", case="doubt")
    assert app.subheader[0].value == "Not sure"
    assert not open_page("see/demo", case="nonsense").exception


def test_the_tour_names_its_networks_without_numbers(open_page: Open) -> None:
    said = words(open_page("see/demo"))
    assert "Teacher: Tiny teacher. Student: Tiny student." in said
    assert "parameters" not in said and "large network" not in said
    assert "was taught by" not in said  # its card names nobody
