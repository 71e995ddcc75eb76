"""Files and their records: whole or not there, the same after a round trip, and never another."""

from __future__ import annotations

import errno
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from kdcore.base import Cancelled, DataError, ExportError, sha256_file
from kdcore.data import Ham10000
from kdcore.deploy import make
from kdcore.deploy.artefact import read_artefact, run_artefact
from kdcore.deploy.check import drawn_images, network_logits
from kdcore.deploy.export import export_bytes
from kdcore.deploy.make import Pictures, Target, make_artefacts
from kdcore.deploy.quality import predict_artefacts
from kdcore.predict import predict_dataset
from tests.conftest import REPO
from tests.deploy.conftest import lively


def test_records(made, saved):
    folder, records = made
    assert [r.file for r in records] == [
        "tiny-cnn2-float32.onnx",
        "tiny-cnn2-float32.pt",
        "tiny-cnn2-float32.pt2",
        "tiny-cnn2-float16.onnx",
    ]
    for record in records:
        path = folder / record.file
        assert read_artefact(path) == record
        assert record.sha256 == sha256_file(path) and record.size == path.stat().st_size
        assert record.checkpoint_hash == saved.hash and record.check.passed
        assert record.notes["checked_on"] == "drawn samples"
        assert record.check.same == round(record.check.n * record.check.agreement)
        assert (record.opset == 18) == (record.format == "onnx") and "torch" in record.versions
    assert {p.name for p in folder.iterdir()} == {
        name for r in records for name in (r.file, f"{r.file}.json")
    }


def test_every_file_runs(made, saved):
    folder, records = made
    images = drawn_images(saved)
    wanted = network_logits(saved, images)
    for record in records:
        engine = run_artefact(folder / record.file, threads=1)
        assert np.allclose(engine(images), wanted, atol=2e-2), record.file
        assert engine.metadata["precision"] == record.precision


def test_another_file_or_record_is_refused(made, tmp_path):
    folder, records = made
    path = tmp_path / records[0].file
    path.write_bytes((folder / path.name).read_bytes())
    with pytest.raises(ExportError, match="has no record"):
        run_artefact(path)
    record = tmp_path / f"{path.name}.json"
    for text in ("", "[]", '{"file": 1}', '{"check": {}}'):
        record.write_text(text)
        with pytest.raises(ExportError, match="record of .* can't be read"):
            run_artefact(path)
    record.write_bytes((folder / record.name).read_bytes())
    run_artefact(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ExportError, match="SHA-256 differs"):
        run_artefact(path)
    path.unlink()
    with pytest.raises(ExportError, match="can't be read: No such file"):
        run_artefact(path)


def test_nothing_is_left_of_what_went_wrong(saved, tmp_path):
    wrong = Pictures(check=np.full((2, 3, 32, 32), np.nan, np.float32))
    with pytest.raises(ExportError, match="does not run"):
        make_artefacts(saved, tmp_path, (Target("torchscript"),), wrong)
    with pytest.raises(ExportError, match="INT8 takes its ranges from pictures"):
        make_artefacts(saved, tmp_path, (Target("onnx", "int8"),))
    with pytest.raises(Cancelled):
        make_artefacts(saved, tmp_path, (Target(),), cancelled=lambda: True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "target", [Target("torchscript"), Target("export"), Target(), Target("onnx", "float16")]
)
def test_a_wrong_export_is_not_written(saved, tmp_path, monkeypatch, target):
    wrong = lively("cnn2")
    with torch.no_grad():
        wrong.model.conv2.weight.add_(torch.randn_like(wrong.model.conv2.weight))
    monkeypatch.setattr(make, "export_bytes", lambda c, *rest: export_bytes(wrong, *rest))
    with pytest.raises(ExportError, match="does not answer as the network does"):
        make_artefacts(saved, tmp_path, (target,))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_a_smaller_form_of_a_wrong_export_is_not_written(saved, tmp_path, monkeypatch, precision):
    wrong = lively("cnn2")
    with torch.no_grad():
        wrong.model.conv2.weight.mul_(1.04)  # less than what rounding to 8 bits may do
    monkeypatch.setattr(make, "export_bytes", lambda c, *rest: export_bytes(wrong, *rest))
    images = drawn_images(saved)
    with pytest.raises(ExportError, match="in float32 does not answer as the network does"):
        make_artefacts(saved, tmp_path, (Target("onnx", precision),), Pictures(images, images))
    assert list(tmp_path.iterdir()) == []


def test_what_was_finished_is_kept(saved, tmp_path):
    steps = []
    with pytest.raises(Cancelled):
        make_artefacts(
            saved,
            tmp_path,
            (Target("torchscript"), Target("export")),
            cancelled=lambda: len(steps) > 0,
            say=steps.append,
        )
    assert steps == ["torchscript in float32"]
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".json", ".pt"]


@pytest.mark.parametrize("target", [("tflite",), ("onnx", "int4"), ("torchscript", "int8")])
def test_targets_that_there_are_not(target):
    with pytest.raises(ExportError, match="There is no"):
        Target(*target)


# Writing stops at this many bytes, as on a full disk; the limit needs no rights to set.
LIMITED = """
import resource, signal, sys
from kdcore.cli.main import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_a_full_disk_leaves_nothing(saved, tmp_path):
    out = tmp_path / "out"
    command = ["export", str(saved.path), "--format", "torchscript", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *command], cwd=REPO, capture_output=True, text=True
    )
    assert done.returncode == 1 and "disk is full" in done.stderr
    assert list(out.iterdir()) == []


def test_a_file_that_can_not_be_written(saved, tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        make_artefacts(saved, tmp_path, (Target("torchscript"),))
    assert list(tmp_path.iterdir()) == []


def test_predictions_are_those_of_the_checkpoint(made, saved, ham_folder):
    folder, records = made
    data = Ham10000.open(ham_folder)
    samples, seen = data.samples[:40], []
    engines = [(r, run_artefact(folder / r.file)) for r in records[:2]]
    found = predict_artefacts(saved, engines, data, samples, "test", lambda *at: seen.append(at))
    wanted = predict_dataset(saved, data, samples, "test")
    assert seen == [(32, 40), (40, 40)]
    for record, predictions in zip(records, found):
        assert np.allclose(predictions.logits, wanted.logits, atol=1e-4)
        assert (predictions.sample_ids == wanted.sample_ids).all()
        assert predictions.checkpoint_hash == saved.hash
        assert predictions.meta["artefact"] == record.file
    with pytest.raises(DataError, match="no image"):
        predict_artefacts(saved, engines, data, (), "test")
    with pytest.raises(Cancelled):
        predict_artefacts(saved, engines, data, samples, "test", cancelled=lambda: True)


def test_the_record_is_plain_json(made):
    folder, records = made
    raw = json.loads((folder / f"{records[0].file}.json").read_text())
    assert raw["check"]["n"] == 11 and raw["quality"] == {} and raw["folded"] is False
