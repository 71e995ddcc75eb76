"""Every shipped recipe takes a step: each method of each sweep, with its own teachers' networks.

Two things are replaced: teachers have random weights, as training them takes hours, and initial
weights are random, as tests reach no network. Inputs are smaller where the recipe wants a GPU.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from kdcore.data import DATASETS, open_dataset
from kdcore.distill import Recipe, RunFolder, prepare
from kdcore.distill.sweep import Sweep
from kdcore.models import Card, build_model, refused_sides, save_checkpoint
from tests.conftest import REPO
from tests.data.cifar_makers import make_cifar
from tests.data.folder_makers import make_covid, make_lc25000

FOLDER = REPO / "recipes"
TEACHERS = {
    recipe.name: recipe
    for path in [*FOLDER.glob("*.toml"), *(FOLDER / "teachers").glob("*.toml")]
    if (recipe := Recipe.read(path)).role == "teacher"
}
# An ensemble has no recipe of its own but those of its members.
TEACHERS["efficientnet_b0-ensemble"] = Recipe.read(FOLDER / "efficientnet_b0-baseline.toml")
SINGLE = [
    Recipe.read(path)
    for path in [*sorted(FOLDER.glob("*.toml")), *sorted((FOLDER / "teachers").glob("*.toml"))]
]
METHODS = [
    next(m.recipe for m in sweep.members() if m.method == method)
    for path in sorted((FOLDER / "sweeps").glob("*.toml"))
    for sweep in [Sweep.read(path)]
    for method in sweep.methods
]
SMALL = 64  # pixels, for recipes of 224


@pytest.fixture(scope="module")
def folders(tmp_path_factory, ham_folder) -> dict[str, Path]:
    made = {"ham10000": ham_folder}
    for key in ("cifar10", "cifar100"):
        made[key] = make_cifar(tmp_path_factory.mktemp(key), "binary", DATASETS[key])
    made["covid-qu-ex"] = make_covid(tmp_path_factory.mktemp("covid"), count=6)
    made["lc25000-lung"] = make_lc25000(tmp_path_factory.mktemp("lc"), 30)
    return made


def _side(architecture: str, wanted: int) -> int:
    """Return a small input side that the network takes."""
    return min(wanted, 224 if refused_sides(architecture, [SMALL]) else SMALL)


def test_the_teachers_of_every_sweep_are_shipped() -> None:
    for recipe in METHODS:
        for name in recipe.teachers:
            teacher = TEACHERS[name]
            assert (teacher.dataset, teacher.split) == (recipe.dataset, recipe.split)
    three = [r for r in METHODS if r.architecture == "ofa595" and len(r.teachers) == 3]
    assert {r.dataset for r in three} == {"ham10000", "covid-qu-ex", "lc25000-lung"}
    assert {r.input_size for r in three} == {236}


def _teacher(root: Path, name: str, size: int) -> None:
    recipe = TEACHERS[name]
    info = DATASETS[recipe.dataset]
    card = Card(name, "teacher", recipe.architecture, info.classes, size, info.mean, info.std)
    save_checkpoint(root / name, build_model(recipe.architecture, len(info.classes)), card)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [*SINGLE, *METHODS], ids=lambda r: r.name)
def test_every_shipped_recipe_takes_a_step(recipe, folders, tmp_path):
    size = _side(recipe.architecture, recipe.input_size)
    for name in recipe.teachers:
        teacher = TEACHERS[name]
        _teacher(tmp_path / "checkpoints", name, _side(teacher.architecture, teacher.input_size))
    small = dataclasses.replace(
        recipe, init="", init_mean=(), init_std=(), input_size=size, sizes=(), batch_size=8,
        limit=16, teacher_views=min(recipe.teacher_views, 1), epochs=1, precision="fp32",
    )  # fmt: skip
    data = open_dataset(folders[recipe.dataset], recipe.dataset)
    run = RunFolder(tmp_path / "run")
    trainer = prepare(small, data, tmp_path / "checkpoints", run).trainer
    batch = next(iter(trainer.batches.epoch(0)))
    trainer.forward.train()
    parts = trainer.step(batch, size, 1e-4, 0.5)
    assert all(torch.isfinite(value) for value in parts.values())
    wanted = {"kd": small.alpha < 1, "at": small.beta > 0, "align": small.lam > 0}
    wanted |= {"hint": small.hint > 0}
    assert {name for name in wanted if float(parts[name].detach()) > 0} == {
        name for name, asked in wanted.items() if asked
    }
