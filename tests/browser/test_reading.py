"""A reader study in a browser: six cases from setting it up to the export, and nothing unblinds."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from benchmarks.driver import App, serve, settle
from kdcore.study import QUESTIONS
from tests.browser.site import overflow, troubles, visit
from tests.browser.test_measure import downloaded

CASES = 6
PICTURES = '[data-testid="stMain"] img'
WAIT = 240  # seconds; explaining six cases takes two of them on an idle machine


@pytest.fixture
def study_app(chrome: Browser, tiny_checkpoints: Path) -> Iterator[App]:
    """A server with two networks of random weights and a state folder of its own."""
    with serve(tiny_checkpoints) as running:
        yield running


def radio(page: Page, question: str, option: str) -> None:
    """Choose an option by keyboard, as somebody without a mouse does."""
    group = page.get_by_role("radiogroup", name=question)
    group.get_by_role("radio", name=option, exact=True).focus()
    page.keyboard.press("Space")
    settle(page, 120)


def set_up(page: Page, url: str) -> str:
    """Set up a study of drawn samples and return its address."""
    visit(page, f"{url}/reader-study")
    page.get_by_role("textbox", name="Title").fill("Six drawn lesions")
    page.get_by_role("spinbutton", name="Cases").fill(str(CASES))
    page.keyboard.press("Enter")
    settle(page)
    page.get_by_role("button", name="Set up the study").click()
    page.get_by_text("The study is stored").wait_for(timeout=1000 * WAIT)
    settle(page)
    return page.url


def begin(page: Page, url: str, code: str) -> None:
    visit(page, url)
    page.get_by_role("textbox", name="Reader code").fill(code)
    page.get_by_role("button", name="Begin or go on").click()
    page.get_by_text(f"Reading as {code}").wait_for()
    settle(page)


def read_case(page: Page, number: int) -> None:
    """Rate A with 2 and B with 4, and prefer B; look for what unblinds meanwhile."""
    page.get_by_role("heading", name=f"Case {number} of {CASES}").wait_for()
    for side, value in (("A", "2"), ("B", "4")):
        page.get_by_role("radio", name=f"Heatmap {side}").click()
        settle(page)
        told = page.locator(PICTURES).evaluate_all("all => all.map(i => [i.alt, i.src, i.title])")
        shown = " ".join(" ".join(row) for row in told)
        assert f"Heatmap {side}" in shown
        assert not any(name in shown.lower() for name in ("teacher", "student", "resnet", "mobile"))
        for title, _ in QUESTIONS.values():
            radio(page, f"{title} of {side}", value)
    radio(page, "Which heatmap do you prefer?", "B")


@pytest.mark.slow
def test_six_cases_from_setting_up_to_the_export(
    study_app: App, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = new_page()
    url = set_up(page, study_app.url)
    assert url.split("?")[1].startswith("study=") and "&" not in url
    begin(page, url, "R-01")
    for number in range(1, 4):
        read_case(page, number)
        page.get_by_role("button", name="Next case").click()
        settle(page)
    assert (troubles(page), overflow(page)) == ([], [])
    page = new_page(400)  # the browser was closed; another one goes on
    begin(page, url, "R-01")
    page.get_by_text("3 of 6 cases complete").wait_for()
    for number in range(4, CASES + 1):
        read_case(page, number)
        assert overflow(page) == []
        name = "Finish" if number == CASES else "Next case"
        page.get_by_role("button", name=name).click()
        settle(page)
    page.get_by_text("Thank you").wait_for()
    own = downloaded(page, page.get_by_role("button", name="My answers"), tmp_path).decode()
    assert own.count("\n") == 1 + 2 * CASES and "teacher" not in own
    _export(page, tmp_path)


def _export(page: Page, folder: Path) -> None:
    page.get_by_role("radio", name="Progress and results").click()
    page.get_by_text("Opening the results unblinds").wait_for()
    page.get_by_role("button", name="Open the results").click()
    page.get_by_text("Too few readers to say how far they agree").wait_for()
    settle(page)
    assert (troubles(page), overflow(page)) == ([], [])
    text = downloaded(page, page.get_by_role("button", name="Ratings (CSV)"), folder).decode()
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 2 * CASES
    assert all(row["focus"] == {"A": "2", "B": "4"}[row["side"]] for row in rows)
    firsts = [row["role"] for row in rows if row["side"] == "A"]
    assert firsts.count("teacher") == firsts.count("student") == CASES // 2
    data = downloaded(page, page.get_by_role("button", name="Everything (JSON)"), folder)
    (reader,) = json.loads(data)["readers"]
    assert reader["finished"] and {a["preference"] for a in reader["answers"]} == {"B"}
