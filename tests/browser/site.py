"""The app's pages as a browser meets them, and what is wrong on a page if anything is."""

from __future__ import annotations

import io

from playwright.sync_api import Page

from benchmarks.driver import ERROR, settle
from kdcore.data import draw_lesion

PAGES = {
    "": "DistilScope",
    "demo": "Guided demo",
    "explain": "Explain a lesion",
    "temperature": "Temperature",
    "attention": "Attention and causal masks",
    "corrupt": "Corrupt it",
    "reader-study": "Reader study",
    "compare": "Compare",
    "calibration": "Calibration",
    "robustness": "Robustness",
    "latency": "Latency",
    "tradeoff": "Trade-off",
    "subgroups": "Subgroups and operating points",
    "explanations": "Explanations",
    "data": "Data",
    "train": "Train",
    "export": "Export",
    "runs": "Runs and checkpoints",
    "results": "Results",
    "report": "Report",
}
NOT_FOUND = "Page not found"


def photo(dx: str, seed: int) -> bytes:
    """Return a drawn lesion as a JPEG."""
    buffer = io.BytesIO()
    draw_lesion(dx, seed).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def visit(page: Page, url: str) -> None:
    """Open an address and wait until its page is complete."""
    page.goto(url)
    page.get_by_role("heading", level=1).first.wait_for(timeout=120_000)
    settle(page, 120)


def troubles(page: Page) -> list[str]:
    """Return the texts of exceptions and of Streamlit's not-found message on the page."""
    found = page.locator(ERROR).all_inner_texts()
    return found + page.get_by_text(NOT_FOUND).all_inner_texts()


def overflow(page: Page) -> list[str]:
    """Return what reaches past the right edge of the window, empty where nothing does."""
    return page.evaluate(
        """() => {
          const wide = window.innerWidth + 1;
          const main = document.querySelector('[data-testid="stMain"]');
          const fits = document.documentElement.scrollWidth <= wide;
          if (fits && main.scrollWidth <= main.clientWidth + 1)
            return [];
          return [...main.querySelectorAll('*')]
            .filter(e => e.getBoundingClientRect().right > wide)
            .map(e => `${e.tagName} ${e.dataset.testid || e.className}`).slice(0, 8);
        }"""
    )
