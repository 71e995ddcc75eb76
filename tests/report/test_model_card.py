"""The card for people: its numbers are those of the predictions, its sentences what they say."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from kdcore.base import KdError
from kdcore.cli.main import main
from kdcore.evaluate.align import take
from kdcore.models import Card, read_card
from kdcore.predict.probabilities import softmax
from kdcore.report.model_card import NAME, SURE, model_card, write_model_card
from tests.conftest import write_tiny_checkpoint
from tests.evaluate.makers import make_predictions

RECIPE = {"name": "x", "architecture": "cnn2", "epochs": 14, "mixup": 0.2, "sizes": [[0, 32]]}


def card(**more: object) -> Card:
    classes = make_predictions(4).classes
    fields = {"name": "x", "role": "student", "architecture": "cnn2", "title": "X"}
    return Card(**fields, classes=classes, input_size=32, mean=(0.5,) * 3, std=(0.2,) * 3, **more)


def text(n: int = 300, **more: object) -> str:
    val, test = (make_predictions(n, split=part, seed=k) for k, part in enumerate(("val", "test")))
    return model_card(card(**more), val, test, 50)


def section(made: str, title: str) -> str:
    return made.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_section_is_there_once():
    made = text(licence="CC0", provenance="Drawn.", recipe=RECIPE, ood={"false_alarm_rate": 0.02})
    titles = re.findall(r"^## (.+)$", made, re.M)
    assert titles == [
        "What it is", "Data and training", "Scores", "Calibration", "Where it fails", "Licence",
    ]  # fmt: skip
    assert "Not for diagnosis" in made and "CC0" in section(made, "Licence")
    assert "2.0 % of the test images" in made and "Drawn." in made


def test_a_recipe_is_told_where_it_is_not_the_usual():
    told = section(text(recipe=RECIPE), "Data and training")
    assert "epochs 14" in told and "mixup 0.2" in told and "sizes [[0, 32]]" in told
    assert "architecture" not in told and "clip" not in told


def test_what_is_not_known_is_not_told():
    made = text()
    assert "Not stated." in made and "not stated" in section(made, "Licence")
    assert "Recipe:" not in made and "Taught by" not in made and "warning" not in made
    assert "no teacher" not in made and "gives one of 7 classes, and" in made


def test_teachers_are_named_with_their_weights():
    assert "big (weights `" + "a" * 16 in text(teachers={"big": "a" * 64})
    assert "Taught by old.\n" in text(recipe={"teachers": ["old"]})


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_numbers_are_those_of_the_predictions(temperature):
    test = make_predictions(300, split="test", seed=1)
    made = model_card(card(temperature=temperature), make_predictions(50, split="val"), test, 20)
    probabilities = softmax(test.logits, temperature)
    right = probabilities.argmax(1) == test.labels
    sure = probabilities.max(1) >= SURE
    assert f"sure of {sure.sum()} test image" in made
    assert f"wrong about {(sure & ~right).sum()} of them" in made
    assert f"mean confidence {100 * probabilities.max(1).mean():.1f} %" in made
    word = "more" if probabilities.max(1).mean() > right.mean() else "less"
    assert f"points {word} sure than it is right" in made
    for k, name in enumerate(test.classes):
        own = test.labels == k
        value = (right & own).sum() / own.sum()
        assert re.search(rf"^\| {name} \| {own.sum()} \| {value:.3f} \[", made, re.M)


def test_confusions_name_what_a_class_is_taken_for():
    test = make_predictions(200, split="test", seed=3)
    logits = np.full_like(test.logits, -3.0)
    answers = np.where(test.labels == 4, 5, test.labels)  # every mel is called nv
    logits[np.arange(len(answers)), answers] = 5.0
    wrong = replace(test, logits=logits)
    made = section(
        model_card(card(), make_predictions(50, split="val"), wrong, 20), "Where it fails"
    )
    n = int((test.labels == 4).sum())
    assert f"Of {n} images of melanoma it recognises 0 %" in made
    assert f"the others it takes most often for melanocytic nevus ({n} of {n})." in made
    assert f"{n} images of melanoma, of {n}, it calls something else" in made
    assert made.count("it takes most often for") == 1


def test_a_tie_names_both_and_a_point_is_no_interval():
    test = make_predictions(200, split="test", seed=3)
    mel = np.flatnonzero(test.labels == 4)
    half = mel[: 2 * (len(mel) // 2)]
    answers = test.labels.copy()
    answers[mel] = 4
    answers[half[::2]], answers[half[1::2]] = 5, 2  # half of mel is called nv, half bkl
    logits = 8 * np.eye(7, dtype=np.float32)[answers]
    wrong = replace(test, logits=logits)
    made = model_card(card(), make_predictions(50, split="val"), wrong, 20)
    n = len(half)
    assert f"for benign keratosis and melanocytic nevus ({n // 2} of {n} each)." in made
    assert re.search(r"^\| vasc \| \d+ \| 1.000 \| ", made, re.M)


def test_without_melanoma_nothing_is_said_of_it():
    test = make_predictions(200, split="test", seed=3)
    keep = test.labels != 4  # melanoma
    made = model_card(
        card(), make_predictions(50, split="val"), take(test, np.flatnonzero(keep)), 20
    )
    assert "melanoma, of" not in made and "Of 0 " not in made


def test_a_leaky_split_is_told():
    told = text(recipe=RECIPE | {"split": "image-level (leaky)"}, train_groups=("aa",))
    assert "**These scores are too good.**" in section(told, "Scores") and "refused" not in told
    told = text(recipe=RECIPE, train_groups=("aa",))
    assert "too good" not in told and "predictions of them are refused" in told
    told = text(recipe=RECIPE, train_groups=("aa",), train_images=("bb", "cc"))
    assert "trained on, 2 pictures by name. Measuring it leaves them out" in told


def test_what_a_teacher_would_have_taught_is_not_told_without_one():
    idle = RECIPE | {"kd_weighted": True, "temperature": 2.0, "beta": 0.0, "teachers": []}
    told = text(recipe=idle)
    assert "kd_weighted" not in told and "temperature 2" not in told
    assert "It had no teacher" in told
    assert "kd_weighted True, temperature 2.0" in text(recipe=idle | {"teachers": ["big"]})


def test_other_data_sets_and_titles():
    val, test = (make_predictions(40, split=part) for part in ("val", "test"))
    recipe = RECIPE | {"dataset": "imagefolder"}
    made = model_card(replace(card(recipe=recipe), title="A\n## B"), val, test, 5)
    assert made.startswith("# A ## B\n\n")
    assert "one of 7 classes of HAM10000" in text(recipe=RECIPE)


def test_groups_are_told_where_attributes_are():
    val, test = (make_predictions(300, split=part) for part in ("val", "test"))
    sex = np.where(np.arange(300) % 2, "female", "male")
    grouped = replace(test, attributes={"sex": sex, "site": np.full(300, "back")})
    told = section(model_card(card(), val, grouped, 20), "Whom it serves less well")
    assert "- Sex: " in told and "Place" not in told


def test_the_command_writes_it(tmp_path, capsys):
    folder = tmp_path / "small"
    made = write_tiny_checkpoint(folder, "student", "cnn2", title="Small")
    for part in ("val", "test"):
        predictions = make_predictions(60, split=part, checkpoint_hash=made.weights_sha256)
        predictions.save(folder / f"predictions-{part}.npz")
    assert main(["card", str(folder)]) == 0
    assert capsys.readouterr().out.strip() == str(folder / NAME)
    assert (folder / NAME).read_text().startswith("# Small\n\nA student")
    assert write_model_card(folder) == folder / NAME
    predictions = make_predictions(60, split="val", checkpoint_hash=made.weights_sha256)
    for other in (predictions, replace(predictions, split="test", checkpoint_hash="1" * 64)):
        other.save(folder / "predictions-test.npz")
        assert main(["card", str(folder)]) == 1
        assert "is not of these weights" in capsys.readouterr().err
    (folder / "predictions-test.npz").write_bytes(b"half")
    before = (folder / NAME).read_text()
    assert main(["card", str(folder)]) == 1
    assert (folder / NAME).read_text() == before and read_card(folder).title == "Small"
    with pytest.raises(KdError):
        write_model_card(tmp_path / "nothing")
