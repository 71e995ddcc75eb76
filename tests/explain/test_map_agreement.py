"""Agreement of heatmaps against SciPy, torchmetrics and loops over the cells."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torchmetrics.functional.image import structural_similarity_index_measure

from kdcore.explain.empty_map import empty_maps, is_empty, which_empty, why_empty
from kdcore.explain.map_agreement import MEASURES, TOP, agreement, map_agreement
from kdcore.explain.maps import finish_cam, upsample


def make(n, side=28, seed=0, cells=4):
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(n, cells, cells)).astype(np.float32)
    return np.stack([finish_cam(r, (side, side)) for r in raw])


@pytest.fixture
def pairs():
    first, second = make(6), make(6, seed=1)
    second[1] = first[1]
    second[2] = 1 - first[2]
    return first, second


def overlap(first, second):
    """The top fifth of the cells by a loop, never the cells at the minimum."""
    chosen = []
    for values in (first.ravel().tolist(), second.ravel().tolist()):
        best = sorted(range(len(values)), key=lambda i: (-values[i], i))
        best = best[: round(TOP * len(values))]
        chosen.append({i for i in best if values[i] > min(values)})
    return len(chosen[0] & chosen[1]) / len(chosen[0] | chosen[1])


def test_each_measure_is_what_others_compute(pairs):
    found = map_agreement(*pairs)
    assert list(found) == list(MEASURES)
    for i, (a, b) in enumerate(zip(*pairs)):
        x, y = a.ravel().astype(float), b.ravel().astype(float)
        tensors = (torch.from_numpy(m)[None, None].double() for m in (a, b))
        windows = structural_similarity_index_measure(
            *tensors, data_range=1.0, return_full_image=True
        )[1]  # also those that reach over the edge, where torchmetrics mirrors the map
        expected = {
            "pearson": stats.pearsonr(x, y)[0],
            "spearman": stats.spearmanr(x, y)[0],
            "cosine": float(x @ y / np.sqrt((x @ x) * (y @ y))),
            "ssim": float(windows[..., 5:-5, 5:-5].mean()),
            "iou": overlap(a, b),
        }
        for name, value in expected.items():
            assert found[name][i] == pytest.approx(value, abs=1e-6), name


def test_the_same_map_agrees_wholly_and_order_does_not_matter(pairs):
    same = map_agreement(pairs[0], pairs[0])
    assert all(values == pytest.approx(np.ones(6)) for values in same.values())
    for name, values in map_agreement(*pairs).items():
        assert values == pytest.approx(map_agreement(*pairs[::-1])[name])
    assert map_agreement(*pairs)["pearson"][2] == pytest.approx(-1)


def test_a_constant_map_has_no_agreement_but_ssim():
    flat, other = np.full((1, 28, 28), 0.5, np.float32), make(1)
    found = map_agreement(flat, other)
    assert np.isfinite(found.pop("ssim"))
    assert all(np.isnan(values) for values in found.values())


def test_empty_is_what_is_the_same_everywhere():
    maps = np.stack([np.zeros((12, 12), np.float32), np.full((12, 12), 0.5), make(1, side=12)[0]])
    assert empty_maps(maps).tolist() == [is_empty(m) for m in maps] == [True, True, False]
    assert [which_empty(*pair) for pair in ((False, False), (False, True), (True, True))] == [
        "",
        "the student's map is empty",
        "both maps are empty",
    ]
    assert "speaks for mel" in why_empty("Grad-CAM", "mel")
    assert "EfficientNet" in why_empty("Score-CAM (fast)", "mel")
    assert why_empty("Attention", None).endswith("the same everywhere in the picture.")


def test_shared_zeros_are_no_overlap():
    first, second = np.zeros((2, 1, 28, 28), np.float32)
    first[0, 3, 3] = second[0, 20, 20] = 1
    assert map_agreement(first, second)["iou"] == 0


def test_the_finer_grid_counts():
    coarse, fine = make(3, side=16), make(3, side=24, seed=1)
    grown = np.stack([upsample(m, (24, 24)) for m in coarse])
    for name, values in map_agreement(coarse, fine).items():
        assert values == pytest.approx(map_agreement(grown, fine)[name])
        assert values == pytest.approx(map_agreement(fine, coarse)[name])


def test_agreement_is_the_correlation_of_one_pair(pairs):
    assert agreement(pairs[0][0], pairs[1][0]) == pytest.approx(map_agreement(*pairs)["pearson"][0])
    assert np.isnan(agreement(np.zeros((8, 8), np.float32), make(1, side=8)[0]))


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        (np.zeros((2, 12, 12)), np.zeros((3, 12, 12)), "second"),
        (np.zeros((12, 12)), np.zeros((12, 12)), "first"),
        (np.full((1, 12, 12), 1.5), np.zeros((1, 12, 12)), "first"),
        (np.zeros((1, 12, 12)), np.full((1, 12, 12), np.nan), "second"),
        (np.zeros((0, 12, 12)), np.zeros((0, 12, 12)), "first"),
        (np.zeros((1, 8, 8)), np.zeros((1, 8, 8)), "11 or more"),
    ],
)
def test_what_is_refused(first, second, word):
    with pytest.raises(ValueError, match=word):
        map_agreement(first.astype(np.float32), second.astype(np.float32))
