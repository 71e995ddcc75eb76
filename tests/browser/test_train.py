"""Training from the page: a reload, a server's end and a cancel lose nothing; then it explains."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from benchmarks.driver import App, serve, settle
from benchmarks.journeys import CHARTS
from kdcore.distill import Recipe, cancel_run, list_runs, read_run
from kdcore.distill.recipe_file import recipe_toml
from tests.browser.site import overflow, troubles, visit

NewPage = Callable[..., Page]
UPLOAD = '[data-testid="stFileUploader"] input[type="file"]'
# Far longer than the test: it has to be found at work after a server's start.
LONG = Recipe("long", "cnn2", role="baseline", input_size=32, batch_size=16, epochs=100_000)
SHORT = Recipe(
    "short", "cnn2", teachers=("teacher-resnet18",), alpha=0.5, input_size=32, batch_size=16,
    epochs=3, ema=0.9,
)  # fmt: skip

AT_WORK = re.compile(r"Training: epoch \d+ of 100000")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder that outlives servers; whatever still trains in it is stopped."""
    folder = tmp_path / "state"
    yield folder
    for run in list_runs(folder / "runs"):
        if run.status.live:
            cancel_run(run.folder)


def fill_from(page: Page, recipe: Recipe) -> None:
    """Upload a recipe file and see the form take its name."""
    page.get_by_role("button", name="Use a recipe file").click()
    text = recipe_toml(recipe).encode()
    file = {"name": f"{recipe.name}.toml", "mimeType": "text/plain", "buffer": text}
    page.locator(UPLOAD).set_input_files(file)
    expect(page.get_by_label("Name", exact=True)).to_have_value(recipe.name)
    page.keyboard.press("Escape")
    settle(page)


def see(page: Page, text: str | re.Pattern[str]) -> None:
    """Wait until the text is on the page; a process takes seconds to start on a busy machine."""
    expect(page.get_by_text(text).first).to_be_visible(timeout=90_000)


def start(page: Page) -> None:
    page.get_by_role("button", name="Start training").click()
    settle(page)


def press_until_gone(page: Page, name: str) -> None:
    """Answer a question as a person does: press again where a poll moved the button away."""
    button = page.get_by_role("button", name=name)
    button.wait_for()
    for _ in range(3):
        settle(page)
        with suppress(PlaywrightTimeout):
            button.click(timeout=10_000)
            button.wait_for(state="detached", timeout=15_000)
            return
    raise AssertionError(f"The question with {name!r} does not go away.")


def wait_for(folder: Path, states: tuple[str, ...], seconds: float = 120) -> str:
    end = time.monotonic() + seconds
    while (now := read_run(folder).status.state) not in states:
        assert time.monotonic() < end, f"{folder.name} is still {now}"
        time.sleep(0.2)
    return now


@pytest.mark.slow
def test_runs_outlive_browser_and_server(
    chrome: Browser, tiny_checkpoints: Path, ham_folder: Path, state: Path, new_page: NewPage
) -> None:
    long, short = state / "runs/long", state / "runs/short"
    with serve(tiny_checkpoints, ham_folder, state) as app:
        page = new_page()
        visit(page, f"{app.url}/train")
        fill_from(page, LONG)
        start(page)
        see(page, AT_WORK)
        fill_from(page, SHORT)
        start(page)
        see(page, "Queued behind 1 other run")
        before = len(read_run(long).history)
        page.reload()
        settle(page)
        see(page, AT_WORK)
        see(page, "Queued behind 1 other run")
        assert troubles(page) == []
        page.context.close()

    with serve(tiny_checkpoints, ham_folder, state) as app:
        assert read_run(long).status.live, "a run outlives the server that started it"
        page = new_page()
        visit(page, f"{app.url}/train")
        see(page, AT_WORK)
        expect(page.locator(CHARTS).first).to_be_visible(timeout=60_000)
        assert len(read_run(long).history) > before
        page.get_by_role("button", name="Cancel").first.click()
        press_until_gone(page, "Yes, stop it")
        assert wait_for(long, ("cancelled",)) == "cancelled"
        assert wait_for(short, ("done", "failed", "interrupted")) == "done"
        see(page, "Done after 3 epochs")
        settle(page)
        assert troubles(page) == []
        assert overflow(page) == []

        page.get_by_role("link", name="See it on the Runs page").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Runs and checkpoints")
        settle(page)
        assert "runs=short" in page.url
        see(page, "Done after 3 epochs")
        page.locator('[data-testid="stSidebarNavLink"]').filter(has_text="Train").click()
        see(page, "Done after 3 epochs")
        page.get_by_role("link", name="Explain a lesion with it").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Explain a lesion")
        settle(page, 120)
        assert "student=short" in page.url
        page.get_by_role("button", name="Explain", exact=True).click()
        expect(page.get_by_role("button", name="Maps and manifest")).to_be_visible(timeout=300_000)
        assert troubles(page) == []


@pytest.fixture(scope="module")
def train_app(chrome: Browser, tiny_checkpoints: Path, ham_folder: Path) -> Iterator[App]:
    """A server with a small HAM10000 and no runs."""
    with serve(tiny_checkpoints, ham_folder) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("path", ["train", "runs"])
def test_with_everything_open_nothing_overflows(
    train_app: App, new_page: NewPage, path: str, width: int
) -> None:
    page = new_page(width)
    visit(page, f"{train_app.url}/{path}")
    for box in page.locator('[data-testid="stExpander"] summary').all():
        box.click()
    settle(page)
    assert troubles(page) == []
    assert overflow(page) == []
