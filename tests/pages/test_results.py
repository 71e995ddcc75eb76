"""The Results page: filters, order, pins, cases, the ablation, and what is published."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from kdcore.evaluate import cases
from kdcore.predict import Predictions
from tests.conftest import REPO
from tests.pages.conftest import words

Open = Callable[..., AppTest]
PAGE = "write/results"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILSCOPE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr("pages.ui.measured.RESAMPLES", 20)


def frames(app: AppTest, column: str) -> list[pd.DataFrame]:
    return [f.value for f in app.dataframe if column in f.value.columns]


def table(app: AppTest) -> pd.DataFrame:
    return frames(app, "whose")[0]


def test_everything_is_there_but_what_is_published(open_page: Open) -> None:
    app = open_page(PAGE)
    assert not app.exception and not app.error
    found = table(app)
    assert set(found["whose"]) == {"released", "mean over seeds", "one seed of a sweep"}
    assert {"Tiny teacher", "Tiny student"} <= set(found["model"])
    assert found["macro-F1"][0].count("[") == 1
    heads = [h.value for h in app.subheader]
    assert heads == [
        "Two side by side",
        "The cases behind a number",
        "What each method brings",
        "Published, and ours beside it",
    ]


def test_filters_and_order_come_by_link_and_by_hand(open_page: Open) -> None:
    app = open_page(PAGE, whose="mean", of_data="HAM10000", sorted="macro_f1")
    found = table(app)
    values = [float(v.split()[0]) for v in found["macro-F1"]]
    runs = [
        (file.name, row["student"], row["method"])
        for file in (REPO / "results").glob("ham10000-*-seeds.csv")
        for row in csv.DictReader(file.open(encoding="utf-8"))
    ]
    assert len(values) == len(set(runs)) and values == sorted(values, reverse=True)
    app.segmented_control(key="w:falling").set_value("last").run()
    assert [float(v.split()[0]) for v in table(app)["macro-F1"]] == sorted(values)
    app.text_input(key="w:holds").set_value("attention transfer").run()
    left = table(app)
    assert 0 < len(left) < len(values) and f"{len(left)} of " in words(app)
    assert left["model"].str.lower().str.contains("attention transfer").all()
    app.text_input(key="w:holds").set_value("no such thing").run()
    assert not app.exception and "No result is like this" in words(app)


def test_published_rows_among_others_are_marked_and_warned_of(open_page: Open) -> None:
    app = open_page(PAGE, whose="released,published", of_data="any", sorted="accuracy")
    found = table(app)
    marked = found["whose"].str.startswith("PUBLISHED")
    assert marked.sum() == 26
    assert "no part of a ranking" in words(app)
    assert not marked[found["model"].str.startswith("Tiny")].any()
    assert list(found.columns[:3]) == ["whose", "model", "data"]
    assert "sorted together" in words(app) and "arXiv 2508.15251" in set(found["reference"])


def test_the_data_are_those_of_the_released_models(open_page: Open) -> None:
    app = open_page(PAGE, sorted="macro_f1")
    assert set(table(app)["data"]) == {"HAM10000"} and "sorted together" not in words(app)
    app.selectbox(key="w:of_data").set_value("any").run()
    assert {"HAM10000", "CIFAR-10"} <= set(table(app)["data"])


def test_one_role_by_link_and_several_by_hand(open_page: Open) -> None:
    app = open_page(PAGE, whose="mean,published", of_role="student")
    found = table(app)
    assert set(found["role"]) == {"student"} and "of_role" in dict(app.query_params)
    assert "mobilenet_v2-teacher-144" in set(found["taught by"])
    app.multiselect(key="w:of_role").set_value(["student", "teacher"]).run()
    assert set(table(app)["role"]) == {"student", "teacher"}
    app.multiselect(key="w:of_role").set_value([]).run()
    assert "baseline" in set(table(app)["role"]) and "of_role" not in dict(app.query_params)


def test_two_models_are_paired_by_image(open_page: Open) -> None:
    app = open_page(PAGE)
    said = words(app)
    assert "**Tiny student** less **Tiny teacher**: macro-F1" in said
    assert "compare?models=tiny-teacher%2Ctiny-student" in said
    assert any("relative Δ" in f.value.columns for f in app.dataframe)


def test_two_methods_are_paired_by_seed_and_a_published_one_not_at_all(open_page: Open) -> None:
    app = open_page(PAGE)
    options = {o.split(" · ")[0]: o for o in app.selectbox(key="w:pin_one").options}
    assert len(options) > 50
    keys = "mean:ham10000-methods::{}:0, 1, 2, 3, 4"
    app = open_page(PAGE, pin_one=keys.format("baseline"), pin_other=keys.format("kd"))
    said = words(app).split("seed by seed", 1)[1]
    assert "- macro-F1" in said and ": Against “no teacher”: KD is better (p < 0.05)" in said
    assert "balanced accuracy" in said and "ECE" in said
    app = open_page(
        PAGE, pin_one="model:tiny-teacher",
        pin_other="published:HAM10000 edge study:HAM10000:ResNet-50 teacher:no teacher:224",
    )  # fmt: skip
    assert "One of them is published" in words(app) and "less" not in words(app).split("###")[0]


def test_the_cases_are_those_of_the_cell(open_page: Open, page_checkpoints: Path) -> None:
    app = open_page(PAGE, cases_of="tiny-student", cases_truth="bcc", cases_answer="any")
    predictions = Predictions.load(page_checkpoints / "tiny-student" / "predictions-test.npz")
    expected = predictions.sample_ids[cases(predictions, "bcc")].tolist()
    assert expected and frames(app, "true class")[0]["image"].tolist() == expected


def test_the_ablation_of_the_five_methods(open_page: Open) -> None:
    app = open_page(PAGE, sweep="ham10000-methods")
    found = frames(app, "Δ to no teacher")[-1]
    assert found["method"].tolist()[:5] == [
        "no teacher",
        "KD",
        "KD + alignment",
        "KD + attention transfer",
        "KD + attention transfer + alignment",
    ]
    assert "macro-F1 of resnet18, mean" in found.columns
    said = words(app)
    assert "**KD without a cache**: " in said and "the very image that the student sees" in said
    assert "**Decoupled KD**: " in said and "in two parts" in said
    assert "Holm" in words(app) and "ham10000-methods-seeds.csv" in words(app)


def test_validation_has_no_published_row(open_page: Open) -> None:
    app = open_page(PAGE, results_part="val", whose="published,mean")
    assert not app.exception
    assert set(table(app)["whose"]) == {"mean over seeds"}
    assert "No model among the results has saved predictions" in words(app)


def test_what_cannot_be_read_is_told(
    open_page: Open, page_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "own"
    shutil.copytree(page_checkpoints, root)
    (root / "tiny-student" / "predictions-test.npz").write_bytes(b"no predictions")
    results = tmp_path / "state" / "results"
    results.mkdir(parents=True)
    (results / "mine-seeds.csv").write_text("student,method\n,kd\n")
    app = open_page(PAGE)
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(root))
    app.run()
    said = words(app)
    assert not app.exception
    assert "mine-seeds.csv" in said and "predictions-test.npz" in said


def test_no_model_at_all(open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(PAGE)
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path / "none"))
    app.run()
    assert not app.exception and not app.error
    assert "released" not in set(table(app)["whose"])
