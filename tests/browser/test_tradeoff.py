"""The Trade-off page in a browser: the question is answered, and the answer follows the limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from benchmarks.driver import App, settle
from kdcore.base import results_folder
from kdcore.report.efficiency_files import read_efficiency
from tests.browser.site import overflow, troubles, visit


def ask(page: Page, label: str, value: str) -> None:
    box = page.get_by_role("spinbutton", name=label)
    box.fill(value)
    box.press("Enter")
    page.wait_for_timeout(300)
    settle(page, 120)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
def test_the_chart_answers_a_question(app: App, new_page: Callable[..., Page], width: int) -> None:
    if read_efficiency(results_folder()) is None:
        pytest.skip("no efficiency record is shipped")
    page = new_page(width)
    visit(page, f"{app.url}/tradeoff?ms=100000&mb=100000")
    answer = page.get_by_test_id("stAlert")
    expect(answer).to_contain_text("is best of the")
    page.locator('[data-testid="stVegaLiteChart"]').locator("canvas, svg").first.wait_for()
    ask(page, "Most time of a picture, ms", "0.01")
    expect(answer).to_contain_text("Nothing fits under 0.01 ms and 100000 MB.")
    expect(answer).to_contain_text("The fastest")
    assert "ms=0.01" in page.url
    ask(page, "Most time of a picture, ms", "100000")
    ask(page, "Most size of the file, MB", "20000")
    expect(answer).to_contain_text("Under 100000 ms and 20000 MB,")
    assert troubles(page) == []
    assert overflow(page) == []
