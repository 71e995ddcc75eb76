"""Recipes as text: TOML that people edit and keep, and the recipes that are shipped."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from kdcore.base import REPOSITORY, KdError
from kdcore.distill.fields import FIELDS
from kdcore.distill.recipe import Recipe, parse_table

RECIPES = REPOSITORY / "recipes"


def recipe_toml(recipe: Recipe) -> str:
    """Return `recipe` as TOML with every field under its group, so that no default is left open."""
    blocks = []
    for group, fields in groupby(FIELDS, key=lambda f: f.group):
        lines = [f"{f.name} = {_value(getattr(recipe, f.name))}" for f in fields]
        blocks.append("\n".join([f"# {group}", *lines]))
    return "\n\n".join(blocks) + "\n"


def parse_recipe(data: bytes, name: str) -> Recipe:
    """Return the recipe in a file's bytes; `name` tells JSON (".json") from TOML.

    Raises
    ------
    RecipeError
        If it is no text, can't be parsed, is a sweep, or is not valid.
    """
    return Recipe.from_dict(parse_table(data, name))


def shipped_recipes(root: Path = RECIPES) -> dict[str, Recipe]:
    """Return the valid recipes in `root` and its folders by path without suffix; no sweeps."""
    found = {}
    for path in sorted(Path(root).rglob("*.toml")):
        try:
            found[path.relative_to(root).with_suffix("").as_posix()] = Recipe.read(path)
        except KdError:
            continue  # what can't be used can't be offered
    return found


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)
