"""Where results come from: cards, predictions without a card, and runs without predictions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kdcore.distill import Recipe, RunFolder, list_runs
from kdcore.evaluate import evaluate_predictions
from kdcore.models import build_model, read_card, write_card
from kdcore.predict.shelf import foreign_folder, list_measured
from kdcore.report.results import SCORES
from kdcore.report.results_found import method_words, run_results, shelf_results, teacher_words
from tests.conftest import write_tiny_checkpoint
from tests.evaluate.makers import make_predictions


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("DISTILSCOPE_STATE", str(tmp_path / "state"))


def measure(model, part):
    return evaluate_predictions(model.load(part), model.temperature, n_boot=0)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({}, "not told"),
        ({"teachers": []}, "no teacher"),
        ({"teachers": ["t"], "alpha": 0.3}, "KD"),
        ({"teachers": ["t"], "alpha": 0.3, "beta": 9.0}, "KD + attention transfer"),
        ({"teachers": ["t"], "alpha": 1.0, "lam": 9.0}, "alignment"),
        ({"teachers": ["t"], "alpha": 0.3, "beta": 9.0, "lam": 9.0},
         "KD + attention transfer + alignment"),
    ],
)  # fmt: skip
def test_methods_in_words(recipe: dict, words: str) -> None:
    assert method_words(recipe) == words


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({}, ""),
        ({"teachers": []}, ""),
        ({"teachers": ["t"], "alpha": 1.0}, ""),  # named, and not asked
        ({"teachers": ("t", "u"), "alpha": 0.3}, "t + u"),
    ],
)
def test_teachers_in_words(recipe: dict, words: str) -> None:
    assert teacher_words(recipe) == words


def test_a_card_speaks_for_itself_and_predictions_where_it_does_not(tmp_path: Path) -> None:
    predictions = make_predictions(60, seed=1)
    for name, told in (("card", True), ("bare", False)):
        folder = tmp_path / "checkpoints" / name
        made = write_tiny_checkpoint(folder, "student", "cnn2", recipe={"split": "lesion-grouped"})
        own = replace(predictions, checkpoint_hash=made.weights_sha256)
        own.save(folder / "predictions-test.npz")
        found = evaluate_predictions(predictions, 1.3, n_boot=20)
        if told:
            write_card(folder, replace(read_card(folder), metrics={"test": found.as_dict()}))
    (foreign := foreign_folder()).mkdir(parents=True)
    predictions.save(foreign / "theirs-test.npz")
    results = shelf_results(list_measured()[0], "test", measure)
    by_name = {r.measured: r for r in results}
    assert {r.origin for r in results} == {"released", "imported"} and len(results) == 3
    card = next(r for r in results if r.source.endswith("card/card.json"))
    for name in SCORES:
        assert card.score(name) == found.metrics[name]
    other = next(r for r in results if r.source.endswith("bare/predictions-test.npz"))
    assert other.score("accuracy").value == found.metrics["accuracy"].value
    assert other.score("accuracy").low != other.score("accuracy").low  # no resample, no interval
    parameters = sum(p.numel() for p in build_model("cnn2", 7).parameters()) / 1e6
    assert card.parameters == other.parameters == parameters
    assert by_name["theirs"].parameters is None and by_name["theirs"].images == 60
    assert shelf_results(list_measured()[0], "val", measure) == []


def test_runs_without_predictions_have_their_best_epoch(tmp_path: Path) -> None:
    for name, rows in (("good", [0.2, 0.4, 0.3]), ("empty", [])):
        folder = RunFolder(tmp_path / "state" / "runs" / name)
        folder.path.mkdir(parents=True)
        folder.write_recipe(Recipe(name=name, architecture="resnet18", seed=7))
        if rows:
            history = [{"epoch": k, "val_macro_f1": v} for k, v in enumerate(rows, 1)]
            folder.write_history(history)
    found = run_results(list_runs(), [])
    assert len(found) == 1
    (run,) = found
    assert run.key == "run:good" and run.part == "val" and run.seed == "7"
    assert run.score("macro_f1").value == 0.4 and not run.spread
    assert run.score("accuracy").value != run.score("accuracy").value


def test_a_run_on_class_folders(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "state" / "runs" / "pets")
    folder.path.mkdir(parents=True)
    folder.write_recipe(Recipe(name="pets", architecture="resnet18", dataset="imagefolder"))
    folder.write_history([{"epoch": 1, "val_macro_f1": 0.3}])
    (run,) = run_results(list_runs(), [])
    assert (run.data, run.parameters) == ("class folders", None)  # how many classes is not kept
