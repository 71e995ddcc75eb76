"""What a person does on the See pages, as steps that a test and a benchmark share."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page, expect

from benchmarks.driver import settle

UPLOAD = '[data-testid="stFileUploader"] input[type="file"]'
CHARTS = '[data-testid="stVegaLiteChart"] :is(canvas, svg.marks)'
# Resolves with the seconds from the script's start to its end, as the browser sees them. A run of
# a few hundredths of a second may pass between two of its looks: then the last change of the page
# counts, from the asking on.
RERUN = """() => new Promise((resolve, reject) => {
  const app = document.querySelector('[data-testid="stApp"]');
  const main = document.querySelector('[data-testid="stMain"]');
  const asked = performance.now();
  let begin = null, changed = null;
  const end = (from) => {
    watch.disconnect();
    clearInterval(timer);
    resolve((changed - from) / 1000);
  };
  const watch = new MutationObserver(() => {
    changed = performance.now();
    const state = app.getAttribute('data-test-script-state');
    if (state === 'running') begin ??= changed;
    else if (state === 'notRunning' && begin !== null) end(begin);
  });
  watch.observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
  watch.observe(main, {childList: true, characterData: true, attributes: true, subtree: true});
  const timer = setInterval(() => {
    const now = performance.now();
    if (begin === null && changed !== null && now - changed > 2000) end(asked);
    else if (now - asked > 60000) {
      watch.disconnect();
      clearInterval(timer);
      reject(new Error('no rerun within 60 s'));
    }
  }, 50);
})"""


def open_upload(page: Page, url: str, more: str = "") -> None:
    """Open the Explain page with its uploader, `more` in its link, and wait until it is usable."""
    page.goto(f"{url}/explain?source=upload{more}")
    page.wait_for_selector(UPLOAD, state="attached", timeout=120_000)
    settle(page, 120)


def open_stack(page: Page, url: str) -> None:
    """Open the Corrupt page on a drawn sample, add a second corruption and wait for answers."""
    page.goto(f"{url}/corrupt?stack=gaussian_noise-2")
    page.get_by_role("button", name="Add another").click(timeout=120_000)
    expect(page.get_by_role("slider", name="Severity")).to_have_count(2, timeout=60_000)
    settle(page, 120)


def upload(page: Page, name: str, data: bytes) -> None:
    """Give the browser a file to upload."""
    file = {"name": name, "mimeType": "image/jpeg", "buffer": data}
    page.locator(UPLOAD).set_input_files(file)


def upload_to_charts(page: Page, name: str, data: bytes) -> float:
    """Upload the session's first photo; return the seconds until both charts are drawn."""
    begin = time.perf_counter()
    upload(page, name, data)
    expect(page.locator(CHARTS).nth(1)).to_be_visible(timeout=120_000)
    return time.perf_counter() - begin


def move_slider(page: Page, label: str, key: str = "ArrowRight", place: int = 0) -> float:
    """Press a key on the slider of a name (of several, the one at `place`), and wait.

    Returns the seconds that the rerun took, start to end.
    """
    slider = page.get_by_role("slider", name=re.compile(label)).nth(place)
    slider.focus()
    watch = page.evaluate_handle(f"() => ({{ rerun: ({RERUN})() }})")
    slider.press(key)
    return float(watch.evaluate("async (watch) => await watch.rerun"))
