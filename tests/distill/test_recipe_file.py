"""Recipes as text: files, lines of a form, presets, and what a form has to know of fields."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest

from kdcore.base import RecipeError
from kdcore.data import CIFAR10, CIFAR100, HAM10000
from kdcore.distill import FIELDS, Recipe
from kdcore.distill.entries import EXAMPLES, button_step, entry_text, read_entry
from kdcore.distill.presets import METHODS, is_alone, method_recipe, next_name, propose_name
from kdcore.distill.readiness import hindrances, idle_fields
from kdcore.distill.recipe_file import parse_recipe, recipe_toml, shipped_recipes

ODD = Recipe(
    'a "quoted" name ü', "cnn2", title="tab\tback\\line\nDEL\x7f", sizes=((0, 32), (3, 64)),
    teachers=("one", "two"), teacher_weights=(1.0, 0.25), alpha=0.3, beta=1e3, at_masked=True,
    schedules=(("alpha", "linear", 0.9), ("beta", "warm-up", 2)), learning_rate=1e-5,
    init_mean=(0.5, 0.4, 0.3), at_weights=(0.0, 1.0), weight_decay=0,
)  # fmt: skip


@pytest.mark.parametrize("recipe", [ODD, Recipe("plain", "resnet18", role="baseline")])
def test_toml_reads_back(tmp_path: Path, recipe: Recipe) -> None:
    text = recipe_toml(recipe)
    (tmp_path / "r.toml").write_text(text, encoding="utf-8")
    assert Recipe.read(tmp_path / "r.toml") == recipe
    assert parse_recipe(text.encode(), "r.toml") == recipe
    assert set(tomllib.loads(text)) == {f.name for f in dataclasses.fields(Recipe)}


def test_every_shipped_recipe_reads_back() -> None:
    shipped = shipped_recipes()
    assert "resnet18-baseline" in shipped
    assert not any(name.startswith("sweeps/") for name in shipped)
    for name, recipe in shipped.items():
        assert parse_recipe(recipe_toml(recipe).encode(), name) == recipe


def test_unusable_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more/good.toml").write_text('name = "x"\narchitecture = "cnn2"\nrole="baseline"')
    (tmp_path / "bad.toml").write_text("name = ")
    (tmp_path / "sweep.toml").write_text('name = "x"\n[base]\nepochs = 1')
    assert list(shipped_recipes(tmp_path)) == ["more/good"]


@pytest.mark.parametrize("data", [b"\xff", b"[1", b"[" * 9999, b"[]", b"1", b'{"base": {}}'])
def test_what_is_no_recipe_is_refused(data: bytes) -> None:
    for name in ("r.toml", "r.json"):
        with pytest.raises(RecipeError):
            parse_recipe(data, name)


@pytest.mark.parametrize("field", [f for f in FIELDS if f.kind in EXAMPLES], ids=lambda f: f.name)
def test_lines_read_back(field) -> None:
    for value in (getattr(ODD, field.name), read_entry(field, EXAMPLES[field.kind]), ()):
        assert read_entry(field, entry_text(field, value)) == value
    assert read_entry(field, "  ") == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sizes", "64"), ("sizes", "0:64:1"), ("sizes", "a:b"), ("sizes", "0:5"),
        ("schedules", "alpha"), ("schedules", "alpha linear x"), ("schedules", "alpha linear 9"),
        ("at_weights", "1; 2"), ("at_weights", "nan"), ("at_weights", "-1"),
        ("init_mean", "1, 2"), ("teacher_weights", "0"),
    ],
)  # fmt: skip
def test_lines_that_cannot_be_read_say_how_to_write_them(name: str, text: str) -> None:
    field = next(f for f in FIELDS if f.name == name)
    with pytest.raises(RecipeError, match=name) as caught:
        read_entry(field, text)
    assert EXAMPLES[field.kind] in caught.value.hint


@pytest.mark.parametrize("info", [HAM10000, CIFAR10, CIFAR100], ids=lambda i: i.key)
@pytest.mark.parametrize("key", METHODS)
def test_methods_are_recipes(info, key: str) -> None:
    recipe = Recipe.from_dict({"name": "x", **method_recipe(key, info, ["best", "other"])})
    assert (recipe.dataset, recipe.split) == (info.key, info.splits[0])
    assert recipe.teachers == (("best",) if METHODS[key].taught else ())
    assert recipe.taught == METHODS[key].taught
    assert is_alone(recipe.to_dict()) != METHODS[key].taught


def test_names_are_free_and_usable() -> None:
    assert propose_name(["ResNet-18", "", "kd"], ()) == "resnet-18-kd"
    assert propose_name(["a"], {"a", "a-2"}) == "a-3"
    assert propose_name(["/\\"], ()) == "run"


@pytest.mark.parametrize(
    ("name", "taken", "expected"),
    [
        ("mine", {"mine"}, "mine-2"),
        ("mine-2", {"mine", "mine-2"}, "mine-3"),
        ("net-18", {"net-18"}, "net-18-2"),
    ],
)
def test_the_next_name_counts_up(name, taken, expected):
    assert next_name(name, taken) == expected


def test_idle_fields_have_reasons_and_leave_the_loss_as_it_is() -> None:
    values = Recipe("x", "cnn2", teachers=("t",), alpha=0.5).to_dict()
    assert {"teacher_weights", "at_weights", "align", "momentum", "dkd_target"} <= set(
        idle_fields(values)
    )
    assert not {"alpha", "temperature", "beta", "lam", "teachers"} & set(idle_fields(values))
    assert "at_weights" not in idle_fields(values | {"schedules": (("beta", "linear", 9.0),)})
    alone = idle_fields(Recipe("x", "cnn2", role="baseline").to_dict())
    assert {"alpha", "beta", "teacher_views", "schedules"} <= set(alone)
    assert "teachers" not in alone


def test_what_hinders_a_run(tmp_path: Path) -> None:
    recipe = Recipe("x", "cnn2", teachers=("t",), alpha=0.5, init="checkpoint:t")
    told = hindrances(recipe, CIFAR10, 10, tmp_path, {"x"})
    text = " ".join(str(error) for error in told)
    for expected in ("named 'x'", "is for ham10000", "fewer than one batch", "no checkpoint t",
                     "no initial weights"):  # fmt: skip
        assert expected in text
    (tmp_path / "t").mkdir()
    (tmp_path / "t/card.json").write_text("{}")
    (tmp_path / "t/model.safetensors").write_text("")
    assert hindrances(recipe, HAM10000, 100, tmp_path) == []


def test_buttons_step_by_less_than_the_default() -> None:
    for field in (f for f in FIELDS if f.kind == "number"):
        step, default = button_step(field), getattr(Recipe, field.name, 0.0)
        if step not in (0.05, 1.0):
            assert default / 32 < step < default / 3
    steps = {f.name: button_step(f) for f in FIELDS if f.kind == "number"}
    assert (steps["alpha"], steps["ema"], steps["learning_rate"]) == (0.05, 0.1, 0.0001)
