"""The Corrupt page in a browser: two corruptions on one picture, and both models answer."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page

from benchmarks.driver import App, settle
from benchmarks.journeys import move_slider, open_stack
from tests.browser.site import overflow, troubles

METRICS = '[data-testid="stMetric"]'
MOVES = ((0, "ArrowRight"), (1, "ArrowRight"), (1, "ArrowLeft"))


def answers(page: Page) -> list[str]:
    """Return what is said of the teacher and of the student."""
    return page.locator(METRICS).all_inner_texts()


@pytest.mark.slow
def test_both_models_respond_to_each_of_two_corruptions(
    app: App, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    open_stack(page, app.url)
    seen = [answers(page)]
    for place, key in MOVES:
        move_slider(page, "Severity", key, place)
        settle(page)
        seen.append(answers(page))
    for before, after in pairwise(seen):
        assert len(before) == len(after) == 2
        assert before[0] != after[0], "the teacher"
        assert before[1] != after[1], "the student"
    assert "stack=gaussian_noise-3%2B" in page.url, "what is seen can be shared"
    assert troubles(page) == []
    assert overflow(page) == []
