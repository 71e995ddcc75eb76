"""The Calibration page: what is always in the table, what is said, and what can't be fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from kdcore.models import Card, write_card
from kdcore.predict import Predictions
from kdcore.predict.foreign import NOTES
from kdcore.predict.shelf import baseline_of, foreign_folder, list_measured
from kdcore.report.calibration import ece_intervals_text
from tests.conftest import REPO
from tests.evaluate.makers import CLASSES, make_predictions
from tests.pages.conftest import words

MEAN = STD = (0.5, 0.5, 0.5)
NO_KD = "Student with temperature scaling, no KD"
Open = Callable[..., AppTest]


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A teacher, a student, and baselines of its network and of another; a state of its own."""
    root = tmp_path / "checkpoints"
    for variable, folder in (
        ("CHECKPOINTS", root),
        ("STATE", tmp_path / "state"),
    ):
        monkeypatch.setenv(f"DISTILSCOPE_{variable}", str(folder))
    monkeypatch.delenv("DISTILSCOPE_DATA", raising=False)
    for seed, (name, role, network) in enumerate(
        [
            ("big", "teacher", "resnet18"),
            ("small", "student", "mobilenet_v2"),
            ("alone", "baseline", "mobilenet_v2"),
            ("other", "baseline", "resnet18"),
        ]
    ):
        _save(root / name, name, role, network, seed)
    st.cache_resource.clear()
    return root


def _save(folder: Path, name: str, role: str, network: str, seed: int) -> None:
    digest = f"{seed:064x}"
    folder.mkdir(parents=True)
    card = Card(name, role, network, CLASSES, 32, MEAN, STD, name.title(), weights_sha256=digest)
    write_card(folder, card)
    known = {"checkpoint_hash": digest, "checkpoint": name}
    for part, n in (("val", 120), ("test", 150)):
        made = make_predictions(n, seed=9, signal=1.0, split=part, **known)
        noise = make_predictions(n, seed=seed).logits
        replace(made, logits=made.logits * 2 + noise).save(folder / f"predictions-{part}.npz")


def opened(**link: str) -> AppTest:
    page = str(REPO / "pages" / "measure" / "calibration.py")
    app = AppTest.from_file(page, default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    return app.run()


def rows_of(app: AppTest) -> list[tuple[str, str]]:
    frame = next(f.value for f in app.dataframe if "what" in f.value.columns)
    return list(zip(frame["what"], frame["model"]))


def test_the_page_and_what_its_link_keeps(shelf: Path) -> None:
    app = opened(bins="5", binning="mass", calibration="vector", measure="nll", right="alone")
    assert not app.exception
    assert not app.error
    assert "in 5 bins of equally many images" in words(app)
    assert "**Big**, vector scaling" in words(app)
    assert "**Alone**, vector scaling" in words(app)
    assert len(app.get("vega_lite_chart")) == 6
    assert len(rows_of(app)) == 3 * 4
    for name, value in (("bins", "5"), ("binning", "mass"), ("measure", "nll"), ("class", "mel")):
        assert app.query_params[name] in (value, [value])
    app.selectbox(key="w:right").set_value("none").run()
    assert not app.exception
    assert len(app.get("vega_lite_chart")) == 4
    app.selectbox(key="w:class").set_value("nv").run()
    assert "for nv against the rest" in words(app)


@pytest.mark.parametrize("models", ["small", "big", "big,small"])
def test_the_scaled_student_without_kd_is_always_there(shelf: Path, models: str) -> None:
    app = opened(models=models)
    assert not app.exception
    assert (NO_KD, "Alone") in rows_of(app)
    assert "is always here" in words(app)
    answered = "KD alone against temperature scaling alone" in words(app)
    assert answered is ("small" in models)
    assert ("KD against no KD, both as trained" in words(app)) is answered
    told = " ".join(e.markdown[0].value for e in app.expander if "measures" in e.label)
    assert "bias-shifted bootstrap interval" in told and ece_intervals_text() in told
    assert ("Choose a student" in words(app)) is not answered


def test_a_model_without_validation_is_shown_as_trained(shelf: Path) -> None:
    (shelf / "small" / "predictions-val.npz").unlink()
    app = opened(calibration="temperature")
    assert not app.exception
    assert "Small has no validation predictions" in words(app)
    assert [what for what, model in rows_of(app) if model == "Small"] == ["Student as trained, KD"]
    assert "**Small**, as trained" in words(app)
    assert "**Big**, temperature scaling" in words(app)
    (shelf / "alone" / "predictions-val.npz").unlink()
    app = opened()
    assert not app.exception
    assert "to fit a temperature on" in words(app)


def test_broken_predictions_are_told(shelf: Path) -> None:
    (shelf / "small" / "predictions-test.npz").write_bytes(b"nothing")
    (shelf / "big" / "predictions-val.npz").write_bytes(b"nothing")
    app = opened(models="big,small,alone")
    assert not app.exception
    assert len(app.error) == 2
    assert "Big is shown as trained only" in words(app)
    assert {model for _, model in rows_of(app)} == {"Big", "Alone"}
    app = opened(models="small", left="nonsense", bins="7")
    assert not app.exception
    assert {model for _, model in rows_of(app)} == {"Alone"}


def test_imported_predictions_of_other_and_few_images(shelf: Path) -> None:
    for part, seed in (("val", 1), ("test", 2)):
        made = make_predictions(30, seed=seed, split=part, meta={NOTES: ""})
        made = replace(made, checkpoint_hash=str(seed) * 64, checkpoint="theirs")
        foreign_folder().mkdir(parents=True, exist_ok=True)
        made.save(foreign_folder() / f"theirs-{part}.npz")
    app = opened(models="theirs,small")
    assert not app.exception
    assert "Only 30 images" in words(app)
    assert "measured on different images" in words(app)
    assert ("Imported model with temperature scaling", "theirs") in rows_of(app)


def test_of_other_classes(shelf: Path) -> None:
    foreign_folder().mkdir(parents=True)
    made = make_predictions(40, classes=tuple("abcdefg"))
    made.save(foreign_folder() / "letters-test.npz")
    app = opened(models="small,letters")
    assert not app.exception
    assert "letters has no validation predictions" in words(app)
    assert "does not know the class mel" in words(app)


def test_no_image_at_all(shelf: Path) -> None:
    path = shelf / "big" / "predictions-test.npz"
    full = Predictions.load(path)
    none = replace(
        full,
        **{k: getattr(full, k)[:0] for k in ("logits", "labels", "sample_ids", "group_ids")},
    )
    none.save(path)
    app = opened()
    assert not app.exception
    assert "There are no images" in words(app)


def test_nothing_to_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("CHECKPOINTS", "STATE"):
        monkeypatch.setenv(f"DISTILSCOPE_{variable}", str(tmp_path / variable))
    app = opened()
    assert not app.exception
    assert "python -m kdcore predict" in app.info[0].value


def test_the_baseline_of_a_student(shelf: Path) -> None:
    found = {m.name: m for m in list_measured()[0]}
    assert baseline_of(found["small"], found.values()) is found["alone"]
    assert baseline_of(found["big"], found.values()) is found["other"]
    assert baseline_of(found["small"], [found["other"]]) is found["other"]
    assert baseline_of(None, [found["small"]]) is None
    assert baseline_of(None, [found["other"], found["alone"]]) is found["other"]
