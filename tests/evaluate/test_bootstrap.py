"""The bootstrap draws lesions: against a plain loop, a closed form and planted clusters."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from kdcore.evaluate import Interval
from kdcore.evaluate.bootstrap import (
    difference_interval,
    draw_groups,
    index_groups,
    percentile_interval,
    resample,
    resample_sums,
    sum_by_group,
)


def test_groups_are_indexed_and_summed():
    index, groups = index_groups(np.array(["b", "a", "b", "c"]))
    assert groups == 3
    assert index.tolist() == [1, 0, 1, 2]
    values = np.arange(8.0).reshape(4, 2)
    assert sum_by_group(values, index, groups).tolist() == [[2, 3], [4, 6], [6, 7]]


def test_every_resample_draws_as_many_groups_as_there_are():
    counts = np.concatenate(list(draw_groups(50, 130, seed=1, chunk=64)))
    assert counts.shape == (130, 50)
    assert (counts.sum(1) == 50).all()


def test_the_seed_decides_the_draws():
    first, again, other = (np.concatenate(list(draw_groups(9, 5, s))) for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.array_equal(first, np.concatenate(list(draw_groups(9, 5, 1, chunk=2))))
    assert not np.array_equal(first, other)


def test_counts_have_the_multinomial_mean_and_variance():
    counts = np.concatenate(list(draw_groups(20, 4000, seed=0)))
    assert counts.mean() == 1.0
    assert counts.var() == pytest.approx(1 - 1 / 20, abs=0.02)


def test_percentiles_of_known_resamples():
    interval = percentile_interval(0.5, np.linspace(0, 1, 1001))
    assert (interval.low, interval.high) == pytest.approx((0.025, 0.975))


def test_undefined_resamples_are_left_out():
    interval = percentile_interval(0.5, np.r_[np.linspace(0, 1, 1001), [np.nan] * 500])
    assert (interval.low, interval.high) == pytest.approx((0.025, 0.975))
    nothing = percentile_interval(0.5, [np.nan, np.nan])
    assert nothing.as_dict() == {"value": 0.5, "low": None, "high": None}
    undefined = percentile_interval(np.nan, [0.1, 0.2])
    assert undefined.as_dict() == {"value": None, "low": None, "high": None}
    for interval in (nothing, undefined, Interval(0.5, -1.0, 2.0)):
        again = Interval.from_dict(interval.as_dict())
        assert astuple(again) == pytest.approx(astuple(interval), nan_ok=True)
    with pytest.raises(KeyError):
        Interval.from_dict({"value": 0.5})


@pytest.mark.parametrize(("value", "low", "high"), [(0.04, 0.0015, 0.0685), (0.02, 0.0, 0.0485)])
def test_an_interval_with_excess_is_lowered_and_stays_positive(value, low, high):
    resamples = 0.05 + np.linspace(-0.03, 0.03, 101)  # 0.01 and 0.03 above the value
    interval = percentile_interval(value, resamples, excess=True)
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_resampled_sums_equal_a_loop_over_whole_groups():
    rng = np.random.default_rng(0)
    ids, values = rng.integers(0, 12, 40).astype(str), rng.normal(size=(40, 3))
    names = np.unique(ids)
    drawn = np.random.default_rng(7).integers(0, len(names), size=(300, len(names)))
    loop = [sum(values[ids == names[g]].sum(0) for g in row) for row in drawn]
    np.testing.assert_allclose(resample_sums(values, ids, 300, seed=7), loop)
    np.testing.assert_allclose(resample(lambda weights: weights.T @ values, ids, 300, 7), loop)


def test_one_group_has_no_resample_and_a_negative_number_is_refused():
    values = np.ones((3, 2))
    assert resample_sums(values, ["a"] * 3, 20, seed=0).shape == (0, 2)
    assert resample(lambda weights: weights.T @ values, ["a"] * 3, 20, 0).shape == (0, 2)
    for ids in (["a"] * 3, ["a", "b", "c"]):
        with pytest.raises(ValueError, match="n_boot"):
            resample_sums(values, ids, -1, seed=0)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_interval_of_a_difference_is_moved_back_by_its_bias(sign):
    resamples = sign * (0.05 + np.linspace(-0.04, 0.04, 101))  # 0.02 beyond the value
    interval = difference_interval(sign * 0.03, resamples)
    ends = sorted((sign * (0.012 - 0.04), sign * (0.088 - 0.02)))
    assert (interval.value, interval.low, interval.high) == pytest.approx((sign * 0.03, *ends))
    undefined = difference_interval(np.nan, resamples)
    assert np.isnan([undefined.value, undefined.low]).all()
