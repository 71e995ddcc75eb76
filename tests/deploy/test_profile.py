"""What a network costs: published counts, a count by hand, and layers that add up."""

from __future__ import annotations

import pytest
import torch

from kdcore.base import ExportError
from kdcore.deploy.make import Target, make_artefacts
from kdcore.deploy.profile import count_macs, peak_memory, profile_network
from kdcore.models import build_model


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        # torchvision's documentation of its weights (GFLOPS there are multiply-accumulates).
        ("resnet18", 1.81e9, 1.83e9),
        ("resnet50", 4.08e9, 4.13e9),
        ("mobilenet_v2", 0.30e9, 0.32e9),
        ("efficientnet_b0", 0.38e9, 0.41e9),
        ("ofa595", 595.1e6, 595.3e6),  # the authors' table, at its own 236 pixels
    ],
)
def test_published_counts(name, low, high):
    with torch.device("meta"):
        model = build_model(name, 1000).eval()
    assert low <= count_macs(model, 236 if name == "ofa595" else 224) <= high


def test_a_count_by_hand():
    model = build_model("cnn2", 7).eval()
    side = 48
    first, second = 3 * 16 * 9 * side**2, 16 * 32 * 9 * (side // 2) ** 2
    hidden, last = 32 * 8 * 8 * 256, 256 * 7
    found = profile_network(model, side, batch=2, repeats=3)
    assert found.macs == count_macs(model, side) == first + second + hidden + last
    by_name = {layer.name: layer for layer in found.layers}
    assert [by_name[n].macs for n in ("conv1", "conv2", "hidden", "fc")] == [
        first, second, hidden, last,
    ]  # fmt: skip
    assert list(by_name) == ["conv1", "conv2", "pool", "hidden", "fc"]
    assert by_name["conv1"].output == (2, 16, side, side)
    assert by_name["conv1"].kind == "Conv2d" and by_name["pool"].macs == 0
    assert found.parameters == sum(layer.parameters for layer in found.layers)
    assert found.parameters == sum(p.numel() for p in model.parameters())
    assert all(layer.milliseconds > 0 for layer in found.layers)
    assert found.milliseconds > 0 and found.batch == 2 and found.side == side


def test_the_model_is_left_alone():
    model = build_model("resnet18_cifar", 7)
    profile_network(model, 32, repeats=1)
    assert model.training
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    with pytest.raises(ValueError, match="expected 1 or more"):
        profile_network(model, 32, repeats=0)


@pytest.mark.parametrize("form", ["onnx", "torchscript", "export", "checkpoint"])
@pytest.mark.slow
def test_peak_memory_of_every_format(form, made, saved):
    folder, records = made
    files = {r.format: folder / r.file for r in records[:3]} | {"checkpoint": saved.path}
    memory = peak_memory(form, files[form], 32)
    # At least the two megabytes of weights; a process that imports a runtime has tens.
    assert memory.own > 2 and memory.before > 20


@pytest.mark.slow
def test_memory_grows_with_the_batch(saved, tmp_path):
    (record,) = make_artefacts(saved, tmp_path, (Target(folded=True),))
    small, large = (
        peak_memory("onnx", tmp_path / record.file, 32, n, folded=True) for n in (1, 512)
    )
    # Each image's first maps, float32 before and after the pooling.
    assert large.own - small.own > 512 * 16 * 32 * 32 * 4 / 1e6


def test_memory_of_no_network(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"none")
    with pytest.raises(ExportError, match=r"memory of x.onnx can't be measured"):
        peak_memory("onnx", tmp_path / "x.onnx", 32)
