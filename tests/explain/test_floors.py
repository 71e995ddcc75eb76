"""Floors of agreement: other images by their rules, and their means by a loop."""

from __future__ import annotations

import numpy as np
import pytest

from kdcore.explain.baseline_maps import centre_map
from kdcore.explain.floors import DRAWS, agreement_columns, other_images
from kdcore.explain.map_agreement import map_agreement
from tests.explain.test_map_agreement import make


@pytest.mark.parametrize("seed", range(5))
def test_the_other_image_is_of_the_same_kind_and_another_lesion(seed):
    rng = np.random.default_rng(seed)
    kind, lesion = rng.integers(0, 4, 200), rng.integers(0, 120, 200)
    others = other_images(kind, lesion, seed)
    assert (others >= 0).all()
    assert sorted(others.tolist()) == list(range(200))  # nobody's map is used twice
    assert (kind[others] == kind).all()
    assert (lesion[others] != lesion).all()
    assert np.array_equal(others, other_images(kind, lesion, seed))
    assert not np.array_equal(others, other_images(kind, lesion, seed + 1))


def test_no_other_image_is_said_so():
    assert other_images([0, 1, 1], ["a", "b", "b"], 0).tolist() == [-1, -1, -1]
    found = other_images([0] * 5, ["a", "a", "a", "a", "b"], 0)
    assert (found >= 0).sum() == 2  # b and whoever is given to it
    assert other_images([], [], 0).shape == (0,)


def test_columns_are_the_measures_and_means_over_the_draws():
    teacher, student = make(12), make(12, seed=1)
    target, lesions = np.arange(12) % 2, [f"lesion {i // 2}" for i in range(12)]
    found = agreement_columns(teacher, student, target, lesions, seed=3)
    expected = map_agreement(teacher, student)
    blob = np.stack([centre_map((28, 28))] * 12)
    for name in expected:
        assert found[name] == pytest.approx(expected[name], abs=1e-6)
        centre = map_agreement(teacher, blob)[name]
        assert found[f"{name}_centre"] == pytest.approx(centre, abs=1e-6)
    for suffix, kind in (("mismatched", target), ("mismatched_any", np.zeros(12))):
        draws = [other_images(kind, lesions, 3 * DRAWS + d) for d in range(DRAWS)]
        for i in range(12):
            own = [
                map_agreement(teacher[d[i]][None], student[i][None])["pearson"][0] for d in draws
            ]
            assert found[f"pearson_{suffix}"][i] == pytest.approx(np.mean(own), abs=1e-6)


def test_maps_of_the_same_place_everywhere_are_no_better_than_their_floor():
    maps = np.repeat(make(1), 8, axis=0)
    found = agreement_columns(maps, maps, [0] * 8, np.arange(8))
    assert found["pearson"] == pytest.approx(1)
    assert found["pearson_mismatched"] == pytest.approx(1)


def test_an_image_without_another_has_no_floor():
    found = agreement_columns(make(3), make(3, seed=1), [0, 1, 1], ["a", "b", "b"])
    assert np.isnan(found["pearson_mismatched"]).all()
    assert np.isfinite(found["pearson"]).all()
    assert np.isfinite(found["pearson_mismatched_any"][0])
