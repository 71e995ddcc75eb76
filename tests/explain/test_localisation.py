"""Pointing, energy, rank accuracy and overlap: known maps, loops, and what chance reaches."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import hypergeom

from kdcore.explain import pixel_ranks, uniform_map
from kdcore.explain.localisation import localisation


def disc(size, y, x, radius):
    rows, columns = np.ogrid[: size[0], : size[1]]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


LESION = disc((40, 50), 18, 24, 9)


def test_the_lesion_itself_is_the_best_map():
    (result,) = localisation([LESION.astype(np.float32)], LESION)
    assert (result.pointing, result.energy, result.rank_accuracy, result.iou) == (True, 1, 1, 1)
    assert result.area == LESION.mean()
    assert result.iou_top == pytest.approx(LESION.sum() / 400)  # top fifth of 2,000 pixels


def test_the_rest_of_the_picture_is_the_worst_map():
    (result,) = localisation([(~LESION).astype(np.float32)], LESION)
    assert (result.energy, result.rank_accuracy, result.iou, result.iou_top) == (0, 0, 0, 0)


def test_equals_loops(rng):
    heatmap = rng.random((40, 50)).astype(np.float32)
    (result,) = localisation([heatmap], LESION, tolerance=0.1, top=0.3)
    cells = [(heatmap[y, x], y, x) for y in range(40) for x in range(50)]
    cells.sort(reverse=True)
    inside = {(y, x) for y, x in np.argwhere(LESION)}
    assert result.energy == pytest.approx(
        sum(float(v) for v, y, x in cells if (y, x) in inside) / sum(float(c[0]) for c in cells)
    )
    for count, name in ((len(inside), "iou"), (600, "iou_top")):
        chosen = {(y, x) for _, y, x in cells[:count]}
        assert getattr(result, name) == pytest.approx(len(chosen & inside) / len(chosen | inside))
    chosen = {(y, x) for _, y, x in cells[: len(inside)]}
    assert result.rank_accuracy == pytest.approx(len(chosen & inside) / len(inside))
    assert result.iou == pytest.approx(result.rank_accuracy / (2 - result.rank_accuracy))
    hits = [min((y - a) ** 2 + (x - b) ** 2 for a, b in inside) <= 16 for _, y, x in cells]
    assert result.pointing == hits[0]
    assert result.expected_pointing == np.mean(hits)


@pytest.mark.parametrize(("x", "hit"), [(33, True), (35, True), (36, False)])
def test_a_near_miss_within_the_tolerance_is_a_hit(x, hit):
    heatmap = np.zeros((40, 50), np.float32)
    heatmap[18, x] = 1  # the lesion ends at column 33, two pixels are allowed
    assert localisation([heatmap], LESION, tolerance=0.05)[0].pointing is hit


def test_random_order_reaches_what_is_expected():
    maps = [uniform_map((40, 50))]
    found = [localisation(maps, LESION, seed=seed)[0] for seed in range(100)]
    first = found[0]
    for name, expected in (
        ("rank_accuracy", first.area),
        ("iou", first.expected_iou),
        ("iou_top", first.expected_iou_top),
        ("pointing", first.expected_pointing),
    ):
        values = np.array([getattr(f, name) for f in found], float)
        assert abs(values.mean() - expected) < 4 * values.std() / np.sqrt(100) + 1e-9, name
    assert all(f.energy == pytest.approx(f.area) for f in found)


def test_the_expected_overlap_by_hand():
    lesion = np.zeros((1, 4), bool)
    lesion[0, :2] = True  # 2 of 4 pixels; drawing 2: none, one or both at 1/6, 4/6, 1/6
    (result,) = localisation([uniform_map((1, 4))], lesion, top=0.25)
    assert result.expected_iou == pytest.approx(4 / 6 / 3 + 1 / 6)
    assert result.expected_iou_top == pytest.approx(0.5 * 0.5)  # one pixel: inside or not


def test_the_expected_overlap_equals_scipys_law():
    (result,) = localisation([uniform_map((40, 50))], LESION, top=0.3)
    inside, common = int(LESION.sum()), np.arange(601)
    chance = hypergeom.pmf(common, 2000, inside, 600)
    expected = (chance * common / (inside + 600 - common)).sum()
    assert result.expected_iou_top == pytest.approx(expected, rel=1e-9)


def test_zeros_say_nothing_of_where():
    zeros, ones = localisation([np.zeros((40, 50), np.float32), uniform_map((40, 50))], LESION)
    assert zeros == ones


def test_a_lesion_that_fills_the_picture_is_hit_by_anything(rng):
    (result,) = localisation([rng.random((6, 7)).astype(np.float32)], np.ones((6, 7), bool))
    assert (result.pointing, result.energy, result.rank_accuracy, result.iou) == (True, 1, 1, 1)
    assert result.expected_iou == result.expected_pointing == result.area == 1
    assert result.iou_top == result.expected_iou_top == pytest.approx(8 / 42)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"lesion": np.zeros((40, 50), bool)}, "lesion"),
        ({"lesion": LESION.astype(np.uint8)}, "lesion"),
        ({"lesion": LESION[None]}, "lesion"),
        ({"lesion": LESION.T}, "heatmap"),
        ({"tolerance": -0.1}, "tolerance"),
        ({"top": 0}, "top"),
        ({"top": 1.5}, "top"),
    ],
)
def test_bad_arguments_are_named(change, word):
    with pytest.raises(ValueError, match=word):
        localisation(**({"heatmaps": [uniform_map((40, 50))], "lesion": LESION} | change))


def test_the_order_is_that_of_the_faithfulness_metrics(rng):
    heatmap = rng.integers(0, 4, (40, 50)).astype(np.float32) / 3
    (result,) = localisation([heatmap], LESION, seed=9)
    top = pixel_ranks(heatmap, 9) < LESION.sum()
    assert result.rank_accuracy == LESION[top].mean()
