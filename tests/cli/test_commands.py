"""The command line end to end on a small folder: results, JSON, exit codes, bad input."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from kdcore.base import ImageError, group_hash
from kdcore.cli.explain import TABLE, _pictures, _row
from kdcore.cli.main import COMMANDS, main
from kdcore.data import Ham10000, draw_lesion, read_image
from kdcore.models import list_checkpoints
from kdcore.predict import Predictions
from tests.conftest import TINY_RECIPE as RECIPE
from tests.conftest import write_tiny_checkpoint

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"
HEAD = ("accuracy", "balanced_accuracy", "macro_f1", "macro_auc", "nll", "ece")


@pytest.mark.parametrize("name", COMMANDS)
def test_help(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_data(ham_dataverse, tmp_path, capsys):
    assert main(["data", "--data", str(ham_dataverse), "--json", str(tmp_path / "d.json")]) == 0
    result = json.loads((tmp_path / "d.json").read_text())
    assert result["images"] == result["masks"] == 84
    assert sum(sum(c.values()) for c in result["counts"].values()) == 84
    assert "mel" in capsys.readouterr().out


def test_train_predict_evaluate(ham_folder, tmp_path, monkeypatch, make_ham, capsys):
    recipe, out = tmp_path / "tiny.toml", tmp_path / "checkpoints"
    recipe.write_text(RECIPE)
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(out))
    command = ["train", str(recipe), "--data", str(ham_folder)]
    assert main(command) == 0
    assert main(command) == 1  # the run folder is taken
    assert main([*command, "--resume"]) == 0
    card = list_checkpoints(out)[0]
    data = Ham10000.open(ham_folder)
    parts = zip(data.samples, data.parts(), strict=True)
    assert set(card.train_images) == {group_hash(s.image_id) for s, p in parts if p == "train"}
    assert card.ood["threshold"] > 0
    assert card.metrics["test"]["n"] == len(Predictions.load(out / "tiny/predictions-test.npz"))
    assert (out / "tiny/history.csv").exists()

    common = ["--checkpoint", "tiny", "--data", str(ham_folder)]
    saved = tmp_path / "p.npz"
    assert main(["predict", *common, "--out", str(saved)]) == 0
    shipped = Predictions.load(out / "tiny/predictions-test.npz")
    assert np.allclose(Predictions.load(saved).logits, shipped.logits, atol=1e-5)
    for found in (shipped, Predictions.load(saved)):
        assert set(found.attributes["sex"]) == {"male"}
        assert set(found.attributes["age"]) <= {"", "40-49"}
        assert set(found.attributes["brightness"]) == {"dark", "middle", "bright"}
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    by = ["--by", "age", "brightness", "--resamples", "20"]
    assert main(["evaluate", *common, *by, "--json", str(one)]) == 0
    groups = json.loads(one.read_text())["subgroups"]
    assert list(groups) == ["age", "brightness"]
    names = {row["brightness"] for row in groups["brightness"] if row["images"]}
    assert names == {"dark", "middle", "bright"}
    text = capsys.readouterr().out
    assert "By brightness, test part" in text and "fewer than 50" in text
    assert main(["evaluate", *common, "--by", "colour"]) == 1
    assert "no attribute 'colour', but" in capsys.readouterr().err
    assert main(["evaluate", *common, "--json", str(one)]) == 0
    capsys.readouterr()
    assert main(["evaluate", "--weights", "--data", str(ham_folder), "--json", str(two)]) == 0
    rows = json.loads(two.read_text())
    assert [(r["part"], r["from"]) for r in rows] == [
        (part, source) for part in ("val", "test") for source in ("predictions", "weights")
    ]
    assert all(r["largest difference"] < 1e-5 and r["figures"] > 100 for r in rows)
    assert "none differs by more" in capsys.readouterr().out
    arguments = ["--checkpoint", str(out / "tiny"), "--predictions", str(saved)]
    assert main(["evaluate", *arguments, "--json", str(two)]) == 0
    result = json.loads(one.read_text())
    assert {k: result[k] for k in HEAD} == {k: json.loads(two.read_text())[k] for k in HEAD}
    assert {k: card.metrics["test"][k]["value"] for k in HEAD} == pytest.approx(
        {k: result[k]["value"] for k in HEAD}, abs=1e-5
    )
    lesions = [s.lesion_id for s in Ham10000.open(ham_folder).samples]
    trained = sum(group_hash(lesion) in card.train_groups for lesion in lesions)
    for extra, excluded in (([], trained), (["--allow-training-images"], 0)):
        assert main(["evaluate", *common, "--split", "all", *extra, "--json", str(one)]) == 0
        result = json.loads(one.read_text())
        assert (result["n"], result["excluded_training_images"]) == (84 - excluded, excluded)


def test_a_card_that_its_predictions_do_not_give(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path))
    assert main(["evaluate"]) == 1
    assert "No card with predictions" in capsys.readouterr().err
    shutil.copytree(CHECKPOINTS / "resnet18-baseline", tmp_path / "mine")
    assert main(["evaluate"]) == 0
    assert "mine " in capsys.readouterr().out
    path = tmp_path / "mine" / "card.json"
    card = json.loads(path.read_text())
    card["metrics"]["test"]["macro_f1"]["low"] += 0.01
    path.write_text(json.dumps(card))
    assert main(["evaluate"]) == 1
    told = capsys.readouterr()
    assert "1.0e-02             macro_f1.low" in told.out
    assert "not given again: mine on test from predictions" in told.err
    (tmp_path / "mine" / "predictions-test.npz").unlink()
    assert main(["evaluate"]) == 0
    assert "mine: no predictions on test" in capsys.readouterr().err
    assert main(["evaluate", "--data", str(tmp_path)]) == 1
    assert "--data: cards are given again" in capsys.readouterr().err
    assert main(["evaluate", "--split", "val"]) == 1
    assert "--split: cards are given again" in capsys.readouterr().err
    assert main(["evaluate", "--weights", "--checkpoint", "mine"]) == 1
    assert "something else is named" in capsys.readouterr().err
    path.write_text(json.dumps(card | {"metrics": {"val": 3}}))
    assert main(["evaluate"]) == 1
    assert "not given again: mine on val from predictions" in capsys.readouterr().err
    path.write_text("{")
    assert main(["evaluate"]) == 1
    with pytest.raises(SystemExit):
        main(["evaluate", "mine"])
    assert "usage: python -m kdcore evaluate" in capsys.readouterr().err


def test_evaluate_a_folder_never_seen(ham_dataverse, tmp_path):
    """Lesions that the card does not know are measured, all of them."""
    known = tuple(group_hash(f"ELSE_{i}") for i in range(50))
    write_tiny_checkpoint(tmp_path / "net", "student", "mobilenet_v2", train_groups=known)
    target = tmp_path / "e.json"
    arguments = ["--checkpoint", str(tmp_path / "net"), "--data", str(ham_dataverse)]
    assert main(["evaluate", *arguments, "--split", "all", "--json", str(target)]) == 0
    result = json.loads(target.read_text())
    assert result["n"] == 84
    assert result["excluded_training_images"] == 0
    assert len(result["per_class"]) == 7
    for name in HEAD:
        assert result[name]["low"] <= result[name]["value"] <= result[name]["high"]


@pytest.fixture
def explain_arguments(tiny_checkpoints, tmp_path):
    image = tmp_path / "lesion.png"
    draw_lesion("mel", 1).save(image)
    teacher, student = (str(tiny_checkpoints / c.name) for c in list_checkpoints(tiny_checkpoints))
    pair = ["--teacher", teacher, "--student", student, "--out", str(tmp_path / "out")]
    return ["explain", str(image), *pair]


def test_explain_writes_maps_panel_and_manifest(explain_arguments, tmp_path):
    target = tmp_path / "x.json"
    assert main([*explain_arguments, "--method", "grad-cam", "--json", str(target)]) == 0
    result = json.loads(target.read_text())
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == result["files"]
    maps = np.load(next((tmp_path / "out").glob("*.npz")))
    assert maps["teacher"].min() >= 0
    assert maps["teacher"].max() <= 1
    assert sum(result["probabilities"]["teacher"].values()) == pytest.approx(1)


def test_explain_tells_of_empty_maps(explain_arguments, tmp_path, capsys, empty_maps_of):
    empty_maps_of("teacher", "student")
    command, image, *rest = explain_arguments
    target = tmp_path / "x.json"
    more = ["--method", "grad-cam", "--json", str(target)]
    assert main([command, image, str(target.parent / "lesion.png"), *rest, *more]) == 0
    said = capsys.readouterr().out
    assert "teacher: The map is empty: by Grad-CAM" in said and "student: The map" in said
    assert json.loads(target.read_text())["pictures"]["lesion"]["correlation"] is None
    table = (tmp_path / "out/answers.csv").read_text()
    assert table.strip().endswith(",") and "nan" not in table


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (["--target", "wart"], "no class 'wart'"),
        (["--stage", "9"], "--stage 9"),
        (["--opacity", "2"], "--opacity"),
        (["--student", "/nowhere"], "is not a checkpoint"),
    ],
)
def test_explain_bad_options(explain_arguments, capsys, extra, expected):
    assert main([*explain_arguments, *extra]) == 1
    assert expected in capsys.readouterr().err


def test_explain_several_pictures(explain_arguments, tmp_path, capsys):
    folder, target = tmp_path / "photos", tmp_path / "x.json"
    folder.mkdir()
    for name in ("a.png", "a.jpg", "b.png", ".hidden.png"):
        draw_lesion("nv", 2).save(folder / name)
    (folder / "c.png").write_text("hello")
    (folder / "notes.txt").write_text("no picture")
    command, image, *rest = explain_arguments
    more = ["--method", "grad-cam", "--json", str(target)]
    assert main([command, str(folder), image, *rest, *more]) == 1  # for c.png alone
    assert f"1 of 5 pictures were left out: {folder / 'c.png'}." in capsys.readouterr().err
    result = json.loads(target.read_text())
    assert list(result["left_out"]) == [str(folder / "c.png")]
    assert sorted(result["pictures"]) == ["a", "a.png", "b", "lesion"]
    rows = list(csv.DictReader((tmp_path / "out/answers.csv").open(encoding="utf-8")))
    assert [Path(row["picture"]).name for row in rows] == ["a.jpg", "a.png", "b.png", "lesion.png"]
    for row, (name, found) in zip(rows, result["pictures"].items(), strict=True):
        files = sorted(p.name for p in (tmp_path / "out" / name).iterdir())
        assert files == found["files"]
        for role in ("teacher", "student"):
            best = max(found["probabilities"][role].values())
            assert found["probabilities"][role][row[role]] == best
            assert float(row[f"{role}'s probability"]) == pytest.approx(best)
        assert float(row["correlation of the maps"]) == pytest.approx(found["correlation"])
        assert (row["picture"], row["folder"]) == (found["picture"], name)
    alone = [command, str(folder / "b.png"), *rest, "--method", "grad-cam"]
    assert main(alone) == 0
    assert (tmp_path / "out" / result["pictures"]["b"]["files"][0]).is_file()


def test_explain_gives_every_picture_a_folder_of_its_own(tmp_path):
    files = [tmp_path / name for name in ("a.png", "A.PNG", "a.jpg", "answers.csv.png")]
    (tmp_path / "more").mkdir()
    files.append(tmp_path / "more" / "a.png")
    for file in files:
        file.touch()
    named = _pictures([tmp_path, tmp_path, files[0], files[-1]], tmp_path / "out")
    assert sorted(named.values()) == sorted(files), "each of them once"
    folders = [name.casefold() for name in named]
    assert len(set(folders)) == len(files)
    assert TABLE not in folders
    empty = tmp_path / "empty"
    (empty / "inside").mkdir(parents=True)
    with pytest.raises(ImageError, match="no picture directly in"):
        _pictures([tmp_path / "more", empty], tmp_path / "out")
    beside = _pictures([tmp_path], tmp_path)  # their own folder: a file is no folder
    assert len(beside) == len(files) - 1 and not any((tmp_path / n).is_file() for n in beside)


def test_explain_names_that_are_no_text(explain_arguments, tmp_path):
    folder, target = tmp_path / "pictures", tmp_path / "x.json"
    folder.mkdir()
    draw_lesion("nv", 1).save(folder / os.fsdecode(b"b\xff.png"))
    more = ["--method", "grad-cam", "--json", str(target)]
    assert main(["explain", str(folder), *explain_arguments[2:], *more]) == 0
    assert list(json.loads(target.read_text(encoding="utf-8"))["pictures"]) == ["b\udcff"]
    assert "b\\udcff.png" in (tmp_path / "out" / TABLE).read_text(encoding="utf-8")


def test_a_row_of_answers():
    result = {
        "picture": "x/a.png",
        "probabilities": {"teacher": {"nv": 0.4, "mel": 0.6}, "student": {"nv": 0.7, "mel": 0.3}},
        "out_of_distribution": {"teacher": {"outside": True}, "student": {"outside": False}},
        "trained_on": ["student"],
        "correlation": 0.5,
    }
    assert _row("a", result) == ["x/a.png", "a", "mel", 0.6, 1, 0, "nv", 0.7, 0, 1, 0.5]
    result["out_of_distribution"]["student"] = None
    assert _row("a", result)[8] == ""


def test_a_cancelled_explain_keeps_what_was_finished(explain_arguments, tmp_path, monkeypatch):
    command, image, *rest = explain_arguments
    second = tmp_path / "second.png"
    draw_lesion("nv", 2).save(second)
    read = []

    def read_one(path):
        read.append(path)
        if len(read) == 2:
            raise KeyboardInterrupt
        return read_image(path)

    monkeypatch.setattr("kdcore.cli.explain.read_image", read_one)
    target = tmp_path / "x.json"
    more = ["--method", "grad-cam", "--json", str(target)]
    assert main([command, image, str(second), *rest, *more]) == 130
    assert list(json.loads(target.read_text())["pictures"]) == ["lesion"]
    assert len((tmp_path / "out" / TABLE).read_text().splitlines()) == 2


def test_explain_what_was_trained_on(explain_arguments, tmp_path, capsys):
    seen, target = tmp_path / "ISIC_0024306.png", tmp_path / "x.json"
    draw_lesion("nv", 2).save(seen)
    known = (group_hash("ISIC_0024306"),)
    card = write_tiny_checkpoint(tmp_path / "seen", "student", "mobilenet_v2", train_images=known)
    more = ["--student", str(tmp_path / card.name), "--method", "grad-cam", "--json", str(target)]
    command, image, *rest = explain_arguments
    for path, roles in ((seen, ["student"]), (Path(image), [])):
        assert main([command, str(path), *rest, *more]) == 0
        assert json.loads(target.read_text())["trained_on"] == roles
        assert ("The student was trained on it" in capsys.readouterr().err) == bool(roles)


def test_explain_a_folder_without_a_picture(explain_arguments, tmp_path, capsys):
    (tmp_path / "none").mkdir()
    assert main(["explain", str(tmp_path / "none"), *explain_arguments[2:]]) == 1
    assert "no picture directly in" in capsys.readouterr().err


def test_explain_what_is_no_image(explain_arguments, tmp_path, capsys):
    (tmp_path / "lesion.png").write_text("hello")
    assert main(explain_arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert "Traceback" not in error


def test_no_data_folder(monkeypatch, capsys):
    monkeypatch.delenv("DISTILSCOPE_DATA", raising=False)
    assert main(["data"]) == 1
    assert "DISTILSCOPE_DATA" in capsys.readouterr().err
