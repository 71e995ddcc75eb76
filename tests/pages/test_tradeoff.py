"""The Trade-off page: shipped and kept times, the question, links, and broken or missing files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from kdcore.deploy.latency_store import keep_benchmark
from kdcore.models import read_card
from kdcore.predict import Predictions
from kdcore.report.efficiency_files import predictions_file, write_efficiency
from pages.ui import tradeoff_read
from tests.deploy.fakes import benchmark
from tests.deploy.makers import efficiency, model, times
from tests.pages.conftest import words

Open = Callable[..., AppTest]
PAGE = "measure/tradeoff"


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the page takes for the shipped results, still empty."""
    monkeypatch.setattr(tradeoff_read, "folder", lambda: tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture
def shipped(results: Path, page_checkpoints: Path) -> Path:
    """A record of the two tiny checkpoints, with predictions of INT8 on test."""
    models, kept = [], {}
    for name in ("tiny-teacher", "tiny-student"):
        card = read_card(page_checkpoints / name)
        models.append(model(name, card.weights_sha256, title=card.title, role=card.role))
        own = Predictions.load(page_checkpoints / name / "predictions-test.npz")
        kept[predictions_file(name, "int8", "test")] = own
        kept[predictions_file(name, "int8", "val")] = own
    write_efficiency(results, efficiency(tuple(models)), kept)
    return results


def subheaders(app: AppTest) -> list[str]:
    return [element.value for element in app.subheader]


def test_without_any_times(open_page: Open, results: Path) -> None:
    app = open_page(PAGE)
    assert not app.exception and not app.error
    assert "No times are there yet" in words(app)


def test_the_question_is_answered(open_page: Open, shipped: Path) -> None:
    app = open_page(PAGE)
    assert not app.exception and not app.error
    assert subheaders(app) == [
        "What is best under these limits?",
        "Quality against cost",
        "All numbers",
    ]
    assert app.success[0].value.startswith("Under 5 ms and 10 MB, **Tiny")
    assert "Which form of each model is recommended" in [e.label for e in app.expander]
    app.number_input(key="w:ms").set_value(0.2).run()
    assert not app.exception
    assert "Nothing fits under 0.2 ms and 10 MB" in app.warning[0].value
    assert "The fastest and smallest is Tiny teacher" in app.warning[0].value
    assert app.query_params["ms"] in ("0.2", ["0.2"])


def test_other_measures_models_and_forms(open_page: Open, shipped: Path) -> None:
    app = open_page(PAGE)
    for name, value in (("quality", "ece"), ("cost", "macs"), ("bubble", "memory")):
        app.selectbox(key=f"w:{name}").set_value(value)
    app.multiselect(key="w:weighed").set_value(["tiny-student"])
    app.multiselect(key="w:forms").set_value(["eager", "int8"]).run()
    assert not app.exception and not app.error
    table = next(f.value for f in app.dataframe)
    assert table["artefact"].tolist() == ["PyTorch eager", "ONNX Runtime INT8"]
    assert "calibration error (ECE)" in table.columns
    app.multiselect(key="w:forms").set_value([]).run()
    assert not app.exception and "at least one model and one form" in words(app)


def test_a_link_and_nonsense(open_page: Open, shipped: Path) -> None:
    app = open_page(PAGE, quality="mel", cost="size", ms="40", mb="3", weighed="tiny-student")
    assert app.selectbox(key="w:quality").value == "mel"
    assert "Under 40 ms and 3 MB" in words(app)
    odd = open_page(PAGE, quality="x", cost="y", ms="nan", mb="-7", weighed="z", times="gone")
    assert not odd.exception and not odd.error
    assert odd.number_input(key="w:ms").value == 5 and odd.number_input(key="w:mb").value == 0.01


def test_quality_that_is_not_known_here(open_page: Open, shipped: Path) -> None:
    app = open_page(PAGE, quality="corrupted")
    assert not app.exception and not app.error
    assert "No model here has a known balanced accuracy under corruption" in words(app)
    assert "choose another quality" in words(app)


def test_times_kept_here(open_page: Open, results: Path, page_checkpoints: Path) -> None:
    card = read_card(page_checkpoints / "tiny-student")
    own = model("tiny-student", card.weights_sha256, title=card.title)
    keep_benchmark(times((own,)))
    strange = keep_benchmark(benchmark(date="2020-01-01T00:00:00+00:00"))
    app = open_page(PAGE)
    assert not app.exception and not app.error
    assert "only **Tiny student · PyTorch eager** fits" in words(app).replace("\\", "") or (
        "Nothing fits" in words(app)
    )
    table = next(f.value for f in app.dataframe)
    assert len(table) == 3 and set(table["model"]) == {"Tiny student"}
    app.selectbox(key="w:times").set_value(strange.name).run()
    assert not app.exception and "is no checkpoint here" in words(app)


def test_a_broken_record(open_page: Open, results: Path) -> None:
    results.mkdir()
    (results / "efficiency.json").write_text("{")
    app = open_page(PAGE)
    assert not app.exception
    assert "efficiency.json is not JSON" in app.error[0].value


def test_broken_predictions_are_told(open_page: Open, shipped: Path) -> None:
    for path in (shipped / "efficiency").glob("*-test.npz"):
        path.write_bytes(b"no zip")
    app = open_page(PAGE)
    assert not app.exception
    assert "can't be read as saved predictions" in app.error[0].value
    assert app.success


def test_predictions_of_other_weights_are_refused(
    open_page: Open, shipped: Path, page_checkpoints: Path
) -> None:
    other = Predictions.load(page_checkpoints / "tiny-teacher" / "predictions-test.npz")
    other.save(shipped / predictions_file("tiny-student", "int8", "test"))
    app = open_page(PAGE)
    assert not app.exception
    assert "predictions of other weights" in app.error[0].value


def test_a_busy_machine_is_told(open_page: Open, results: Path, page_checkpoints: Path) -> None:
    kept: Any = keep_benchmark(benchmark(others=1.4))
    app = open_page(PAGE, times=kept.name)
    assert not app.exception and "is no checkpoint here" in words(app)
