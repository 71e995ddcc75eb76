"""The Measure pages in a browser: a click opens its cases, and the downloads are what they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page

from benchmarks.driver import App, settle
from kdcore.evaluate import cases
from kdcore.predict import Predictions
from tests.browser.site import overflow, troubles, visit
from tests.report import tex
from tests.report.test_latex_paper import PREAMBLE, parse_paper

CHARTS = '[data-testid="stVegaLiteChart"]'
QUADRANTS, MATRIX = 3, 4  # places of the charts on the page


@pytest.fixture
def compare(app: App, checkpoints: Path, new_page: Callable[..., Page]) -> Page:
    """The Compare page of checkpoints with saved predictions."""
    if not list(checkpoints.glob("*/predictions-test.npz")):
        pytest.skip("the checkpoints have no saved predictions")
    page = new_page()
    visit(page, f"{app.url}/compare")
    page.locator(CHARTS).nth(MATRIX).locator("canvas, svg").first.wait_for()
    return page


def click(page: Page, chart: int, x: float, y: float) -> dict[str, str]:
    """Click in a chart at shares of its width and height; return the link's parameters then."""
    drawn = page.locator(CHARTS).nth(chart).locator("canvas, svg").first
    drawn.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)  # charts take their width after the script has ended
    box = drawn.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.wait_for_timeout(500)
    settle(page, 120)
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def downloaded(page: Page, button: Locator, folder: Path) -> bytes:
    with page.expect_download() as waiting:
        button.click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path.read_bytes()


@pytest.mark.slow
def test_a_click_opens_the_cases_behind_it(compare: Page, checkpoints: Path) -> None:
    assert troubles(compare) == []
    seen = set()
    for x in (0.5, 0.8):
        link = click(compare, MATRIX, x, 0.3)
        assert link["behind"] == "teacher"
        predictions = Predictions.load(checkpoints / link["one"] / "predictions-test.npz")
        n = len(cases(predictions, link["row"], link["column"]))
        said = f"{n:,} image{'s' if n > 1 else ''}, the surest answers first" if n else "No image"
        compare.get_by_text(said).wait_for()
        seen.add((link["row"], link["column"]))
    assert len(seen) == 2
    for x in (0.3, 0.8):  # on a bar, and beside it
        link = click(compare, QUADRANTS, x, 0.08)
        assert (link["behind"], link["quadrant"]) == ("quadrants", "both_right")
        assert click(compare, MATRIX, 0.5, 0.3)["behind"] == "teacher"
    assert troubles(compare) == []
    assert overflow(compare) == []


@pytest.mark.slow
def test_the_downloads_are_a_figure_and_a_table(compare: Page, tmp_path: Path) -> None:
    pdf = downloaded(compare, compare.get_by_role("button", name="PDF").first, tmp_path)
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    table = downloaded(compare, compare.get_by_role("button", name="LaTeX").first, tmp_path)
    text = table.decode()
    assert len(parse_paper(text)) > 2
    _compile(text, tmp_path)


def _compile(table: str, folder: Path) -> None:
    """Typeset the table where there is a TeX."""
    if tex.missing():
        return
    (folder / "main.tex").write_text(f"{PREAMBLE}{table}\\end{{document}}", encoding="utf-8")
    assert tex.typeset(folder / "main.tex") == []
