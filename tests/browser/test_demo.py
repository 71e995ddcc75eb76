"""The guided demo as a clinician takes it: from the Start page through every case."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from benchmarks.driver import App, settle
from tests.browser.site import troubles, visit

pytestmark = pytest.mark.slow


def test_the_tour_from_start_to_its_end(app: App, new_page: Callable[..., Page]) -> None:
    page = new_page()
    visit(page, app.url)
    page.get_by_test_id("stMain").get_by_role("link", name="Guided demo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Guided demo")
    heading, seen = page.get_by_role("heading", level=3), []
    following = page.get_by_role("button", name="Next")
    expect(following).to_be_visible(timeout=120_000)
    while True:
        settle(page, 120)
        seen.append(heading.inner_text())
        assert troubles(page) == []
        if following.is_disabled():
            break
        following.focus()
        page.keyboard.press("Enter")  # the whole tour by keyboard
        expect(heading).not_to_have_text(seen[-1], timeout=60_000)
    assert 3 <= len(seen) <= 5
    assert len(set(seen)) == len(seen)
    assert "case=" in page.url, "a case can be shared"
    page.get_by_role("button", name="Back").click()
    expect(heading).to_have_text(seen[-2])
