"""A server and a Chromium for all browser tests; a fresh browser session for each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from benchmarks.driver import App, browser, chromium, serve
from kdcore.models import list_checkpoints
from tests.conftest import REPO

REQUIRED = "DISTILSCOPE_REQUIRE_BROWSER"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    """Headless Chromium; without one, skips, or fails where a browser is required."""
    if chromium() is None:
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set, but there is no chromium on the PATH")
        pytest.skip("no chromium on the PATH")
    with browser() as instance:
        yield instance


@pytest.fixture(scope="session")
def checkpoints(tiny_checkpoints: Path) -> Path:
    """The released checkpoints, or tiny ones where a teacher or a student is missing."""
    released = REPO / "checkpoints"
    roles = {card.role for card in list_checkpoints(released)}
    return released if {"teacher", "student"} <= roles else tiny_checkpoints


@pytest.fixture(scope="session")
def app(chrome: Browser, checkpoints: Path) -> Iterator[App]:
    """One server for the tests that do not need a cold one."""
    with serve(checkpoints) as running:
        yield running


@pytest.fixture
def new_page(chrome: Browser) -> Iterator[Callable[..., Page]]:
    """`new_page(width)`: a browser session of its own, which shares nothing with another."""
    contexts = []

    def make(width: int = 1280, height: int = 900) -> Page:
        context = chrome.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        return page

    yield make
    for context in contexts:
        context.close()
