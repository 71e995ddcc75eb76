"""The causal mask on a network whose answer is known; pairs, figures and exports."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from kdcore.base import CheckpointError, SettingError
from kdcore.explain import (
    METHODS,
    causal_mask,
    colorize,
    difference_map,
    explain_one,
    explain_pair,
    export_zip,
    intervention_test,
    join,
    overlay,
    random_regions,
)
from kdcore.explain.maps import upsample
from kdcore.models import Card, Checkpoint, Classifier, build_model

FOR_ALL = [name for name in METHODS.names() if not METHODS.get(name).architectures]


class _Spot(Classifier):
    """Says class 1 as strongly as the image is bright in cell (1, 2) of an 8 × 8 grid."""

    architecture, stage_names = "spot", ("grid",)

    def forward_stages(self, images):
        return (torch.nn.functional.adaptive_avg_pool2d(images.clamp_min(0), 8),)

    def head(self, last):
        evidence = 8 * last[:, 0, 1, 2]
        return torch.stack([torch.ones_like(evidence), evidence], 1)


@pytest.fixture
def spot():
    image = torch.zeros(1, 3, 64, 64)
    image[:, :, 8:16, 16:24] = 1
    return image


def test_the_mask_finds_the_cell_and_removal_proves_it(spot):
    model = _Spot().eval()
    mask = causal_mask(model, spot, 1, q=1 / 64)
    assert np.argwhere(mask).tolist() == [[1, 2]]
    result = intervention_test(model, spot, 1, mask, regions=40, seed=3)
    assert result.probability == pytest.approx(1 / (1 + np.exp(-7)), abs=1e-6)
    left = float(result.removed[0, 0, 8:16, 16:24].mean())  # what blurring leaves of brightness 1
    assert left < 0.5
    assert result.drop == pytest.approx(result.probability - 1 / (1 + np.exp(1 - 8 * left)))
    assert (result.drop > result.random_drops).sum() >= 38
    assert result.p_value <= 3 / 41  # a random region may hit the one cell
    again = intervention_test(model, spot, 1, mask, regions=40, seed=3)
    assert np.array_equal(result.random_drops, again.random_drops)


def test_a_region_without_evidence_proves_nothing(spot):
    mask = np.zeros((8, 8), bool)
    mask[6, 6] = True
    result = intervention_test(_Spot().eval(), spot, 1, mask, regions=20)
    assert abs(result.drop) < 1e-3
    assert result.p_value > 0.1


@pytest.mark.parametrize("cells", [1, 5, 20, 64])
def test_random_regions_have_the_same_area(cells):
    mask = np.zeros(64, bool)
    mask[:cells] = True
    assert (random_regions(mask.reshape(8, 8), 10).sum((1, 2)) == cells).all()


@pytest.mark.parametrize("q", [0, -0.1, 1.1])
def test_a_fraction_out_of_range_is_named(spot, q):
    with pytest.raises(ValueError, match="q"):
        causal_mask(_Spot().eval(), spot, 1, q=q)


def test_difference_of_two_sizes_is_on_the_finer_grid():
    gap = difference_map(np.ones((8, 8), np.float32), np.zeros((16, 16), np.float32))
    assert gap.shape == (16, 16)
    assert np.allclose(gap, 1)
    with pytest.raises(ValueError, match="student"):
        difference_map(np.ones((8, 8), np.float32), np.full((8, 8), 2, np.float32))


def test_upsample_equals_opencv():
    cv2 = pytest.importorskip("cv2")
    small = np.random.default_rng(0).random((4, 5), dtype=np.float32)
    assert np.allclose(upsample(small, (33, 47)), cv2.resize(small, (47, 33)), atol=1e-5)


def test_opacity_zero_shows_the_image_and_one_the_colours():
    image = Image.new("RGB", (8, 8), (10, 200, 30))
    heat = np.zeros((4, 4), np.float32)
    assert overlay(image, heat, 0).getpixel((3, 3)) == (10, 200, 30)
    assert overlay(image, heat, 1).getpixel((3, 3)) == (0, 0, 4)


@pytest.mark.parametrize("name", ["inferno", "viridis"])
def test_lightness_rises_along_the_colour_map(name):
    colours = colorize(np.linspace(0, 1, 50, dtype=np.float32), name) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(colours) > -0.6).all()


def _checkpoint(name, size, classes=("a", "b", "c")):
    torch.manual_seed(size)
    model = build_model("cnn2", len(classes)).eval().requires_grad_(False)
    third = (0.5, 0.5, 0.5)
    card = Card(name, "student", "cnn2", classes, size, third, third)
    return Checkpoint(model, card, Path(name), "0" * 64)


@pytest.fixture(scope="module")
def picture():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("method", FOR_ALL)
def test_a_pair_shares_class_and_scale(picture, method):
    seen = []
    pair = explain_pair(
        _checkpoint("t", 48), _checkpoint("s", 32), picture, method,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert pair.teacher_map.shape == pair.difference.shape == (48, 48)
    assert pair.student_map.shape == (32, 32)
    assert pair.target == pair.student.target == int(pair.teacher.logits.argmax())
    assert seen[-1] == (2000, 2000)
    assert seen == sorted(seen)


def test_the_zip_holds_all_and_the_manifest_is_json(picture):
    pair = explain_pair(_checkpoint("big one", 48), _checkpoint("s", 32), picture, "grad-cam")
    with zipfile.ZipFile(io.BytesIO(export_zip(pair, extra={"shown_temperature": 4}))) as archive:
        files = {name.rpartition("_")[2]: archive.read(name) for name in archive.namelist()}
    assert set(files) == {"panel.png", "panel.svg", "maps.npz", "manifest.json"}
    manifest = json.loads(files["manifest.json"])
    assert manifest["teacher"]["weights_sha256"] == "0" * 64
    assert manifest["shown_temperature"] == 4
    with np.load(io.BytesIO(files["maps.npz"])) as maps:
        assert np.array_equal(maps["teacher"], pair.teacher_map)
    assert Image.open(io.BytesIO(files["panel.png"])).width > 1000


def test_what_does_not_fit_is_refused(picture):
    with pytest.raises(CheckpointError, match="different classes"):
        explain_pair(_checkpoint("t", 32), _checkpoint("s", 32, ("x", "y")), picture)
    with pytest.raises(SettingError, match="score-cam"):
        explain_one(_checkpoint("t", 32), picture, "scorecam")
    ours = explain_one(_checkpoint("t", 32), picture, "grad-cam", target=0)
    with pytest.raises(ValueError, match="target"):
        join(ours, explain_one(_checkpoint("t", 32), picture, "grad-cam", target=1))
