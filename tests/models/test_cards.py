"""A card is checked field by field when it is read, and sorts whatever it lacks."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest

from kdcore.base import CheckpointError
from kdcore.models import (
    Card,
    card_order,
    check_classes,
    check_names,
    read_card,
    strength,
    write_card,
)

GOOD = Card("a", "student", "cnn2", ("x", "y"), 32, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
BAD = [
    ("name", ""),
    ("name", ".."),
    ("name", "a/b"),
    ("name", "a\\b"),
    ("name", 7),
    ("role", "boss"),
    ("role", ["teacher"]),
    ("architecture", "resnet999"),
    ("architecture", None),
    ("classes", []),
    ("classes", "ab"),
    ("classes", ["x", "x"]),
    ("classes", ["x", 1]),
    ("classes", [["x"], ["y"]]),
    ("input_size", 15),
    ("input_size", 1025),
    ("input_size", 32.5),
    ("input_size", True),
    ("input_size", "32"),
    ("mean", [0.5, 0.5]),
    ("mean", [0.5, 0.5, math.nan]),
    ("mean", 0.5),
    ("std", [0.2, 0.2, 0]),
    ("std", [0.2, 0.2, "0.2"]),
    ("temperature", 0),
    ("temperature", math.inf),
    ("temperature", math.nan),
    ("temperature", 10**400),
    ("temperature", "1"),
    ("temperature", None),
    ("members", ["resnet18", "resnet999"]),
    ("members", "resnet18"),
    ("members", None),
    ("metrics", []),
    ("metrics", None),
    ("ood", 3),
    ("ood", {"false_alarm_rate": "some"}),
    ("ood", {"false_alarm_rate": 2}),
    ("recipe", "r"),
    ("teachers", ["t"]),
    ("teachers", {"t": 1}),
    ("train_groups", [1]),
    ("train_images", [1]),
    ("weights_sha256", 1),
]


@pytest.fixture
def read(tmp_path):
    """`read(**fields)`: the card read back with some fields changed."""

    def run(**fields):
        folder = tmp_path / "some-folder"
        write_card(folder, GOOD)
        raw = json.loads((folder / "card.json").read_text())
        (folder / "card.json").write_text(json.dumps(raw | fields))
        return read_card(folder)

    return run


@pytest.mark.parametrize(("field", "value"), BAD, ids=[f"{k}={str(v)[:20]}" for k, v in BAD])
def test_nonsense_is_refused_by_name(read, field, value):
    with pytest.raises(CheckpointError, match=f"some-folder.*'{field}'"):
        read(**{field: value})


@pytest.mark.parametrize(
    "recipe", [{"split": 3}, {"teachers": 5}, {"teachers": [5]}, {"split_seed": "x"}]
)
def test_what_is_read_of_a_recipe_is_checked(read, recipe):
    with pytest.raises(CheckpointError, match="some-folder.*'recipe'"):
        read(recipe=recipe)


def test_a_card_nested_too_deep_is_refused(tmp_path):
    (tmp_path / "card.json").write_text("[" * 5000)
    with pytest.raises(CheckpointError, match="can't be read"):
        read_card(tmp_path)


def test_what_is_good_comes_back(read):
    older = {"split": None, "split_seed": None, "teachers": ["t"]}  # as ensembles have them
    assert read(recipe=older).recipe == older
    assert read() == GOOD
    assert read(members=["resnet18", "resnet34"], architecture="ensemble(a,b)").members
    assert read(metrics={"val": None}, ood={"false_alarm_rate": None}).metrics == {"val": None}
    assert read(teachers={"t": "0" * 64}).teachers == {"t": "0" * 64}


def test_a_card_without_teachers_is_an_older_one(tmp_path):
    write_card(tmp_path, GOOD)
    raw = json.loads((tmp_path / "card.json").read_text())
    del raw["teachers"]
    (tmp_path / "card.json").write_text(json.dumps(raw))
    assert read_card(tmp_path).teachers == {}


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        {"val": None},
        {"val": 3},
        {"val": {}},
        {"val": {"macro_f1": None}},
        {"val": {"macro_f1": {"value": None}}},
        {"val": {"macro_f1": {"value": math.nan}}},
        {"val": {"macro_f1": {"value": "0.9"}}},
    ],
)
def test_what_was_not_measured_counts_as_worst(metrics):
    worst = {"val": {"macro_f1": {"value": 0.0}}}
    cards = [
        dataclasses.replace(GOOD, name=n, metrics=m) for n, m in (("b", worst), ("a", metrics))
    ]
    assert [c.name for c in sorted(cards, key=card_order)] == ["b", "a"]


def test_an_ensemble_comes_after_the_single_networks_of_its_role():
    def card(name, role, score, members=()):
        metrics = {"val": {"macro_f1": {"value": score}}}
        return dataclasses.replace(GOOD, name=name, role=role, members=members, metrics=metrics)

    cards = [
        card("pair", "teacher", 0.9, ("cnn2", "cnn2")),
        card("weak", "teacher", 0.1),
        card("strong", "teacher", 0.5),
        card("student", "student", 0.7),
    ]
    assert [c.name for c in sorted(cards, key=card_order)] == ["strong", "weak", "pair", "student"]
    assert [strength(c) for c in cards] == [0.9, 0.1, 0.5, 0.7]


@pytest.mark.parametrize("count", [0, 1, 6, 20])
def test_hashes_share_lines_and_every_field_comes_back(count, tmp_path):
    hashes = tuple(f"{index:016x}" for index in range(count))
    many = dataclasses.replace(GOOD, train_groups=hashes, train_images=())
    write_card(tmp_path, many)
    assert read_card(tmp_path) == many
    lines = (tmp_path / "card.json").read_text("utf-8").splitlines()
    assert sum('"0000' in line for line in lines) == -(-count // 6)


def test_who_may_stand_together():
    other = dataclasses.replace(GOOD, name="b", classes=("y", "x"))
    check_names([GOOD, other])
    check_classes([GOOD, dataclasses.replace(GOOD, name="b"), GOOD])
    with pytest.raises(CheckpointError, match="Two of the networks have one name"):
        check_names([GOOD, other, GOOD])
    with pytest.raises(CheckpointError, match="a and b were trained on different classes"):
        check_classes([GOOD, GOOD, other])
