"""The Latency page in a browser: a benchmark runs to its end, another is cancelled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.driver import App, serve, settle
from tests.browser.site import overflow, troubles, visit
from tests.conftest import write_tiny_checkpoint

LINK = "latency?engines=eager&threads=1&whole=yes"
LONG_S = 600_000


@pytest.fixture
def app(chrome: Browser, tmp_path: Path) -> Iterator[App]:
    """A server with two networks that answer in a moment."""
    for name, role in (("big", "teacher"), ("small", "student")):
        write_tiny_checkpoint(tmp_path / "checkpoints" / name, role, "cnn2", title=name.upper())
    with serve(tmp_path / "checkpoints") as running:
        yield running


def chips(page: Page) -> list[int]:
    """How many options of models, engines and threads a person sees chosen."""
    found = []
    for label in ("Models to time", "Engines", "Threads of a call"):
        picker = page.get_by_test_id("stMultiSelect").filter(has_text=label)
        picker.get_by_role("combobox").wait_for()
        found.append(picker.get_by_role("button", name="Remove").count())
    return found


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
def test_run_one_and_cancel_one(app: App, new_page: Callable[..., Page], width: int) -> None:
    page = new_page(width)
    visit(page, f"{app.url}/{LINK}")
    expect(page.get_by_text("No benchmark of your own is kept yet")).to_be_visible()
    assert chips(page) == [2, 1, 1]
    page.get_by_role("button", name="Time them").click()
    expect(page.get_by_role("heading", name="All numbers")).to_be_visible(timeout=LONG_S)
    settle(page)
    page.get_by_role("heading", name="From picture to answer").wait_for()
    assert troubles(page) == []
    assert overflow(page) == []
    assert re.search(r"bench=\d{8}-\d{6}-[0-9a-f]{8}", page.url)
    assert chips(page) == [2, 1, 1]

    page.get_by_role("button", name="Time them").click()
    page.wait_for_timeout(4000)  # of polls, in which the browser forgets the pickers
    page.get_by_role("button", name="Cancel").click(timeout=LONG_S)
    expect(page.get_by_text("Cancelled. Nothing was kept.")).to_be_visible(timeout=LONG_S)
    settle(page)
    assert chips(page) == [2, 1, 1]
    page.get_by_text("History, import and export").click()
    expect(page.get_by_role("button", name="Delete")).to_have_count(1)
    assert troubles(page) == []
    assert overflow(page) == []
