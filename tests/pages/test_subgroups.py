"""Subgroups and operating points: every view, the link, and predictions that lack something."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from kdcore.data import HAM10000
from kdcore.models import Card, build_model, save_checkpoint
from kdcore.predict import Predictions
from kdcore.predict.foreign import NOTES
from kdcore.predict.shelf import foreign_folder
from tests.evaluate.makers import CLASSES, make_predictions
from tests.pages.conftest import words

Open = Callable[..., AppTest]
PAGE = "measure/subgroups"
POINTS = ("alarm", "benefit", "rejection", "weights", "sets")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A teacher and a student with predictions on validation and test, and whose images."""
    root = tmp_path_factory.mktemp("shelf")
    for seed, role in enumerate(("teacher", "student")):
        card = Card(
            name=f"tiny-{role}",
            title=f"Tiny {role}",
            role=role,
            architecture="cnn2",
            classes=CLASSES,
            input_size=32,
            mean=HAM10000.mean,
            std=HAM10000.std,
        )
        card = save_checkpoint(root / card.name, build_model("cnn2", 7), card)
        for part in ("val", "test"):
            found = _predictions(seed, card.name, card.weights_sha256, part)
            found.save(root / card.name / f"predictions-{part}.npz")
    return root


def _predictions(seed: int, name: str, weights: str, part: str) -> Predictions:
    made = make_predictions(
        200, seed=seed, split=part, checkpoint=name, checkpoint_hash=weights, signal=1.5
    )
    ages = np.array(["30-39"] * 90 + ["40-49"] * 90 + [""] * 20)
    return replace(made, attributes={"sex": np.tile(["female", "male"], 100), "age": ages})


