"""The Write pages in a browser: results filtered and exported, a report made and opened."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from benchmarks.driver import App, settle
from tests.browser.site import overflow, troubles, visit
from tests.browser.test_measure import downloaded
from tests.report import pdf
from tests.report.test_latex_paper import parse_paper

MAKE = "Make the report"
MADE_MS = 300_000  # other work may share the cores


@pytest.fixture
def page(checkpoints: Path, new_page: Callable[..., Page]) -> Page:
    """A session, where the checkpoints have saved predictions."""
    if not list(checkpoints.glob("*/predictions-test.npz")):
        pytest.skip("the checkpoints have no saved predictions")
    return new_page()


@pytest.mark.slow
def test_results_are_filtered_and_exported(page: Page, app: App, tmp_path: Path) -> None:
    visit(page, f"{app.url}/results?of_data=HAM10000&sorted=macro_f1")
    text = page.get_by_role("textbox", name="Text")
    text.fill("methods 5 seeds")
    text.press("Enter")
    page.get_by_text(re.compile(r"^7 of \d+ results$")).wait_for()
    settle(page, 120)
    assert "holds=methods" in page.url
    buttons = page.get_by_test_id("stDownloadButton")  # the tables have hidden ones of their own
    table = downloaded(page, buttons.filter(has_text="CSV").first, tmp_path)
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    values = [float(row["macro-F1"]) for row in rows]
    assert len(rows) == 7 and values == sorted(values, reverse=True)
    assert {row["whose"] for row in rows} == {"mean over seeds"}
    assert all(float(r["macro-F1 low"]) < float(r["macro-F1"]) for r in rows)
    latex = downloaded(page, buttons.filter(has_text="LaTeX").first, tmp_path)
    assert len(parse_paper(latex.decode())) == 8
    link = page.get_by_role("link", name="Compare the two").get_attribute("href") or ""
    visit(page, f"{app.url}/{link.rpartition('/')[2]}")
    assert page.get_by_role("heading", name="Two at a time").count() == 1
    assert troubles(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_reaches_past_the_window(
    new_page: Callable[..., Page], app: App, width: int
) -> None:
    page = new_page(width)
    for path in ("results", "report"):
        visit(page, f"{app.url}/{path}")
        page.wait_for_timeout(1500)
        assert troubles(page) == [] and overflow(page) == []


@pytest.mark.slow
def test_a_report_is_cancelled_made_and_downloaded(page: Page, app: App, tmp_path: Path) -> None:
    visit(page, f"{app.url}/report")
    page.get_by_role("button", name=MAKE).click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled. Nothing was kept.").wait_for(timeout=MADE_MS)
    page.get_by_role("button", name=MAKE).click()
    page.get_by_role("button", name="PDF to print").wait_for(timeout=MADE_MS)
    assert troubles(page) == []
    printed = downloaded(page, page.get_by_role("button", name="PDF to print"), tmp_path)
    found = pdf.pages(printed)  # all words lie on their pages
    assert len(found) > 10
    crossed = [pair for words in found for pair in pdf.overlaps(words)]
    assert crossed == []
    said = " ".join(word["text"] for words in found for word in words)
    assert "predictions-test.npz" in said and "python -m kdcore report" in said
    read = downloaded(page, page.get_by_role("button", name="HTML to read"), tmp_path).decode()
    ET.fromstring(read.removeprefix("<!DOCTYPE html>\n"))
    packed = downloaded(page, page.get_by_role("button", name="Zip with"), tmp_path)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = archive.namelist()
        kinds = {name.rpartition(".")[2] for name in names}
        assert kinds == {"tex", "csv", "svg", "pdf", "html"}
        assert len({name.partition("/")[0] for name in names}) == 1
        assert archive.read(next(n for n in names if n.endswith("report.html"))).decode() == read
    assert {path.suffix for path in tmp_path.glob("distilscope-report-*")} == {
        ".pdf",
        ".html",
        ".zip",
    }
