"""Krippendorff's alpha against his published example, a package, a loop over pairs, and bounds."""

from __future__ import annotations

from itertools import permutations

import krippendorff
import numpy as np
import pytest

from kdcore.evaluate.krippendorff import alpha_interval, coincidences, ordinal_alpha

NAN = np.nan
# Krippendorff 2011, section C: four observers, twelve units, five levels, ordinal alpha 0.815.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)


def alpha(ratings: np.ndarray, levels: int = 5) -> float:
    return float(ordinal_alpha(coincidences(ratings, levels).sum(0)))


def by_pairs(ratings: np.ndarray, levels: int) -> float:
    """Alpha by its definition, pair by pair."""
    units = [[int(v) for v in unit if not np.isnan(v)] for unit in ratings.T]
    units = [unit for unit in units if len(unit) > 1]
    values = [v for unit in units for v in unit]
    n = [values.count(level) for level in range(levels + 1)]

    def distance(c: int, k: int) -> float:
        low, high = min(c, k), max(c, k)
        return (sum(n[low : high + 1]) - (n[c] + n[k]) / 2) ** 2

    within = sum(
        sum(distance(a, b) for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in units
    )
    between = sum(distance(a, b) for a, b in permutations(values, 2)) / (len(values) - 1)
    return 1 - within / between


def test_the_published_example() -> None:
    assert alpha(PUBLISHED) == pytest.approx(0.815, abs=5e-4)
    counted = coincidences(PUBLISHED, 5).sum(0)
    assert counted.sum() == pytest.approx(40)
    assert counted.sum(1) == pytest.approx([9, 13, 10, 5, 3])


@pytest.mark.parametrize("levels", [2, 3, 5])
@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_against_a_package_and_a_loop(
    rng: np.random.Generator, levels: int, missing: float
) -> None:
    for readers, units in ((2, 6), (5, 14)):
        for _ in range(10):
            truth = rng.integers(1, levels + 1, units)
            noise = rng.integers(-1, 2, (readers, units)) * (rng.random((readers, units)) < 0.5)
            ratings = np.clip(truth + noise, 1, levels).astype(float)
            ratings[rng.random(ratings.shape) < missing] = NAN
            ratings[0, :2] = ratings[1, :2] = (1, levels)  # two levels at least, in pairs
            expected = krippendorff.alpha(
                ratings, level_of_measurement="ordinal", value_domain=list(range(1, levels + 1))
            )
            assert alpha(ratings, levels) == pytest.approx(expected, abs=1e-10)
            assert alpha(ratings, levels) == pytest.approx(by_pairs(ratings, levels), abs=1e-10)


def test_edges_and_bounds(rng: np.random.Generator) -> None:
    same = np.tile(rng.integers(1, 6, 9), (3, 1)).astype(float)
    assert alpha(same) == pytest.approx(1)
    assert np.isnan(alpha(np.full((3, 4), 2.0)))
    assert np.isnan(alpha(same[:1]))
    assert np.isnan(alpha(np.full((2, 3), NAN)))
    assert np.isnan(alpha(np.empty((2, 0))))
    opposite = np.array([[1.0, 5, 1, 5], [5, 1, 5, 1]])
    assert alpha(opposite) < 0
    ratings = rng.integers(1, 6, (4, 20)).astype(float)
    assert alpha(ratings[::-1, ::-1]) == pytest.approx(alpha(ratings))
    assert alpha(6 - ratings) == pytest.approx(alpha(ratings)), "the scale may be turned round"
    chance = rng.integers(1, 6, (4, 4000)).astype(float)
    assert abs(alpha(chance)) < 0.03


@pytest.mark.parametrize("bad", [[[0.0, 1]], [[1.5, 2]], [[6.0, 1]], [1.0, 2]])
def test_what_is_no_rating_raises(bad: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="ratings"):
        coincidences(bad, 5)


def test_the_interval_draws_groups(rng: np.random.Generator) -> None:
    cases = np.repeat(np.arange(30), 2)
    truth = rng.integers(1, 6, 60)
    ratings = np.clip(truth + rng.integers(-1, 2, (3, 60)), 1, 5).astype(float)
    found = alpha_interval(ratings, cases, n_boot=400)
    assert found.value == pytest.approx(alpha(ratings))
    assert found.low < found.value < found.high
    drawn = []
    for _ in range(400):  # the same by hand: whole cases with both of their maps
        picked = rng.integers(0, 30, 30)
        columns = np.concatenate([[2 * c, 2 * c + 1] for c in picked])
        drawn.append(alpha(ratings[:, columns]))
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.05)
    one = alpha_interval(ratings, np.zeros(60), n_boot=50)
    assert one.value == pytest.approx(alpha(ratings)) and np.isnan(one.low)
