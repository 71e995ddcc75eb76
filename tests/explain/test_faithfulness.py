"""Insertion, deletion, drop and gain by loops, by the grad-cam package and on a known network."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from kdcore.base import Cancelled
from kdcore.explain import pixel_ranks, random_map, uniform_map
from kdcore.explain.baseline_maps import baseline_maps
from kdcore.explain.causal_mask import blurred
from kdcore.explain.faithfulness import faithfulness
from kdcore.models import build_model
from tests.explain.quadrants import (
    GAIN,
    SIDE,
    Quadrants,
    assert_unchanged,
    noise_picture,
    quadrant,
    state_of,
)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = build_model("cnn2", 5).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)  # so that the probabilities move
    return model


@pytest.fixture(scope="module")
def image():
    return torch.randn(1, 3, 24, 20, generator=torch.Generator().manual_seed(1))


def prob(model, image, target):
    with torch.no_grad():
        return float(model(image).logits.double().softmax(1)[0, target])


def by_loops(model, image, target, heatmap, steps):
    """Return both curves, one pixel and one picture after the other."""
    height, width = heatmap.shape
    order = sorted(range(height * width), key=lambda p: -heatmap[p // width, p % width])
    ins, dele = blurred(image).clone(), image.clone()
    curves = [[prob(model, ins, target)], [prob(model, dele, target)]]
    for step in range(1, steps + 1):
        low = round((step - 1) * height * width / steps)
        for p in order[low : round(step * height * width / steps)]:
            y, x = p // width, p % width
            ins[0, :, y, x] = image[0, :, y, x]
            dele[0, :, y, x] = 0
        curves[0].append(prob(model, ins, target))
        curves[1].append(prob(model, dele, target))
    return curves


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_equals_loops(model, image, steps, rng):
    maps = [rng.random((24, 20)).astype(np.float32) for _ in range(2)]
    found = faithfulness(model, image, 3, maps, steps=steps, batch_size=5)
    for heatmap, result in zip(maps, found):
        insertion, deletion = by_loops(model, image, 3, heatmap, steps)
        assert np.allclose(result.insertion, insertion, atol=1e-5)
        assert np.allclose(result.deletion, deletion, atol=1e-5)
        area = sum((a + b) / 2 for a, b in pairwise(insertion)) / steps
        assert result.insertion_auc == pytest.approx(area, abs=1e-2)  # steps of whole pixels


def test_drop_and_gain_equal_the_package(model, image, rng):
    from pytorch_grad_cam.metrics.cam_mult_image import (
        CamMultImageConfidenceChange,
        DropInConfidence,
    )
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget

    class Logits(torch.nn.Module):
        def forward(self, x):
            return model(x).logits

    heatmap = rng.random((24, 20)).astype(np.float32)
    for target in range(5):
        targets = [ClassifierOutputSoftmaxTarget(target)]
        given = (image, heatmap[None], targets, Logits())
        (result,) = faithfulness(model, image, target, [heatmap], steps=1)
        change = float(CamMultImageConfidenceChange()(*given)[0])
        assert result.masked_probability - result.probability == pytest.approx(change, abs=1e-5)
        fall = float(np.ravel(DropInConfidence()(*given))[0])
        assert result.drop * result.probability == pytest.approx(fall, abs=1e-5)
        assert result.gain * (1 - result.probability) == pytest.approx(max(0, change), abs=1e-5)


def test_the_right_map_follows_the_closed_form_and_beats_the_others():
    model, image = Quadrants(), noise_picture()
    right = quadrant(2).astype(np.float32)
    maps = [right, *baseline_maps(image, (1, 1, 1)).values(), quadrant(1).astype(np.float32)]
    first, *others = faithfulness(model, image, 2, maps)
    # Its own quadrant comes back in the first quarter, the other three afterwards.
    share = np.linspace(0, 1, 17)
    own = np.exp(GAIN / 2 * np.minimum(4 * share, 1))
    rest = np.exp(GAIN / 2 * np.maximum(0, (share - 0.25) / 0.75))
    assert np.abs(first.insertion - own / (own + 3 * rest)).max() < 0.12  # ties, and a soft blur
    assert first.insertion[4] == first.insertion.max() > 0.9
    assert first.deletion[4] == first.deletion.min() < 0.01
    assert all(first.insertion_auc > other.insertion_auc + 0.1 for other in others)
    assert all(first.deletion_auc < other.deletion_auc - 0.05 for other in others)
    assert first.gain > 0.9 and first.drop == 0
    assert others[-1].drop > 0.9 and others[-1].gain == 0


def test_ties_are_chance_not_reading_order():
    ranks = pixel_ranks(uniform_map((30, 30)), seed=1)
    assert sorted(ranks.ravel()) == list(range(900))
    assert abs(np.corrcoef(ranks.ravel(), np.arange(900))[0, 1]) < 0.1
    assert np.array_equal(ranks, pixel_ranks(uniform_map((30, 30)), seed=1))
    assert not np.array_equal(ranks, pixel_ranks(uniform_map((30, 30)), seed=2))
    half = np.zeros((4, 4), np.float32)
    half[2:] = 0.5
    assert set(pixel_ranks(half)[2:].ravel()) == set(range(8))


def test_a_uniform_map_shows_the_whole_picture(model, image):
    (result,) = faithfulness(model, image, 1, [uniform_map((24, 20))])
    assert result.masked_probability == pytest.approx(result.probability)
    assert result.drop == pytest.approx(0, abs=1e-6)


def test_both_ends_are_shared_and_areas_lie_in_the_unit_interval(model, image, rng):
    maps = [random_map((24, 20), seed) for seed in range(3)]
    for result in faithfulness(model, image, 0, maps, steps=4):
        assert result.insertion[-1] == result.deletion[0] == result.probability
        assert 0 <= result.insertion_auc <= 1 and 0 <= result.deletion_auc <= 1
        assert result.fractions.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_batches_change_nothing_and_are_full(model, image):
    maps, seen = [random_map((24, 20), s) for s in range(3)], []
    one = faithfulness(model, image, 0, maps, steps=4, batch_size=1)
    many = faithfulness(
        model, image, 0, maps, steps=4, batch_size=10, progress=lambda d, t: seen.append((d, t))
    )
    assert seen == [(10, 24), (20, 24), (24, 24)]
    for a, b in zip(one, many):
        assert np.allclose(a.insertion, b.insertion, atol=1e-6)
        assert np.allclose(a.deletion, b.deletion, atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_the_model_is_unchanged_on_cancelling_too(image, training):
    model = build_model("cnn2", 5).train(training)
    before, asked = state_of(model), iter([False, True])
    with pytest.raises(Cancelled):
        faithfulness(
            model, image, 0, [uniform_map((24, 20))], batch_size=8, cancelled=lambda: next(asked)
        )
    assert_unchanged(model, before)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"steps": 0}, "steps"),
        ({"batch_size": 0}, "batch_size"),
        ({"target": 5}, "target"),
        ({"heatmaps": [np.ones((20, 24), np.float32)]}, "heatmap"),
        ({"heatmaps": [np.full((24, 20), 1.1, np.float32)]}, "heatmap"),
        ({"heatmaps": [np.full((24, 20), np.nan, np.float32)]}, "heatmap"),
        ({"tensor": torch.zeros(3, 24, 20)}, "tensor"),
    ],
)
def test_bad_arguments_are_named(model, image, change, word):
    given = {"tensor": image, "target": 0, "heatmaps": [uniform_map((24, 20))]}
    with pytest.raises(ValueError, match=word):
        faithfulness(model, **(given | change))


def test_no_map_no_result(model, image):
    assert faithfulness(model, image, 0, []) == ()


def test_baselines_are_heatmaps_that_differ():
    image = noise_picture()
    maps = baseline_maps(image, (0.1, 0.2, 0.3), seed=3)
    for values in maps.values():
        assert values.shape == (SIDE, SIDE) and values.dtype == np.float32
        assert values.min() >= 0 and values.max() <= 1
    centre = maps["centre"]
    assert np.allclose(centre, centre[::-1, ::-1]) and np.allclose(centre, centre.T)
    assert centre.max() == centre[15, 15] and centre.min() == centre[0, 0] == 0
    assert not np.array_equal(maps["random"], random_map((SIDE, SIDE), 4))
    assert np.array_equal(maps["random"], random_map((SIDE, SIDE), 3))


def test_edges_are_where_the_luminance_changes():
    image = torch.zeros(1, 3, 64, 64)
    image[:, :, :, 32:] = 2
    edges = baseline_maps(image, (0.2, 0.2, 0.2))["edges"]
    assert set(edges.argmax(1)) <= {31, 32}
    assert edges[:, :16].max() < 0.01
    assert baseline_maps(torch.ones(1, 3, 32, 32), (1, 1, 1))["edges"].max() == 0


def test_edges_equal_opencv(rng):
    cv2 = pytest.importorskip("cv2")
    std, rgb = (0.1, 0.2, 0.3), rng.random((48, 64, 3))
    image = torch.from_numpy(((rgb - 0.5) / std).transpose(2, 0, 1)[None].astype(np.float32))
    grey = cv2.cvtColor(rgb.astype(np.float32), cv2.COLOR_RGB2GRAY)
    down, right = (
        cv2.Sobel(grey, cv2.CV_64F, dx, 1 - dx, borderType=cv2.BORDER_REFLECT) for dx in (0, 1)
    )
    sigma = 48 / 32
    blurry = cv2.GaussianBlur(np.hypot(down, right), (13, 13), sigma, borderType=cv2.BORDER_REFLECT)
    expected = (blurry - blurry.min()) / np.ptp(blurry)
    assert np.abs(baseline_maps(image, std)["edges"] - expected).max() < 1e-3
