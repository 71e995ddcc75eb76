"""`import` turns a CSV into predictions that `evaluate` measures like its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kdcore.cli.main import main
from kdcore.predict import Predictions, to_csv
from tests.evaluate.makers import CLASSES, make_predictions


def test_import_and_evaluate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, out, target = make_predictions(150), tmp_path / "p.npz", tmp_path / "r.json"
    (tmp_path / "theirs.csv").write_text(to_csv(before), encoding="utf-8")
    before.save(tmp_path / "ours.npz")
    command = ["import", str(tmp_path / "theirs.csv"), "--classes", "ham10000", "--out", str(out)]
    assert main([*command, "--split", "test", "--json", str(target)]) == 0
    assert json.loads(target.read_text())["notes"] == []
    assert "150 predictions of theirs" in capsys.readouterr().out
    scores = []
    for file in (out, tmp_path / "ours.npz"):
        arguments = ["--resamples", "50", "--json", str(target)]
        assert main(["evaluate", "--predictions", str(file), *arguments]) == 0
        result = json.loads(target.read_text())
        scores.append([result[k][end] for k in ("accuracy", "nll") for end in ("value", "low")])
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)


def test_lesions_and_attributes_of_the_same_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = make_predictions(60)
    known = replace(known, attributes={"sex": np.array(["female", "male", ""] * 20)})
    known.save(tmp_path / "known.npz")
    lines = ["id;label;" + ";".join(f"logit_{c}" for c in CLASSES)]
    for k in (5, 3, 1):
        lines.append(";".join([known.sample_ids[k], "5", *(f"{v:.6f}" for v in known.logits[k])]))
    lines.append(";".join(["else", "0", *["1"] * 7]))
    (tmp_path / "x.csv").write_text("\n".join(lines), encoding="utf-8")
    target = tmp_path / "r.json"
    options = ["--logits", "--name", "other", "--like", str(tmp_path / "known.npz")]
    paths = ["--out", str(tmp_path / "p.npz"), "--json", str(target)]
    assert main(["import", str(tmp_path / "x.csv"), *paths, *options]) == 0
    found = Predictions.load(tmp_path / "p.npz")
    assert found.group_ids.tolist() == [*known.group_ids[[5, 3, 1]], "else"]
    assert found.attributes["sex"].tolist() == ["", "female", "male", ""]
    np.testing.assert_allclose(found.logits[:3], known.logits[[5, 3, 1]], atol=1e-5)
    assert found.checkpoint == "other"
    assert json.loads(target.read_text())["lesions"] == len(set(found.group_ids))
    assert "without a known lesion: 1 of 4" in capsys.readouterr().out


def test_classes_by_name(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,label,a,b\n1,b,0.25,0.75\n")
    command = ["import", str(tmp_path / "x.csv"), "--out", str(tmp_path / "p.npz"), "--classes"]
    assert main([*command, "b, a"]) == 0
    assert Predictions.load(tmp_path / "p.npz").labels.tolist() == [0]


def test_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out, target = tmp_path / "theirs", tmp_path / "made", tmp_path / "r.json"
    folder.mkdir()
    for seed, name in enumerate(("first", "second")):
        text = to_csv(make_predictions(20, seed=seed))
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    command = ["import", str(folder), "--out", str(out), "--json", str(target)]
    assert main([*command, "--name", "x"]) == 1
    assert "--name is for one file" in capsys.readouterr().err
    assert main(command) == 0
    made = json.loads(target.read_text())["models"]
    assert [one["checkpoint"] for one in made] == ["first", "second"]
    assert [len(Predictions.load(one["file"])) for one in made] == [20, 20]
    (folder / "first.csv").write_text("id,label\n", encoding="utf-8")
    (out / "second.npz").unlink()
    assert main(command) == 1
    assert "first.csv" in capsys.readouterr().err
    assert not (out / "second.npz").exists()
