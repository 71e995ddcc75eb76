"""A recipe is validated once, in words, and survives its file formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kdcore.base import RecipeError
from kdcore.distill import Recipe

SHIPPED = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_recipes_are_valid_and_named_as_their_file(path):
    assert Recipe.read(path).name == path.stem


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
        ({"epochs": "ten"}, "can't be read"),
    ],
)
def test_bad_fields(values, expected):
    with pytest.raises(RecipeError, match=expected):
        Recipe.from_dict({"name": "a", "architecture": "cnn2"} | values)


def test_bad_files(tmp_path):
    with pytest.raises(RecipeError, match="no recipe"):
        Recipe.read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(RecipeError, match="parsed"):
        Recipe.read(tmp_path / "bad.toml")
