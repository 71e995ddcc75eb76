"""`ensemble` joins what fits, measures it as any checkpoint, and refuses what does not fit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from kdcore.cli.main import main
from kdcore.data import HAM10000, Ham10000
from kdcore.distill import hash_groups
from kdcore.models import Card, build_model, load_checkpoint, save_checkpoint
from kdcore.predict import Predictions

SPLIT = {"split": "lesion-grouped", "split_seed": 0}


@pytest.fixture
def members(tmp_path, ham_folder, monkeypatch):
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path))
    data = Ham10000.open(ham_folder)
    train = [s.lesion_id for s, p in zip(data.samples, data.parts()) if p == "train"]
    for index, name in enumerate(("one", "two")):
        groups = hash_groups(train[index:])
        card = Card(
            name, "student", "cnn2", HAM10000.classes, 32, HAM10000.mean, HAM10000.std,
            recipe=SPLIT, train_groups=groups, train_images=(name,),
            licence="CC BY-NC 4.0", provenance="Random.",
        )  # fmt: skip
        save_checkpoint(tmp_path / name, build_model("cnn2", 7), card)
    return tmp_path


def _join(folder, data, *names):
    given = [names[0], *(str(folder / name) for name in names[1:])]  # by name, and by folder
    out = ["--out", str(folder / "both"), "--title", "Both", "--data", str(data)]
    return main(["ensemble", "--members", *given, *out])


def _change(folder, **fields):
    checkpoint = load_checkpoint(folder)
    save_checkpoint(folder, checkpoint.model, dataclasses.replace(checkpoint.card, **fields))


def test_nothing_else_is_replaced(members, ham_folder, capsys):
    before = (members / "one" / "card.json").read_bytes()
    command = ["ensemble", "--members", "one", "two", "--data", str(ham_folder), "--out"]
    assert main([*command, str(members / "one"), "--replace"]) == 1
    assert "is what this command reads" in capsys.readouterr().err
    card = Card("both", "student", "cnn2", HAM10000.classes, 32, HAM10000.mean, HAM10000.std)
    save_checkpoint(members / "both", build_model("cnn2", 7), card)
    assert main([*command, str(members / "both")]) == 1
    assert "--replace" in capsys.readouterr().err
    assert main([*command, str(members / "both"), "--replace"]) == 0
    assert load_checkpoint(members / "both").card.members == ("cnn2", "cnn2")
    assert (members / "one" / "card.json").read_bytes() == before


def test_the_mean_of_two_is_a_checkpoint(members, ham_folder):
    assert _join(members, ham_folder, "one", "two") == 0
    both, one, two = (load_checkpoint(members / name) for name in ("both", "one", "two"))
    assert both.card.members == ("cnn2", "cnn2")
    assert (both.card.name, both.card.title, both.card.role) == ("both", "Both", "teacher")
    assert set(both.card.train_groups) == {*one.card.train_groups, *two.card.train_groups}
    assert both.card.train_images == ("one", "two")
    assert one.hash[:12] in both.card.provenance
    assert both.card.licence == "CC BY-NC 4.0"
    assert both.card.metrics["test"]["n"] == len(
        Predictions.load(members / "both" / "predictions-test.npz")
    )
    saved = Predictions.load(members / "both" / "predictions-val.npz")
    for name in ("one", "two"):
        out = ["--out", str(members / f"{name}.npz"), "--split", "val", "--data", str(ham_folder)]
        assert main(["predict", "--checkpoint", str(members / name), *out]) == 0
    logits = [Predictions.load(members / f"{name}.npz").logits for name in ("one", "two")]
    assert np.allclose(saved.logits, np.mean(logits, 0), atol=1e-5)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"input_size": 48}, "one and two differ in input size: 32 and 48."),
        ({"mean": (0.1, 0.2, 0.3)}, "differ in mean: (0.763"),
        ({"recipe": SPLIT | {"split_seed": 1}}, "differ in split seed: 0 and 1."),
        ({"recipe": {}}, "The card of two does not say by which split"),
        ({"classes": ("a", "b", "c", "d", "e", "f", "g")}, "differ in classes: ('akiec'"),
    ],
    ids=str,
)
def test_members_that_do_not_fit_each_other(members, ham_folder, capsys, fields, problem):
    _change(members / "two", **fields)
    assert _join(members, ham_folder, "one", "two") == 1
    error = capsys.readouterr().err
    assert problem in error and "needs two or more single networks of the same" in error
    assert not (members / "both").exists()


def test_one_member_or_a_leaking_one_is_refused(members, ham_folder, capsys):
    assert _join(members, ham_folder, "one") == 1
    assert _join(members, ham_folder, "one", "one") == 1
    assert "The weights of one are named twice." in capsys.readouterr().err
    everything = [s.lesion_id for s in Ham10000.open(ham_folder).samples]
    _change(members / "two", train_groups=hash_groups(everything))
    assert _join(members, ham_folder, "one", "two") == 1
    assert "was trained on" in capsys.readouterr().err
    assert not (members / "both").exists()
