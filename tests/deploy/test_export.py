"""Every architecture in every format answers as the network, for any batch; bad files are told."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from kdcore.base import Cancelled, ExportError
from kdcore.data import Preprocess, draw_lesion
from kdcore.deploy.check import check_engine, compare_logits, drawn_images
from kdcore.deploy.engines import open_engine
from kdcore.deploy.export import FORMATS, export_bytes
from kdcore.deploy.metadata import NOTICE
from kdcore.models import ARCHITECTURES, Checkpoint, Classifier, Output
from tests.deploy.conftest import lively

QUICK = ("cnn2",)
SLOW_ONNX = [f if f != "onnx" else pytest.param(f, marks=pytest.mark.slow) for f in FORMATS]


def _noise(checkpoint, n):
    side = checkpoint.card.input_size
    return np.random.default_rng(n).standard_normal((n, 3, side, side)).astype(np.float32)


def _agrees(checkpoint, form, folded=False):
    engine = open_engine(export_bytes(checkpoint, form, folded), form)
    for n in (1, 5):  # a batch of one and another than it was traced with
        images = drawn_images(checkpoint)[:n] if folded else _noise(checkpoint, n)
        check = check_engine(engine, checkpoint, images, "float32")
        assert check.n == n and check.noise < 1e-4 and check.agreement == 1
    return engine


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("architecture", QUICK)
def test_quick_networks(architecture, form):
    _agrees(lively(architecture), form)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", [n for n in ARCHITECTURES.names() if n not in QUICK])
def test_every_network(architecture):
    checkpoint = lively(architecture)
    for form in FORMATS:
        _agrees(checkpoint, form)


@pytest.mark.parametrize("form", SLOW_ONNX)
def test_an_ensemble_and_its_own_preprocessing(form):
    checkpoint = lively("ensemble", 32, ("cnn2", "cnn2"))
    engine = _agrees(checkpoint, form, folded=True)
    # Pixels as they come are what a person would pass; the same as the preprocessing here.
    prepare = Preprocess(32, checkpoint.card.mean, checkpoint.card.std)
    square = prepare.crop(draw_lesion("mel", 15))
    got = engine.raw(np.array(square)[None])
    assert got.dtype == np.float32 and got.shape == (1, 7)
    wanted = checkpoint.model(prepare.tensor(square)[None]).logits.numpy()
    assert compare_logits(wanted, got, "float32").passed


def test_the_onnx_file_says_what_it_is(tiny, tiny_onnx):
    said = open_engine(tiny_onnx, "onnx").metadata
    assert json.loads(said["classes"]) == list(tiny.card.classes)
    assert json.loads(said["mean"]) == list(tiny.card.mean)
    assert said["licence"] == "CC BY-NC 4.0" and said["notice"] == NOTICE
    assert said["weights_sha256"] == tiny.hash and len(said["card_sha256"]) == 64
    model = onnx.load_from_string(tiny_onnx)
    assert [o.version for o in model.opset_import if not o.domain] == [18]
    assert not model.graph.input[0].type.tensor_type.shape.dim[0].HasField("dim_value")
    assert b"/kdcore/" not in tiny_onnx  # nobody's folders


def test_against_onnx_own_interpreter(tiny, tiny_onnx):
    images = _noise(tiny, 3)
    (wanted,) = ReferenceEvaluator(onnx.load_from_string(tiny_onnx)).run(None, {"images": images})
    assert np.allclose(open_engine(tiny_onnx, "onnx")(images), wanted, atol=1e-5)


@pytest.mark.parametrize("form", FORMATS)
def test_wrong_weights_are_caught(tiny, form):
    other = lively("cnn2")
    with torch.no_grad():
        other.model.conv2.weight.mul_(1.01)
    engine = open_engine(export_bytes(other, form), form)
    with pytest.raises(ExportError, match="does not answer as the network"):
        check_engine(engine, tiny, drawn_images(tiny), "float32")


def test_the_network_is_left_as_it_was(tiny):
    before = {k: v.clone() for k, v in tiny.model.state_dict().items()}
    export_bytes(tiny, "torchscript")
    assert not tiny.model.training
    assert all(torch.equal(v, before[k]) for k, v in tiny.model.state_dict().items())


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("cut", [0, 3, 5000])
def test_damaged_files(tiny, tiny_onnx, form, cut):
    data = tiny_onnx if form == "onnx" else export_bytes(tiny, "torchscript")
    with pytest.raises(ExportError, match=f"broken.x can't be opened as {form}"):
        open_engine(data[:cut], form, name="broken.x")


def test_a_file_from_elsewhere(tiny_onnx):
    model = onnx.load_from_string(tiny_onnx)
    del model.metadata_props[:]
    with pytest.raises(ExportError, match="not exported by DistilScope"):
        open_engine(model.SerializeToString(), "onnx")


class _Odd(Classifier):
    """Chooses its way by the data, which no format holds."""

    architecture, stage_names = "odd", ("only",)

    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 7)

    def forward(self, images):
        mean = images.mean((2, 3))
        return Output(self.fc(mean) if float(mean.sum()) > 0 else -self.fc(mean), (images,))


@pytest.mark.parametrize("form", ["onnx", "export"])
def test_what_a_format_can_not_hold(tiny, form):
    odd = Checkpoint(_Odd().eval(), tiny.card, tiny.path, tiny.hash)
    with pytest.raises(ExportError, match=f"can't be exported as {form}") as caught:
        export_bytes(odd, form)
    assert "Choose another format" in caught.value.hint


def test_what_is_refused(tiny):
    with pytest.raises(ValueError, match="form: expected one of onnx"):
        export_bytes(tiny, "tflite")
    with pytest.raises(Cancelled):
        export_bytes(tiny, "export", cancelled=lambda: True)


def test_the_noise_is_what_it_is_called(rng):
    wanted, delta = rng.normal(size=(2, 40, 7))
    wanted -= wanted.mean(1, keepdims=True)
    check = compare_logits(wanted + 5, wanted + 5 + 0.01 * delta, "int8")  # 5: no softmax sees it
    assert check.noise == pytest.approx(0.01 * np.linalg.norm(delta) / np.linalg.norm(wanted))
    assert check.max_delta == pytest.approx(0.01 * np.abs(delta).max())
    assert compare_logits(wanted, -wanted, "int8").noise == pytest.approx(2)
    assert compare_logits(wanted, wanted, "float32").agreement == 1
    assert not compare_logits(np.zeros((1, 3)), np.ones((1, 3)), "int8").passed
    for bad in (wanted[:3], wanted * np.nan):
        with pytest.raises(ValueError, match="logits: expected"):
            compare_logits(wanted, bad, "int8")
    with pytest.raises(ValueError, match="precision: expected one of"):
        compare_logits(wanted, wanted, "int4")


def test_numbers_that_are_not_finite_are_caught(tiny):
    spoilt = replace(tiny, card=tiny.card)
    with pytest.raises(ExportError, match="does not run: .*finite"):
        check_engine(lambda x: np.full((len(x), 7), np.nan), spoilt, _noise(tiny, 2), "float32")