@pytest.fixture
def own(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shelf that a test may change."""
    return shutil.copytree(shelf, tmp_path / "own")


@pytest.fixture
def visit(open_page: Open, own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Open:
    """`visit(point="sets")`: a session on the page by a link, with few resamples."""
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(own))
    monkeypatch.setenv("DISTILSCOPE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr("pages.ui.measured.RESAMPLES", 40)
    return lambda **link: open_page(PAGE, **link)


def _clean(app: AppTest) -> str:
    assert not app.exception
    assert not app.error
    return words(app)


def _link(app: AppTest, name: str) -> str:
    value = app.query_params[name]
    return value[0] if isinstance(value, list) else value


@pytest.mark.parametrize("point", POINTS)
def test_every_view_speaks_of_the_models(visit: Open, point: str) -> None:
    said = _clean(visit(point=point))
    assert "Subgroups" in said
    assert said.count("Tiny teacher") >= 2  # of groups, and of the operating point
    assert "Test part, n = 200 images of 140 lesions" in said
    assert "Intervals: 95 % percentile bootstrap of 40 resamples" in said


def test_the_link_holds_what_was_chosen(visit: Open) -> None:
    app = visit(by="age", score="auc", point="alarm", rule="youden", positive="bcc")
    assert app.selectbox(key="w:by").value == "age"
    assert app.selectbox(key="w:score").value == "auc"
    assert "basal cell carcinoma" in _clean(app)
    app.selectbox(key="w:rule").set_value("80").run()
    assert _link(app, "rule") == "80"
    app.selectbox(key="w:focus").set_value("tiny-student").run()
    assert "**Tiny student:** Of 100 images of **basal cell carcinoma**" in _clean(app)
    assert _link(app, "focus") == "tiny-student"


def test_gaps_of_two_models_are_compared_not_their_intervals(visit: Open, own: Path) -> None:
    assert "Their gaps can't be compared" in _clean(visit(by="sex", score="accuracy"))
    first, second = (own / f"tiny-{r}" / "predictions-test.npz" for r in ("teacher", "student"))
    of = Predictions.load(second)
    kept = {name: getattr(of, name) for name in ("logits", "checkpoint", "checkpoint_hash")}
    replace(Predictions.load(first), **kept).save(second)
    app = visit(by="sex", score="accuracy")
    said = _clean(app)
    assert "does not show that the two differ" in said
    assert "**Tiny student** less **Tiny teacher:**" in said
    frame = next(f.value for f in app.dataframe if "difference of the gaps" in f.value.columns)
    assert list(frame["sex"]) == ["female", "male"]
    app.selectbox(key="w:gap_of").set_value("tiny-teacher").run()
    assert "Choose two models." in _clean(app)
    assert _link(app, "gap_of") == "tiny-teacher"
    assert "needs another score" in _clean(visit(by="sex", score="ece"))
    alone = _clean(visit(by="sex", score="accuracy", models="tiny-student"))
    assert "does not show that the two differ" not in alone


def test_classes_of_few_images_are_warned_of(visit: Open) -> None:
    said = _clean(visit(by="age", score="macro_f1"))
    assert "count in full there" in said
    assert "count in full there" not in _clean(visit(by="age", score="accuracy"))


def test_nonsense_in_the_link_falls_back(visit: Open) -> None:
    app = visit(
        by="x", score="x", point="x", rule="x", positive="x", level="x", focus="x", act="nan"
    )
    _clean(app)
    assert _link(app, "point") == "alarm"
    assert _link(app, "positive") == "mel"


def test_a_slider_moves_the_sentence(visit: Open) -> None:
    app = visit(point="benefit")
    assert "probability of 20 %" in _clean(app)
    app.slider(key="w:act").set_value(0.5).run()
    assert "probability of 50 % on says that one melanoma found is worth 1 false" in _clean(app)
    assert _link(app, "act") == "0.5"


def test_without_attributes_the_page_says_how_to_get_them(visit: Open, own: Path) -> None:
    for path in own.glob("*/predictions-*.npz"):
        replace(Predictions.load(path), attributes={}).save(path)
    app = visit()
    said = _clean(app)
    assert "python -m kdcore predict" in app.info[0].value
    assert "it raises the alarm for" in said


def test_one_model_without_attributes_is_left_out_of_the_groups(visit: Open, own: Path) -> None:
    path = own / "tiny-student" / "predictions-test.npz"
    replace(Predictions.load(path), attributes={}).save(path)
    assert "Tiny student is left out: its predictions have no such attribute" in _clean(visit())


@pytest.mark.parametrize("point", ["weights", "benefit"])
def test_a_model_without_validation_is_named(visit: Open, own: Path, point: str) -> None:
    (own / "tiny-student" / "predictions-val.npz").unlink()
    said = _clean(visit(point=point))
    needed = "Tiny student has no saved predictions on the validation part"
    assert (needed in said) == (point != "benefit")


def test_no_model_with_validation(visit: Open, own: Path) -> None:
    for path in own.glob("*/predictions-val.npz"):
        path.unlink()
    app = visit(point="sets")
    assert "Tiny teacher has no saved predictions on the validation part" in _clean(app)


def test_a_broken_file_is_said_once_and_the_other_model_is_shown(visit: Open, own: Path) -> None:
    (own / "tiny-student" / "predictions-test.npz").write_bytes(b"no predictions")
    app = visit()
    assert not app.exception
    assert len(app.error) == 1
    assert "**Tiny teacher:** Of 100 images" in words(app)


def test_predictions_from_elsewhere(visit: Open) -> None:
    folder = foreign_folder()
    folder.mkdir(parents=True)
    for index, part in enumerate(("val", "test")):  # each has the hash of its own file
        made = _predictions(5, "theirs", str(index) * 64, part)
        replace(made, meta={NOTES: ""}).save(folder / f"theirs-{part}.npz")
    said = _clean(visit(point="sets", models="theirs"))
    assert "theirs" in said
    assert "200 images" in said


def test_classes_of_another_data_set(visit: Open, own: Path) -> None:
    folder = foreign_folder()
    folder.mkdir(parents=True)
    animals = ("bird", "cat", "deer", "dog", "frog", "horse", "ship")
    for part in ("val", "test"):
        made = replace(_predictions(5, "animals", "1" * 64, part), classes=animals)
        made.save(folder / f"animals-{part}.npz")
    app = visit(models="animals,tiny-teacher", focus="animals", by="sex", score="recall")
    said = _clean(app)
    assert "**animals:** Of 100 images of **bird**" in said
    assert "Tiny teacher is left out here: it tells other classes apart" in said
    assert "animals is left out: its predictions have no such attribute or score" in said
    alone = visit(models="animals", score="recall")
    _clean(alone)
    assert alone.selectbox(key="w:score").value == "macro_f1"


def test_a_single_model_needs_no_focus(visit: Open) -> None:
    app = visit(models="tiny-student")
    assert "**Tiny student:** Of 100 images" in _clean(app)
    assert not [box for box in app.selectbox if box.key == "w:focus"]
