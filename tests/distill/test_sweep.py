"""A sweep's file is validated with every recipe that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kdcore.base import RecipeError
from kdcore.distill import Recipe
from kdcore.distill.sweep import Sweep

TOML = """
name = "ham"
title = "HAM10000"
seeds = [0, 3]

[base]
architecture = "cnn2"
epochs = 2
temperature = 2.0

[students.small]
input_size = 32

[students.large]
input_size = 64
epochs = 4

[methods.baseline]
role = "baseline"

[methods.more]
init = "run:kd"

[methods.kd]
teachers = ["t"]
alpha = 0.5
epochs = 3
"""


@pytest.fixture
def sweep(tmp_path) -> Iterator[Sweep]:
    (tmp_path / "sweep.toml").write_text(TOML)
    return Sweep.read(tmp_path / "sweep.toml")


def test_members_are_the_grid(sweep):
    members = sweep.members()
    assert len({m.name for m in members}) == len(members) == 2 * 3 * 2
    by_name = {m.name: m for m in members}
    found = by_name["ham-large-kd-s3"]
    assert (found.student, found.method, found.seed) == ("large", "kd", 3)
    assert found.recipe == Recipe(
        "ham-large-kd-s3",
        "cnn2",
        title="HAM10000: large kd, seed 3",
        seed=3,
        input_size=64,
        temperature=2.0,
        teachers=("t",),
        alpha=0.5,
        epochs=3,  # a method's field wins over a student's
    )
    assert by_name["ham-large-baseline-s0"].recipe.epochs == 4
    assert by_name["ham-small-baseline-s0"].recipe.epochs == 2


def test_what_others_start_from_comes_first(sweep):
    first, second = sweep.waves()
    assert {m.method for m in first} == {"baseline", "kd"}
    assert {(m.name, m.after) for m in second} == {
        (f"ham-{student}-more-s{seed}", f"ham-{student}-kd-s{seed}")
        for student in ("small", "large")
        for seed in (0, 3)
    }
    assert sweep.members() == first + second
    assert all(not m.after for m in first)


def make(**changes: Any) -> Sweep:
    values = {"name": "a", "base": {"architecture": "cnn2"}, "methods": {"x": {}, "y": {}}}
    return Sweep.from_dict(values | changes)


def test_one_student_is_not_in_the_names():
    assert [m.name for m in make(seeds=[1]).members()] == ["a-x-s1", "a-y-s1"]
    one = make(seeds=[1], students={"only": {"input_size": 32}})
    assert [(m.name, m.student) for m in one.members()] == [("a-x-s1", "only"), ("a-y-s1", "only")]
    assert [m.label for m in one.members()] == ["only/x", "only/y"]


def test_references(sweep):
    assert sweep.references == ("baseline", "kd")
    assert make().references == ()
    assert make(reference="y").references == ("y",)


def test_differences(sweep):
    differences = sweep.differences()
    assert differences["large/more"]["init"] == "run:kd"
    assert differences["small/kd"]["alpha"] == 0.5
    assert {"name", "seed", "title", "temperature"}.isdisjoint(differences["small/kd"])


def test_a_chain_has_as_many_waves():
    methods = {"z": {"init": "run:y"}, "y": {"init": "run:x"}, "x": {}}
    waves = make(methods=methods, seeds=[0]).waves()
    assert [[m.method for m in wave] for wave in waves] == [["x"], ["y"], ["z"]]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"methods": {"x": {"alpha": 2}}}, "Member a-x-s0: Recipe field 'alpha'"),
        ({"methods": {"x": {"alpha": 0.5}}}, "Member a-x-s0: .* names no teacher"),
        ({"methods": {"x": {"alfa": 0.5}}}, "Member a-x-s0: .* unknown field 'alfa'"),
        ({"base": {}}, "Member a-x-s0: .*architecture"),
        ({"methods": {"x/y": {}}}, "Member a-x/y-s0: Recipe field 'name'"),
        ({"methods": {"x": {"init": "run:none"}}}, "a-x-s0: init = 'run:none' names none"),
        ({"methods": {"x": {"init": "run:x"}}}, "a-x-s0: .* leads back to itself"),
        (
            {"methods": {"x": {}, "y": {"init": "run:x", "split_seed": 1}}},
            "a-y-s0 starts from a run of other training images",
        ),
        (
            {"methods": {"x": {"init": "run:y"}, "y": {"init": "run:x"}}},
            "a-x-s0: .* leads back to itself",
        ),
        ({"methods": {}}, "no table"),
        ({"methods": ["x"]}, r"tables \[methods.NAME\]"),
        ({"methods": {"x": 3}}, r"\[methods.x\], got 3"),
        ({"students": {"s": {"seed": 3}}}, r"\[students.s\] sets name or seed"),
        ({"base": {"name": "b"}}, r"\[base\] sets name or seed"),
        ({"seeds": []}, "different whole numbers"),
        ({"seeds": [0, 0]}, "different whole numbers"),
        ({"seeds": [0, -1]}, "different whole numbers"),
        ({"seeds": [True]}, "different whole numbers"),
        ({"seeds": 3}, "different whole numbers"),
        ({"name": ""}, "`name`"),
        ({"name": 3}, "`name`"),
        ({"title": 3}, "`title`"),
        ({"reference": "z"}, "'z' is none of its methods"),
        ({"methds": {}}, "unknown field 'methds'"),
        (
            {"students": {"p": {}, "p-q": {}}, "methods": {"q-r": {}, "r": {}}},
            "Two members .* named a-p-q-r-s0",
        ),
    ],
)
def test_bad_sweeps(changes, expected):
    with pytest.raises(RecipeError, match=expected):
        make(**changes)


def test_bad_files(tmp_path):
    for text, expected in (("[", "parsed"), ("seeds = [0]", "at least `name`")):
        (tmp_path / "s.toml").write_text(text)
        with pytest.raises(RecipeError, match=expected):
            Sweep.read(tmp_path / "s.toml")
    with pytest.raises(RecipeError, match="no recipe"):
        Sweep.read(tmp_path / "none.toml")


OVER = """
extends = "sweep.toml"
name = "short"
seeds = [1]

[base]
epochs = 1

[students.large]
epochs = 2

[methods.kd]
alpha = 0.9
"""


def test_a_sweep_lies_over_another(sweep, tmp_path):
    (tmp_path / "short.toml").write_text(OVER)
    short = Sweep.read(tmp_path / "short.toml")
    assert (short.name, short.title, short.seeds) == ("short", "HAM10000", (1,))
    assert list(short.methods) == list(sweep.methods)
    recipes = {m.label: m.recipe for m in short.members()}
    assert recipes["small/baseline"].epochs == 1 and recipes["large/baseline"].epochs == 2
    # A table keeps what the one over it doesn't name.
    assert recipes["small/kd"].teachers == ("t",) and recipes["small/kd"].alpha == 0.9
    assert recipes["large/kd"].epochs == 3 and recipes["large/kd"].input_size == 64


@pytest.mark.parametrize(
    ("extends", "expected"),
    [
        ("7", "no file of its own folder"),
        ('"../sweep.toml"', "no file of its own folder"),
        ('"short.toml"', "extends another file itself"),
        ('"gone.toml"', "gone.toml"),
    ],
)
def test_what_cannot_be_extended(tmp_path, extends, expected):
    (tmp_path / "short.toml").write_text(f'extends = {extends}\nname = "short"\n')
    with pytest.raises(RecipeError, match=expected):
        Sweep.read(tmp_path / "short.toml")
