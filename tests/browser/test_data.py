"""The Data page of a data set in a browser: nothing overflows, and the leak check ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from benchmarks.driver import App, serve, settle
from tests.browser.site import overflow, troubles, visit


@pytest.fixture(scope="module")
def data_app(chrome: Browser, checkpoints: Path, ham_dataverse: Path) -> Iterator[App]:
    """A server with a small HAM10000."""
    with serve(checkpoints, ham_dataverse) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
def test_the_data_page(data_app: App, new_page: Callable[..., Page], width: int) -> None:
    page = new_page(width)
    visit(page, f"{data_app.url}/data?datasplit=image-level+(leaky)")
    assert troubles(page) == []
    assert overflow(page) == []
    page.get_by_text("lesions have pictures in more than one part").wait_for()
    page.get_by_role("button", name="Look for copies").click()
    page.get_by_text("No near-duplicates in different parts").wait_for()
    page.get_by_role("button", name="Show others").click()
    settle(page)
    assert troubles(page) == []
    assert overflow(page) == []
    sizes = page.locator('[data-testid="stImage"] img').evaluate_all(
        "images => images.map(i => [i.complete, i.naturalWidth, i.clientWidth])"
    )
    assert len(sizes) == 7
    assert all(complete and natural == shown for complete, natural, shown in sizes), sizes
