"""The Export page in a browser: a student leaves as a zip that runs elsewhere; one is cancelled."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.driver import App, serve, settle
from kdcore.data import read_image
from kdcore.models import Checkpoint, list_checkpoints, load_checkpoint
from kdcore.predict import predict_image
from tests.browser.site import overflow, photo, troubles, visit
from tests.conftest import write_tiny_checkpoint

LONG_S = 600_000
NEEDED = ("onnxruntime", "numpy", "pillow")


@pytest.fixture
def student(checkpoints: Path) -> tuple[str, Checkpoint]:
    """The smallest student of the app's checkpoints: its folder's name, and itself."""
    students = [card.name for card in list_checkpoints(checkpoints) if card.role == "student"]
    sizes = {name: (checkpoints / name / "model.safetensors").stat().st_size for name in students}
    name = min(sizes, key=lambda n: sizes[n])
    return name, load_checkpoint(checkpoints / name)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A Python of its own with nothing but what the example needs; skips where none can be had."""
    folder = tmp_path / "fresh"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *NEEDED]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{', '.join(NEEDED)} can't be installed here: {done.stderr.strip()[-300:]}")
    alien = subprocess.run([str(python), "-c", "import torch"], capture_output=True)
    assert alien.returncode != 0, "the environment is not fresh"
    return python


@pytest.mark.slow
def test_a_downloaded_zip_runs_elsewhere(
    app: App,
    new_page: Callable[..., Page],
    student: tuple[str, Checkpoint],
    elsewhere: Path,
    tmp_path: Path,
) -> None:
    name, checkpoint = student
    page = new_page(1280)
    visit(page, f"{app.url}/export?model={name}&format=onnx&precision=float")
    page.get_by_role("button", name="Export and check").click()
    page.get_by_role("progressbar").wait_for()
    page.get_by_role("link", name="Temperature").click()  # the job outlives the page
    expect(page.get_by_role("heading", level=1)).to_have_text("Temperature")
    page.get_by_role("link", name="Export", exact=True).click()
    expect(page.get_by_text("Exported and checked")).to_be_visible(timeout=LONG_S)
    settle(page)
    expect(
        page.get_by_text("Checked against the PyTorch network on 11 drawn samples")
    ).to_be_visible()
    expect(page.get_by_text("import onnxruntime")).to_be_visible()
    assert troubles(page) == [] and overflow(page) == []

    with page.expect_download() as download:
        page.get_by_role("button", name="Zip").click()
    assert download.value.suggested_filename == f"{checkpoint.card.name}-float32-onnx.zip"
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(folder)
    picture = tmp_path / "lesion.jpg"
    picture.write_bytes(photo("bcc", 8))
    command = [str(elsewhere), "-I", str(folder / "example.py"), str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first = done.stdout.split("\t")[0]
    logits = predict_image(checkpoint, read_image(picture).rgb).logits
    assert first == checkpoint.card.classes[int(logits.argmax())]

    phone = new_page(400)
    visit(phone, f"{app.url}/export?model={name}")
    phone.get_by_role("heading", name="How to use it").wait_for()
    assert troubles(phone) == [] and overflow(phone) == []


@pytest.mark.slow
def test_cancel_one_and_an_unwritable_store(
    chrome: Browser, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    write_tiny_checkpoint(tmp_path / "checkpoints" / "small", "student", "cnn2", title="Small")
    state = tmp_path / "state"
    with serve(tmp_path / "checkpoints", state=state) as app:
        page = new_page(1280)
        visit(page, f"{app.url}/export?format=onnx,torchscript,export")
        page.get_by_role("button", name="Export and check").click()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("Cancelled. Nothing was kept.")).to_be_visible(timeout=60_000)
        settle(page)
        expect(page.get_by_text("Nothing is exported of it yet")).to_be_visible()
        assert list((state / "exported").iterdir()) == []

        (state / "exported").rmdir()
        (state / "exported").write_text("in the way")
        page.get_by_role("button", name="Export and check").click()
        expect(page.get_by_text("The exported files can't be kept")).to_be_visible(timeout=60_000)
        assert troubles(page) == []
        assert (state / "exported").read_text() == "in the way"
