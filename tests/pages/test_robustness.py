"""The Robustness page: tables that are there, broken or not, and one computed from the page."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from kdcore.base import state_folder
from kdcore.evaluate.bootstrap import mean_interval
from kdcore.evaluate.robustness import MapCell, robustness
from kdcore.models import read_card
from kdcore.report.robustness_files import read_robustness, write_robustness
from pages.ui import robust
from tests.evaluate.test_robustness import make_grid
from tests.pages.conftest import words

Open = Callable[..., AppTest]
PAGE = "measure/robustness"


@pytest.fixture
def only_own(monkeypatch: pytest.MonkeyPatch) -> Path:
    """No shipped table; the folder of one's own."""
    monkeypatch.setattr(robust, "_SOURCES", {"own": "Computed here"})
    return state_folder() / "results"


def test_without_a_table_and_data(open_page: Open, only_own: Path) -> None:
    app = open_page(PAGE)
    assert not app.exception and not app.error
    assert "No robustness table" in words(app) and "Data page" in words(app)


def test_a_table_and_its_views(open_page: Open, only_own: Path) -> None:
    found = robustness(make_grid(60), teacher="teacher", n_boot=20)
    write_robustness(only_own, found, 12.0)
    app = open_page(PAGE, measure="flips", corruption="hair")
    assert not app.exception and not app.error
    assert words(app).count("balanced error") >= 2 and "n = 60 images" in words(app)
    assert app.selectbox(key="w:corruption").value == "hair"
    assert "same place" not in words(app)  # there are no maps
    app.multiselect(key="w:grid_models").set_value(["student"]).run()
    assert app.query_params["grid_models"] == "student" and not app.exception


def test_weights_of_another_training_are_told(
    open_page: Open, only_own: Path, page_checkpoints: Path
) -> None:
    found = robustness(make_grid(60), teacher="teacher", n_boot=0)
    name, now = "tiny-student", read_card(page_checkpoints / "tiny-student").weights_sha256
    cells = {
        key: tuple(replace(c, model=name) if c.model == "student" else c for c in cells)
        for key, cells in (("cells", found.cells), ("means", found.means))
    }
    for weights, told in ((now, 0), ("1" * 64, 1)):
        write_robustness(only_own, replace(found, **cells, weights={name: weights}), 1.0)
        app = open_page(PAGE)
        assert not app.exception and len(app.warning) == told
    assert "**Tiny student** has been trained anew" in app.warning[0].value


def test_maps_are_drawn_where_they_are(open_page: Open, only_own: Path) -> None:
    found = robustness(make_grid(60), teacher="teacher", n_boot=0)
    r = mean_interval([0.5, 0.9], ["a", "b"])
    with_maps = found.__class__(
        **{**vars(found), "maps": (MapCell("student", "jpeg", r, 2),), "map_method": "grad-cam"}
    )
    write_robustness(only_own, with_maps, 1.0)
    assert read_robustness(only_own) is not None
    said = words(open_page(PAGE, measure="ece"))
    assert "same place" in said and "Test part, n = 2 pictures." in said
    assert "ECE (15 equal-width bins); severity 0 is clean." in said


def test_a_broken_table(open_page: Open, only_own: Path) -> None:
    only_own.mkdir(parents=True)
    (only_own / "robustness.json").write_text("{")
    app = open_page(PAGE)
    assert not app.exception and "can't be read" in app.error[0].value


def test_a_model_with_validation_predictions_alone_can_be_computed(
    open_page: Open,
    only_own: Path,
    ham_folder: Path,
    page_checkpoints: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = shutil.copytree(page_checkpoints, tmp_path / "own")
    for path in own.glob("*/predictions-test.npz"):
        path.rename(path.with_name("predictions-val.npz"))
    monkeypatch.setenv("DISTILSCOPE_DATA", str(ham_folder))
    app = open_page(PAGE)
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(own))
    monkeypatch.setenv("DISTILSCOPE_DATA", str(ham_folder))
    app.run()
    assert not app.exception and not app.error
    assert app.button(key="w:grid").label == "Compute"


def test_computing_one(
    open_page: Open, only_own: Path, ham_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(PAGE)
    monkeypatch.setenv("DISTILSCOPE_DATA", str(ham_folder))
    app.run()
    app.multiselect(key="w:compute_corruptions").set_value(["jpeg"]).run()
    app.button(key="w:grid").click().run()
    job = app.session_state["job"]
    for _ in range(600):
        if job.over:
            break
        time.sleep(0.1)
    assert job.state == "done", job.error
    app.run()
    assert "Computed in" in words(app) and not app.exception
    table = read_robustness(only_own)
    assert table is not None and table.models == ("tiny-teacher", "tiny-student")
    assert {c.corruption for c in table.means} == {"clean", "jpeg", "all"}
