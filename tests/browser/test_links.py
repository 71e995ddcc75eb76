"""Every page by a cold deep link, at two widths, and the navigation between them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.driver import App, serve, settle
from benchmarks.journeys import CHARTS, move_slider, open_upload, upload
from tests.browser.site import PAGES, overflow, photo, troubles, visit

NewPage = Callable[..., Page]


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
def test_cold_deep_link_shows_its_page(
    chrome: Browser, checkpoints: Path, new_page: NewPage, path: str
) -> None:
    # A server of its own: only the very first link after a start can go wrong this way.
    with serve(checkpoints) as app:
        page = new_page()
        visit(page, f"{app.url}/{path}")
        page.wait_for_timeout(500)  # the message comes a moment after the page
        assert troubles(page) == []
        expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[path])


@pytest.mark.slow
def test_navigation_names_every_page(app: App, new_page: NewPage) -> None:
    page = new_page()
    visit(page, app.url)
    links = page.locator('[data-testid="stSidebarNavLink"]')
    names = {"Start" if path == "" else title: title for path, title in PAGES.items()}
    shown = [text.strip().split("\n")[-1] for text in links.all_inner_texts()]
    assert sorted(shown) == sorted(names)
    for name, title in names.items():
        links.filter(has_text=name).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        settle(page)
        assert troubles(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_reaches_past_the_edge(app: App, new_page: NewPage, path: str, width: int) -> None:
    page = new_page(width)
    visit(page, f"{app.url}/{path}")
    page.wait_for_timeout(1000)  # charts take their width after the script has ended
    assert troubles(page) == []
    assert overflow(page) == []


@pytest.mark.slow
def test_coming_back_to_a_page_finds_it_as_it_was(app: App, new_page: NewPage) -> None:
    page = new_page()
    open_upload(page, app.url)
    upload(page, "lesion.jpg", photo("mel", 5))
    expect(page.locator(CHARTS).nth(1)).to_be_visible(timeout=120_000)
    settle(page)
    move_slider(page, "Temperature T")
    settle(page)
    links = page.locator('[data-testid="stSidebarNavLink"]')
    for title in ("Temperature", "Attention and causal masks", "Data", "Explain a lesion"):
        links.filter(has_text=title).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        settle(page, 120)
        assert troubles(page) == []
    expect(page.get_by_text("Showing the picture that you uploaded before")).to_be_visible()
    expect(page.get_by_role("slider", name=re.compile("Temperature T"))).to_have_value("4.5")
    assert "source=upload" in page.url
