"""Statistics of latencies: against NumPy, SciPy and tables, and by simulated coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from torch.utils.benchmark import Measurement, TaskSpec

from kdcore.deploy.latency_stats import images_per_second, median_interval, summarise, thinned

# Conover 1999, table A3: ranks of the 95 % interval of the median.
TABLE = {6: (1, 6), 8: (1, 8), 9: (2, 8), 12: (3, 10), 20: (6, 15), 25: (8, 18), 100: (40, 61)}


@pytest.mark.parametrize("n", TABLE)
def test_the_ranks_are_those_of_the_tables(n, rng):
    assert median_interval(rng.permutation(np.arange(1, n + 1))) == TABLE[n]


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_the_interval_is_the_narrowest_that_covers_enough(level):
    for n in range(1, 60):
        low, high = median_interval(np.arange(1, n + 1), level)
        if math.isnan(low):
            assert covered(n, 1) < level
        else:
            assert high == n - low + 1
            assert covered(n, int(low)) >= level > covered(n, int(low) + 1)


def covered(n: int, k: int) -> float:
    """Return how often the k-th least and k-th largest of n draws enclose the median."""
    return sum(math.comb(n, i) for i in range(k, n - k + 1)) / 2**n


def test_scipy_gives_the_same_interval(rng):
    values = rng.lognormal(size=41)
    test = stats.quantile_test(values, q=values.mean(), p=0.5)  # its interval ignores q
    expected = test.confidence_interval(0.95)
    assert median_interval(values) == (expected.low, expected.high)


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 5])
def test_too_few_values_have_no_interval(values):
    assert all(map(math.isnan, median_interval(values)))


@pytest.mark.parametrize("level", [0, 1, -1, math.nan])
def test_a_level_out_of_range(level):
    with pytest.raises(ValueError, match="level"):
        median_interval([1.0], level)


def test_numbers_are_those_of_numpy_and_torch(rng):
    blocks = [rng.lognormal(size=n) for n in (5, 1, 9, 30, 2, 8, 12)]
    times = np.concatenate(blocks)
    found = summarise(blocks)
    library = Measurement(1, (times / 1000).tolist(), TaskSpec("", ""))
    assert found.calls == len(times) and found.blocks == 7
    assert found.mean == pytest.approx(1000 * library.mean)
    assert found.p50 == pytest.approx(1000 * library.median)
    assert found.sd == pytest.approx(stats.tstd(times))
    assert (found.p90, found.p99) == pytest.approx(tuple(np.quantile(times, [0.9, 0.99])))
    low, high = median_interval([np.median(block) for block in blocks])
    assert found.low == min(low, found.p50) and found.high == max(high, found.p50)
    assert found.spread == pytest.approx((found.high - found.low) / 2 / found.p50)


def test_scale(rng):
    blocks = [rng.lognormal(size=8) for _ in range(9)]
    one, other = summarise(blocks), summarise([3 * block for block in blocks])
    for name in ("mean", "sd", "p50", "low", "high", "p90", "p99"):
        assert getattr(other, name) == pytest.approx(3 * getattr(one, name))
    assert other.spread == pytest.approx(one.spread)


def test_a_single_call():
    found = summarise([[2.0]])
    assert (found.mean, found.p50, found.p90, found.p99) == (2, 2, 2, 2)
    assert math.isnan(found.sd) and math.isnan(found.low) and found.spread == math.inf


@pytest.mark.parametrize("blocks", [[], [[]], [[1.0], []], [[-1.0]], [[math.nan]], [[math.inf]]])
def test_what_is_no_time(blocks):
    with pytest.raises(ValueError, match="blocks"):
        summarise(blocks)


def test_the_median_is_always_in_its_interval(rng):
    for _ in range(50):
        found = summarise([rng.pareto(1.1, size=rng.integers(1, 9)) + 1 for _ in range(6)])
        assert found.low <= found.p50 <= found.high


def test_coverage_where_calls_of_a_block_are_alike(rng):
    """A neighbour's load lasts for a block: its medians hold, single calls claim far too much."""
    held = naive = 0
    runs = 400
    for _ in range(runs):
        common = rng.normal(0, 0.2, size=(15, 1))
        times = np.exp(common + rng.normal(0, 0.1, size=(15, 20)))  # true median 1
        found = summarise(list(times))
        held += found.low <= 1 <= found.high
        low, high = median_interval(times)
        naive += low <= 1 <= high
    assert held / runs > 0.93
    assert naive / runs < 0.6, "the simulation is one in which blocks matter"


def test_throughput():
    assert images_per_second([10.0, 30.0], batch=8) == pytest.approx(16 / 0.04)


def test_thinned_keeps_order_and_ends(rng):
    times = rng.normal(size=1234)
    few = thinned(times, 100)
    assert len(few) == 100 and few[0] == times[0] and few[-1] == times[-1]
    places = [int(np.flatnonzero(times == value)[0]) for value in few]
    assert places == sorted(set(places))
    assert thinned(times, 2000) is times
