"""The bootstrap draws lesions: against a plain loop, a closed form and planted clusters."""

from __future__ import annotations

import numpy as np
import pytest

from kdcore.evaluate.bootstrap import (
    draw_groups,
    index_groups,
    percentile_interval,
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


@pytest.mark.parametrize(("value", "low", "high"), [(0.04, 0.0015, 0.0685), (0.02, 0.0, 0.0485)])
def test_an_interval_with_excess_is_lowered_and_stays_positive(value, low, high):
    resamples = 0.05 + np.linspace(-0.03, 0.03, 101)  # 0.01 and 0.03 above the value
    interval = percentile_interval(value, resamples, excess=True)
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_sums_of_resamples_equal_repeated_images():
    ids = np.array(["b", "a", "b", "c", "a"])
    values = np.random.default_rng(0).normal(size=(5, 2))
    index, groups = index_groups(ids)
    rows = np.concatenate(list(draw_groups(groups, 70, seed=4)))
    expected = [np.repeat(values, row[index].astype(int), axis=0).sum(0) for row in rows]
    np.testing.assert_allclose(resample_sums(values, ids, 70, 4), expected)
    assert resample_sums(values, ["a"] * 5, 70, 4).shape == (0, 2)
    with pytest.raises(ValueError, match="n_boot"):
        resample_sums(values, ids, -1, 4)
