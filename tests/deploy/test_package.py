"""The zip works where only ONNX Runtime, NumPy and Pillow are, and says what it is not for."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from kdcore.base import ExportError
from kdcore.data import draw_lesion, read_image
from kdcore.deploy.export import FORMATS
from kdcore.deploy.make import Target, make_artefacts
from kdcore.deploy.metadata import NOTICE
from kdcore.deploy.package import SAID, example, package
from kdcore.predict import predict_image
from kdcore.predict.probabilities import softmax


def _run(folder, picture):
    # No module of this project or torch may be imported: what is left are the three that it needs.
    blocked = "import sys; sys.modules.update(dict.fromkeys(('torch', 'kdcore', 'torchvision')))\n"
    script = folder / "example.py"
    code = f"{blocked}import runpy; sys.argv = sys.argv[1:]; runpy.run_path({str(script)!r})"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, "example.py", str(picture)],
        cwd=folder.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {name: float(p) for name, p in rows}


@pytest.mark.parametrize("folded", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_example_in_the_zip(saved, made, tmp_path, folded):
    folder = made[0]
    if folded:
        make_artefacts(saved, tmp_path, (Target(folded=True),))
        path = tmp_path / "tiny-cnn2-float32-pixels.onnx"
    else:
        path = folder / "tiny-cnn2-float32.onnx"
    target = tmp_path / "packed" / "tiny.zip"
    printed = package(path, saved, target)
    assert sum(printed.values()) == pytest.approx(1, abs=1e-4)
    unpacked = tmp_path / "elsewhere"
    with zipfile.ZipFile(target) as archive:
        archive.extractall(unpacked)
    # A photograph on its side, not square: turned by EXIF, cut and shrunk as here.
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = tmp_path / "turned.jpg"
    draw_lesion("bcc", 8, (240, 160)).save(picture, exif=exif)
    found = _run(unpacked, picture)
    logits = predict_image(saved, read_image(picture).rgb).logits[None]
    wanted = softmax(logits / saved.card.temperature)[0]
    assert np.allclose([found[name] for name in saved.card.classes], wanted, atol=1e-4)
    assert next(iter(found)) == saved.card.classes[int(wanted.argmax())]
    readme = (unpacked / "README.txt").read_text()
    assert NOTICE in readme and "CC BY-NC 4.0" in readme
    assert (unpacked / "labels.txt").read_text().split() == list(saved.card.classes)
    assert json.loads((unpacked / "card.json").read_text())["name"] == "tiny-cnn2"


@pytest.mark.parametrize("index", [1, 2], ids=["torchscript", "export"])
@pytest.mark.slow
def test_the_example_of_torchs_own_formats(saved, made, tmp_path, index):
    folder, records = made
    printed = package(folder / records[index].file, saved, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        said = archive.read(SAID).decode()
        readme = archive.read("README.txt").decode()
        assert archive.testzip() is None
    assert "pip install torch numpy pillow" in readme and SAID in readme
    found = {name: float(p) for name, p in (line.split("\t") for line in said.splitlines())}
    assert found == printed
    logits = predict_image(saved, draw_lesion("mel", 15)).logits[None]
    wanted = softmax(logits / saved.card.temperature)[0]
    assert np.allclose([found[name] for name in saved.card.classes], wanted, atol=1e-4)


@pytest.mark.parametrize("form", FORMATS)
def test_the_example_is_a_short_program(form):
    text = example(form)
    ast.parse(text)
    assert len(text.splitlines()) <= 30 and max(map(len, text.splitlines())) <= 100
    imported = {
        line.split()[1] for line in text.splitlines() if line.startswith(("import", "from"))
    }
    runtime = "onnxruntime" if form == "onnx" else "torch"
    assert imported == {"json", "sys", "pathlib", "numpy", "PIL", runtime}


def test_what_is_not_packed(saved, made, tmp_path):
    folder, records = made
    target = tmp_path / "x.zip"
    with pytest.raises(ExportError, match="is not an export of"):
        package(folder / records[0].file, replace(saved, hash="other"), target)
    for name in (records[0].file, f"{records[0].file}.json"):
        shutil.copy(folder / name, tmp_path / name)
    (tmp_path / records[0].file).write_bytes(b"cut")
    with pytest.raises(ExportError, match="SHA-256 differs"):
        package(tmp_path / records[0].file, saved, target)
    assert not target.exists()


def test_an_example_that_answers_otherwise_is_no_package(saved, made, tmp_path):
    folder, records = made
    card = replace(saved.card, mean=(0.1, 0.2, 0.3))  # what it was exported with is another
    with pytest.raises(ExportError, match="does not answer as the network does"):
        package(folder / records[0].file, _other(saved, card), tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def _other(saved, card):
    """The same hash and another network: its last layer is turned around."""
    import copy

    model = copy.deepcopy(saved.model)
    model.fc.weight.neg_()
    model.fc.bias.neg_()
    return replace(saved, model=model, card=card)
