"""A recipe is validated once, in words, and survives its file formats."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from kdcore.base import RecipeError
from kdcore.distill import FIELDS, Recipe
from kdcore.distill.recipe_file import parse_recipe
from kdcore.distill.sweep import Sweep

REPO = Path(__file__).parents[2]
SINGLE = sorted([*(REPO / "recipes").glob("*.toml"), *(REPO / "recipes/teachers").glob("*.toml")])
SWEEPS = sorted((REPO / "recipes/sweeps").glob("*.toml"))


@pytest.mark.parametrize("path", SINGLE, ids=lambda p: p.stem)
def test_shipped_recipes_are_valid_and_named_as_their_file(path):
    assert Recipe.read(path).name == path.stem


@pytest.mark.parametrize("path", SWEEPS, ids=lambda p: p.stem)
def test_shipped_sweeps_are_valid_and_named_as_their_file(path):
    assert Sweep.read(path).name == path.stem


def test_every_teacher_that_is_named_is_shipped_or_has_a_recipe():
    recipes = [Recipe.read(path) for path in SINGLE]
    recipes += [m.recipe for path in SWEEPS for m in Sweep.read(path).members()]
    there = {p.parent.name for p in (REPO / "checkpoints").glob("*/card.json")}
    there |= {path.stem for path in SINGLE}
    assert {name for r in recipes for name in r.teachers} <= there


def test_fields_are_described_and_methods_differ():
    fields = {f.name for f in dataclasses.fields(Recipe)}
    assert {f.name for f in FIELDS} == fields
    for path in SWEEPS:
        members = [m for m in Sweep.read(path).members() if m.seed == 0]
        told = {json.dumps(dataclasses.asdict(m.recipe) | {"name": m.student}) for m in members}
        assert len(told) == len(members)  # no two methods are the same under two names


def test_json_round_trip(tmp_path):
    recipe = Recipe("a", "cnn2", sizes=((0, 32), (3, 64)), teachers=("t",), alpha=0.5)
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.to_dict()))
    assert Recipe.read(tmp_path / "recipe.json") == recipe


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"architecture": "resnet1"}, "no architecture"),
        ({"alpha": 1.5}, "'alpha': expected a number in"),
        ({"temperature": 0}, "'temperature'"),
        ({"role": "boss"}, "'role'"),
        ({"alpha": 0.5}, "names no teacher"),
        ({"learning_rat": 0.1}, "unknown field 'learning_rat'"),
        ({"epochs": "ten"}, "'epochs': expected a whole number"),
        ({"epochs": -1}, "'epochs'"),
        ({"epochs": 2.5}, "'epochs'"),
        ({"sizes": [[0]]}, "'sizes': expected pairs"),
        ({"sizes": [0, 32]}, "'sizes'"),
        ({"sizes": 3}, "'sizes'"),
        ({"sizes": [[0, 15]]}, "'sizes'"),
        ({"sizes": [[0, 1025]]}, "'sizes'"),
        ({"sizes": [[-1, 32]]}, "'sizes'"),
        ({"sizes": [[0, 32.5]]}, "'sizes'"),
        ({"input_size": "128"}, "'input_size'"),
        ({"learning_rate": float("nan")}, "'learning_rate'"),
        ({"learning_rate": float("inf")}, "'learning_rate'"),
        ({"seed": -1}, "'seed'"),
        ({"split_seed": 1.5}, "'split_seed'"),
        ({"clip": 0}, "'clip'"),
        ({"weight_decay": -1}, "'weight_decay'"),
        ({"init_mean": [0.5]}, "'init_mean'"),
        ({"init_std": [0.5, 0.5, 0]}, "'init_std'"),
        ({"init": 3}, "'init'"),
        ({"teachers": "resnet50"}, "'teachers'"),
        ({"name": "../x"}, "'name'"),
        ({"name": ""}, "'name'"),
        ({"split": 3}, "'split'"),
        ({"architecture": "visformer_small"}, "of 224 pixels only, not of 128"),
        (
            {"architecture": "swin_s3_tiny_224", "input_size": 224, "sizes": [[0, 96], [1, 224]]},
            "224 pixels only, not of 96",
        ),
        ({"architecture": "densenet201", "input_size": 28}, "29 to 1024 pixels, not of 28"),
    ],
)
def test_bad_fields(values, expected):
    with pytest.raises(RecipeError, match=expected):
        Recipe.from_dict({"name": "a", "architecture": "cnn2"} | values)


def test_a_number_too_large_is_told_its_bound():
    with pytest.raises(RecipeError, match="at least 1, at most 1,000,000,000, got 1000000000000"):
        Recipe.from_dict({"name": "a", "architecture": "cnn2", "epochs": 10**20})


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_a_file_is_read_as_the_train_page_does(tmp_path, suffix):
    values = {"name": "a", "architecture": "cnn2", "role": "baseline"}
    text = json.dumps(values) if suffix == "json" else "\n".join(
        f"{key} = {value!r}" for key, value in values.items()
    )  # fmt: skip
    path = tmp_path / f"r.{suffix}"
    path.write_text(text, encoding="utf-8-sig")  # a byte-order mark, as Notepad writes it
    assert Recipe.read(path) == parse_recipe(path.read_bytes(), path.name)
    deep = "[" * 5000 if suffix == "json" else "a = " + "[" * 5000
    path.write_text(deep)
    with pytest.raises(RecipeError, match="can't be parsed"):
        Recipe.read(path)


@pytest.mark.parametrize("key", ["base", "methods", "extends"])
def test_a_sweep_is_told_as_one(key):
    with pytest.raises(RecipeError, match="is a sweep.*kdcore sweep"):
        Recipe.from_dict({"name": "a", key: {}})


def test_a_recipe_that_may_not_be_read_is_not_called_missing(tmp_path):
    with pytest.raises(RecipeError, match="can't be read: Is a directory"):
        Recipe.read(tmp_path)


def test_bad_files(tmp_path):
    (tmp_path / "list.json").write_text("[1, 2]")
    with pytest.raises(RecipeError, match="no table"):
        Recipe.read(tmp_path / "list.json")
    with pytest.raises(RecipeError, match="no recipe"):
        Recipe.read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(RecipeError, match="parsed"):
        Recipe.read(tmp_path / "bad.toml")
