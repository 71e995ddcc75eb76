"""INT8 and float16: smaller, near the network, cancelled between steps, and the gates found."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest

from kdcore.base import Cancelled, ExportError
from kdcore.data import Sample
from kdcore.deploy import calibration
from kdcore.deploy import quantise as quantising
from kdcore.deploy.calibration import calibration_samples, export_pictures, stratified_samples
from kdcore.deploy.check import check_engine, drawn_images
from kdcore.deploy.engines import open_engine
from kdcore.deploy.export import export_bytes
from kdcore.deploy.float_parts import depthwise_after_swish, gates, join_swish, sensitive_parts
from kdcore.deploy.half import to_float16
from kdcore.deploy.quantise import quantise, sums_saturate
from tests.deploy.conftest import lively

CPU = Path("/proc/cpuinfo")


@pytest.fixture(scope="module")
def images(tiny):
    return drawn_images(tiny)


def test_int8(tiny, tiny_onnx, images):
    made = quantise(tiny_onnx, images, images)
    assert len(made.data) < 0.4 * len(tiny_onnx)
    check = check_engine(open_engine(made.data, "onnx"), tiny, images, "int8")
    assert check.noise < 0.2 and made.n_calibration == len(images)
    assert set(made.noises) >= {"", "first convolution", "classifier"} and made.slow_in_int8 == 0
    kinds = {n.op_type for n in onnx.load_from_string(made.data).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear", "Conv"} <= kinds
    # What is left in float has to have paid.
    best = made.noises[" + ".join(made.in_float)]
    assert best == made.noises[""] or best <= 0.8 * made.noises[""]


@pytest.mark.parametrize("bits", [7, 8])
@pytest.mark.parametrize("saturate", [True, False])
def test_weights_have_7_bits_only_where_that_is_nearer(
    monkeypatch, tiny_onnx, images, saturate, bits
):
    monkeypatch.setattr(quantising, "sums_saturate", lambda: saturate)
    noise = SimpleNamespace  # of the trials of 8 bits and of 7, in that order
    trials = iter([noise(noise=0.2), noise(noise=0.1 if bits == 7 else 0.3)])
    monkeypatch.setattr(quantising, "compare_logits", lambda *_: next(trials))
    made = quantise(tiny_onnx, images)
    assert made.weight_bits == (bits if saturate else 8)
    graph = onnx.load_from_string(made.data).graph
    weights = [w for w in map(onnx.numpy_helper.to_array, graph.initializer) if w.dtype == np.int8]
    largest = max(int(np.abs(w.astype(int)).max()) for w in weights if w.size > 1)
    assert largest == (64 if made.weight_bits == 7 else 127)


@pytest.mark.skipif(not CPU.exists(), reason="what the processor can do is only told on Linux")
def test_sums_do_not_saturate_with_vnni():
    if "vnni" in CPU.read_text():
        assert not sums_saturate()
    elif " avx2 " in CPU.read_text():
        assert sums_saturate()


@pytest.mark.slow
def test_int8_with_its_own_preprocessing(tiny, images):
    made = quantise(export_bytes(tiny, "onnx", folded=True), images)
    engine = open_engine(made.data, "onnx")
    assert check_engine(engine, tiny, images, "int8").noise < 0.2 and made.noises == {}
    assert engine.raw(np.zeros((5, 32, 32, 3), np.uint8)).shape == (5, 7)


def test_more_left_in_float_is_nearer(tiny_onnx, images):
    made = quantise(tiny_onnx, images, images)
    assert made.noises["classifier"] <= made.noises[""] * 1.05


def test_calibration_on_black_is_caught(tiny, tiny_onnx, images):
    made = quantise(tiny_onnx, 1e-3 * images[:1])
    with pytest.raises(ExportError, match="calibrate on more pictures"):
        check_engine(open_engine(made.data, "onnx"), tiny, images, "int8")


def test_float16(tiny, tiny_onnx, images):
    data = to_float16(tiny_onnx)
    assert len(data) < 0.6 * len(tiny_onnx)
    check = check_engine(open_engine(data, "onnx"), tiny, images, "float16")
    assert 1e-6 < check.noise < 1e-2
    with pytest.raises(ExportError, match="float16"):
        to_float16(b"no network")


def test_what_is_refused(tiny_onnx, images):
    with pytest.raises(ValueError, match="calibration: expected images"):
        quantise(tiny_onnx, images[:0])
    with pytest.raises(Cancelled):
        quantise(tiny_onnx, images, cancelled=lambda: True)
    with pytest.raises(ExportError, match="can't be opened"):
        quantise(b"no network", images)


def _graph(*nodes):
    made = [onnx.helper.make_node(o, i.split(), [n], name=n) for o, i, n in nodes]
    return onnx.helper.make_model(onnx.helper.make_graph(made, "g", [], []))


def test_gates_are_told_from_swish():
    model = _graph(
        ("Conv", "picture", "stem"),
        ("Sigmoid", "stem", "s1"),
        ("Mul", "stem s1", "swish"),
        ("ReduceMean", "swish", "pooled"),
        ("Conv", "pooled", "squeeze"),
        ("Sigmoid", "squeeze", "s2"),
        ("Mul", "squeeze s2", "swish2"),
        ("Conv", "swish2", "excite"),
        ("Sigmoid", "excite", "gate"),
        ("Mul", "swish gate", "gated"),
        ("Gemm", "gated", "head"),
    )
    assert set(gates(model)) == {"squeeze", "excite"}
    assert sensitive_parts(model) == {"first convolution": ("stem",), "classifier": ("head",)}
    assert join_swish(model) == 2 and join_swish(model) == 0
    assert set(gates(model)) == {"squeeze", "excite"}  # as before
    assert [n.name for n in model.graph.node if n.op_type == "QuickGelu"] == ["swish", "swish2"]
    assert gates(_graph(("Relu", "picture", "x"))) == ()


def test_depthwise_convolutions_between_swishes():
    model = _graph(
        ("Sigmoid", "x", "s"), ("Mul", "x s", "swish"), ("Conv", "swish", "deep"),
        ("Conv", "swish", "plain"), ("Relu", "x", "relu"), ("Conv", "relu", "other"),
    )  # fmt: skip
    for node in model.graph.node:
        if node.name in ("deep", "other"):
            node.attribute.append(onnx.helper.make_attribute("group", 8))
    join_swish(model)
    assert depthwise_after_swish(model) == ("deep",)


@pytest.mark.slow
def test_efficientnet():
    checkpoint = lively("efficientnet_b0", 64)
    images = drawn_images(checkpoint)
    made = quantise(export_bytes(checkpoint, "onnx"), images)
    assert made.slow_in_int8 == 3 * 16  # squeeze, excite and depthwise in each of 16 blocks
    kinds = [n.op_type for n in onnx.load_from_string(made.data).graph.node]
    assert kinds.count("QuickGelu") == 49 and kinds.count("Sigmoid") == 16
    check_engine(open_engine(made.data, "onnx"), checkpoint, images, "int8")


def test_classes_take_turns():
    labels = [0] * 50 + [1] * 6 + [2]
    samples = [Sample(f"i{n}", f"l{n}", "x", label) for n, label in enumerate(labels)]
    for n, counts in ((1, 1), (9, (4, 4, 1)), (20, (13, 6, 1)), (99, (50, 6, 1))):
        chosen = stratified_samples(samples, n)
        assert len({s.image_id for s in chosen}) == len(chosen) == min(n, 57)
        if n > 1:
            assert tuple(np.bincount([s.label for s in chosen])) == counts
    assert stratified_samples(samples, 9, 1) != stratified_samples(samples, 9, 2)
    with pytest.raises(ValueError, match="n: expected 1 or more"):
        stratified_samples(samples, 0)
    assert stratified_samples([], 3) == []


@pytest.mark.parametrize("classes", [1, 2, 7, 10])
def test_ranges_and_check_see_every_class(classes, monkeypatch):
    samples = [Sample(f"i{n}", f"l{n}", "x", n % classes) for n in range(400)]
    monkeypatch.setattr(
        calibration, "load_inputs", lambda c, d, chosen: np.array([int(s.label) for s in chosen])
    )
    chosen = calibration_samples(samples, 100)
    found = export_pictures(None, None, chosen)
    assert set(found.calibration) == set(found.check) == set(range(classes))
    assert abs(len(found.calibration) - len(found.check)) <= 1
    assert sorted([*found.calibration, *found.check]) == sorted(s.label for s in chosen)
    if classes % 2:  # the halves that the released INT8 files were made of
        assert found.calibration.tolist() == [s.label for s in chosen][::2]
    few = export_pictures(None, None, chosen[:2])
    assert len(few.calibration) == len(few.check) == 1
