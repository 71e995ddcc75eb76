"""AppTest over the pages, with two networks of random weights in a folder of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from kdcore.base import seed_everything
from kdcore.data import HAM10000
from kdcore.models import Card, build_model, save_checkpoint
from kdcore.predict import Predictions
from tests.conftest import REPO

SIZE = 32


@pytest.fixture(scope="session")
def page_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A teacher and a student of two convolutions, with saved test predictions."""
    root = tmp_path_factory.mktemp("page-checkpoints")
    for seed, role in enumerate(("teacher", "student")):
        card = Card(
            name=f"tiny-{role}",
            title=f"Tiny {role}",
            role=role,
            architecture="cnn2",
            classes=HAM10000.classes,
            input_size=SIZE,
            mean=HAM10000.mean,
            std=HAM10000.std,
        )
        folder = root / card.name
        seed_everything(seed + 1)  # not the 0 that a test's own networks begin with
        card = save_checkpoint(folder, build_model("cnn2", len(card.classes)), card)
        _predictions(seed, card).save(folder / "predictions-test.npz")
    return root


def _predictions(seed: int, card: Card) -> Predictions:
    labels = np.repeat(np.arange(6), 5)  # the last class has no image
    logits = np.random.default_rng(seed).normal(size=(len(labels), 7)).astype(np.float32)
    names = np.array([f"ISIC_{i}" for i in range(len(labels))])
    return Predictions(
        logits=logits,
        labels=labels,
        sample_ids=names,
        group_ids=names,
        classes=card.classes,
        split="test",
        checkpoint_hash=card.weights_sha256,
        checkpoint=card.name,
    )


@pytest.fixture
def open_page(page_checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """`open_page("see/explain", T="6.0")`: a session on a page, by a link with parameters."""
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(page_checkpoints))
    monkeypatch.delenv("DISTILSCOPE_DATA", raising=False)
    monkeypatch.setattr("pages.ui.touring._SEEDS", 1)  # eight drawings of each class take seconds
    st.cache_resource.clear()

    def make(page: str, **link: str) -> AppTest:
        app = AppTest.from_file(str(REPO / "pages" / f"{page}.py"), default_timeout=120)
        for name, value in link.items():
            app.query_params[name] = value
        return app.run()

    return make


@pytest.fixture
def broken(page_checkpoints: Path, tmp_path: Path) -> Path:
    """The same folder with a third checkpoint whose card can't be read."""
    for folder in page_checkpoints.iterdir():
        (tmp_path / folder.name).symlink_to(folder)
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "card.json").write_text("{")
    return tmp_path


def words(app: AppTest) -> str:
    """Everything that the page says, in one string."""
    kinds = ("title", "markdown", "caption", "info", "warning", "error", "success", "subheader")
    return "\n".join(element.value for kind in kinds for element in getattr(app, kind))


def ended(app: AppTest, state: str = "") -> AppTest:
    """Wait for the app's job, which ends in `state` if one is named, and run the page again."""
    job = app.session_state["job"]
    for _ in range(600):
        if job.over:
            break
        time.sleep(0.05)
    assert job.over and job.state == (state or job.state), job.error
    return app.run()
