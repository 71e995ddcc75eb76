"""Fronts and the best within limits, against loops over all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from kdcore.evaluate.pareto import best_within, pareto_front

NAN = float("nan")


def beats(a, b) -> bool:
    return a[0] <= b[0] and a[1] >= b[1] and (a[0] < b[0] or a[1] > b[1])


def front_by_pairs(costs, qualities) -> list[bool]:
    points = list(zip(costs, qualities))
    known = [p for p in points if p[0] == p[0] and p[1] == p[1]]
    return [p in known and not any(beats(other, p) for other in known) for p in points]


@pytest.mark.parametrize("seed", range(40))
def test_front_is_what_no_pair_beats(seed):
    rng = np.random.default_rng(seed)
    n = rng.integers(0, 12)
    costs = rng.integers(0, 5, n).astype(float)  # many ties
    qualities = rng.integers(0, 5, n).astype(float)
    for values in (costs, qualities):
        values[rng.random(n) < 0.15] = NAN
    assert pareto_front(costs, qualities).tolist() == front_by_pairs(costs, qualities)


def test_front_does_not_follow_the_order_or_the_unit():
    rng = np.random.default_rng(1)
    costs, qualities = rng.random(40), rng.random(40)
    front = pareto_front(costs, qualities)
    order = rng.permutation(40)
    assert np.array_equal(pareto_front(costs[order], qualities[order]), front[order])
    assert np.array_equal(pareto_front(np.log(costs), 3 * qualities - 7), front)
    assert front[costs.argmin()] and front[qualities.argmax()]


@pytest.mark.parametrize(
    ("costs", "qualities"),
    [([], []), ([1.0], [-np.inf]), ([np.inf, 1.0], [1.0, -np.inf]), ([np.inf] * 2, [1.0, 2.0])],
)
def test_front_of_few_and_of_the_infinite(costs, qualities):
    assert pareto_front(costs, qualities).tolist() == front_by_pairs(costs, qualities)


def best_by_loop(costs, limits, qualities) -> list[int]:
    fits = [
        i
        for i, row in enumerate(costs)
        if all(c <= most for c, most in zip(row, limits)) and qualities[i] == qualities[i]
    ]
    return sorted(fits, key=lambda i: (-qualities[i], *costs[i]))


@pytest.mark.parametrize("seed", range(60))
def test_best_within_is_the_sorted_rest(seed):
    rng = np.random.default_rng(seed)
    n, k = rng.integers(0, 10), rng.integers(1, 4)
    costs = rng.integers(0, 5, (n, k)).astype(float)
    costs[rng.random((n, k)) < 0.1] = NAN
    qualities = rng.integers(0, 3, n).astype(float)
    qualities[rng.random(n) < 0.1] = NAN
    limits = rng.choice([0.0, 2.0, 4.0, np.inf], k)
    assert best_within(costs, limits, qualities).tolist() == best_by_loop(costs, limits, qualities)


def test_wider_limits_lose_nothing():
    rng = np.random.default_rng(3)
    costs, qualities = rng.random((30, 2)), rng.random(30)
    narrow = set(best_within(costs, [0.4, 0.5], qualities).tolist())
    assert narrow < set(best_within(costs, [0.4, np.inf], qualities).tolist())


@pytest.mark.parametrize(
    ("costs", "limits", "qualities"),
    [([[1.0]], [1.0, 2.0], [1.0]), ([1.0], [1.0], [1.0]), ([[1.0]], [NAN], [1.0])],
)
def test_refused(costs, limits, qualities):
    with pytest.raises(ValueError, match="limits"):
        best_within(costs, limits, qualities)


def test_refused_front():
    with pytest.raises(ValueError, match="expected the same"):
        pareto_front([1.0, 2.0], [1.0])
