"""Paired tests over seeds, held to textbooks, to SciPy called anew, and to enumeration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from kdcore.evaluate import compare_methods
from kdcore.evaluate.significance import hedges_factor, holm, signed_rank, t_interval

# Student 1908, after Cushny & Peebles 1905: hours of sleep gained by two drugs, ten patients.
SLEEP_1 = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
SLEEP_2 = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
# Hollander & Wolfe 1973, p. 29: depression before and after, nine patients.
BEFORE = (1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30)
AFTER = (0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29)


def by_seed(values):
    return dict(enumerate(values))


def random_values(generator, methods, seeds):
    return {m: by_seed(generator.normal(0.6, 0.05, seeds)) for m in methods}


def test_students_sleep_data():
    found = compare_methods({"baseline": by_seed(SLEEP_1), "drug": by_seed(SLEEP_2)})
    [c] = found.comparisons
    assert c.difference.value == pytest.approx(1.58)
    assert c.sd == pytest.approx(1.229995, abs=1e-6)
    assert (c.difference.low, c.difference.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
    assert c.p_t == pytest.approx(0.00283289, abs=1e-8)  # R: t.test(paired = TRUE)
    assert c.p_holm == c.p_t
    assert c.p_wilcoxon == c.p_floor == 2 / 2**9  # one of the ten has no difference
    assert (c.wins, c.ties, c.losses) == (9, 1, 0)
    assert c.d_z == pytest.approx(1.58 / 1.229995, abs=1e-6)


def test_hollander_and_wolfe():
    p, floor = signed_rank(np.subtract(BEFORE, AFTER))
    assert p == pytest.approx(2 * 0.01953125)  # R: wilcox.test(paired = TRUE)
    assert floor == 2 / 2**9


def test_against_scipy_called_anew(rng):
    values = random_values(rng, ("baseline", "kd", "kd_at", "dkd"), 7)
    found = compare_methods(values)
    assert len(found.comparisons) == 3 + 2
    for c in found.comparisons:
        own, other = (np.array(list(values[m].values())) for m in (c.method, c.reference))
        test = stats.ttest_rel(own, other)
        low, high = test.confidence_interval(0.95)
        assert c.p_t == pytest.approx(test.pvalue, rel=1e-6)
        assert (c.difference.low, c.difference.high) == pytest.approx((low, high), rel=1e-6)
        assert c.p_wilcoxon == pytest.approx(stats.wilcoxon(own, other, method="exact").pvalue)
        assert c.d_z * math.sqrt(7) == pytest.approx(test.statistic, rel=1e-6)
    for summary in found.methods:
        own = np.array(list(values[summary.method].values()))
        half = stats.t.ppf(0.975, 6) * own.std(ddof=1) / math.sqrt(7)
        assert summary.mean.high - summary.mean.value == pytest.approx(half)
        assert summary.mean.value - summary.mean.low == pytest.approx(half)


def test_each_reference_has_a_family_of_its_own_and_no_pair_is_met_twice(rng):
    found = compare_methods(random_values(rng, ("kd", "a", "baseline", "b"), 5))
    pairs = [(c.method, c.reference) for c in found.comparisons]
    assert pairs == [
        *(("kd", "baseline"), ("a", "baseline"), ("b", "baseline")),
        *(("a", "kd"), ("b", "kd")),
    ]
    for reference, size in (("baseline", 3), ("kd", 2)):
        family = [c for c in found.comparisons if c.reference == reference]
        assert [c.family for c in family] == [size] * size
        assert tuple(c.p_holm for c in family) == holm(c.p_t for c in family)
    assert found.comparison("baseline", "kd") is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((0.01, 0.04, 0.03, 0.005), (0.03, 0.06, 0.06, 0.02)),
        ((0.6, 0.7), (1.0, 1.0)),
        ((0.02,), (0.02,)),
        ((), ()),
    ],
)
def test_holm_known(given, expected):
    assert holm(given) == pytest.approx(expected)


def test_holm_is_the_closed_test_of_bonferroni(rng):
    for _ in range(20):
        p = rng.uniform(0, 0.2, 5)
        sets = [s for n in range(1, 6) for s in itertools.combinations(range(5), n)]
        closed = [max(min(1, len(s) * p[list(s)].min()) for s in sets if i in s) for i in range(5)]
        assert holm(p) == pytest.approx(closed)


def test_holm_leaves_out_what_is_not_defined():
    adjusted = holm((0.01, math.nan, 0.04))
    assert adjusted[::2] == pytest.approx((0.02, 0.04))
    assert math.isnan(adjusted[1])
    with pytest.raises(ValueError):
        holm((0.5, 1.5))


def test_signed_rank_counts_the_arrangements_of_signs(rng):
    for n in range(1, 9):
        for _ in range(6):
            d = rng.integers(-3, 4, n).astype(float)  # zeros and ties
            kept = d[d != 0]
            if not len(kept):
                assert signed_rank(d) == (1.0, 1.0)
                continue
            ranks = stats.rankdata(np.abs(kept))
            sums = np.array([ranks @ s for s in itertools.product((0, 1), repeat=len(kept))])
            plus = ranks[kept > 0].sum()
            tail = min((sums <= plus).mean(), (sums >= plus).mean())
            assert signed_rank(d) == pytest.approx(
                (min(1, 2 * tail), min(1, 2.0 ** (1 - len(kept))))
            )


@pytest.mark.parametrize(("n", "floor"), [(1, 1.0), (2, 0.5), (3, 0.25), (5, 0.0625), (6, 0.03125)])
def test_the_floor_is_reached_by_all_wins(n, floor):
    p, least = signed_rank(np.arange(1.0, n + 1))
    assert p == pytest.approx(least) == floor


@pytest.mark.parametrize(
    ("freedom", "factor"),
    [(2, 1 / math.sqrt(math.pi)), (4, 0.7979), (10, 0.9228), (50, 0.9849)],  # Hedges 1981, table 1
)
def test_hedges_factor(freedom, factor):
    assert hedges_factor(freedom) == pytest.approx(factor, abs=6e-5)
    if freedom > 2:
        assert hedges_factor(freedom) == pytest.approx(1 - 3 / (4 * freedom - 1), abs=3e-3)


def test_one_seed_has_a_difference_and_no_test():
    found = compare_methods({"baseline": {3: 0.5}, "kd": {3: 0.6}})
    [c] = found.comparisons
    assert c.difference.value == pytest.approx(0.1)
    undefined = (c.difference.low, c.difference.high, c.sd, c.p_t, c.p_holm, c.d_z, c.g_z)
    assert all(map(math.isnan, undefined))
    assert (c.p_wilcoxon, c.p_floor, c.wins, c.family) == (1.0, 1.0, 1, 0)
    assert found.methods[0].mean.value == 0.5
    assert math.isnan(found.methods[0].sd)
    assert math.isnan(found.methods[0].mean.low)


def test_two_seeds_have_no_corrected_effect_size():
    [c] = compare_methods({"baseline": by_seed((0.5, 0.5)), "kd": by_seed((0.6, 0.7))}).comparisons
    assert c.p_t == pytest.approx(stats.ttest_1samp([0.1, 0.2], 0).pvalue)
    assert math.isnan(c.g_z)
    assert not math.isnan(c.d_z)


@pytest.mark.parametrize(
    ("gain", "counts", "p_wilcoxon"), [(0.1, (5, 0, 0), 0.0625), (0.0, (0, 5, 0), 1.0)]
)
def test_equal_differences_are_no_certainty(gain, counts, p_wilcoxon):
    base = (0.1, 0.2, 0.3, 0.7, 0.61)  # 0.1 + 0.2 is not 0.3: rounding errors are no variance
    values = {"baseline": by_seed(base), "kd": by_seed(v + gain for v in base)}
    [c] = compare_methods(values).comparisons
    assert c.difference.value == pytest.approx(gain)
    assert c.sd == 0
    assert all(map(math.isnan, (c.p_t, c.p_holm, c.d_z, c.g_z, c.difference.low)))
    assert (c.wins, c.ties, c.losses) == counts
    assert c.p_wilcoxon == p_wilcoxon


def test_equal_values_have_no_interval():
    interval, sd = t_interval([0.5] * 4)
    assert (interval.value, sd) == (0.5, 0.0)
    assert math.isnan(interval.low)


def test_a_missing_seed_and_a_nan_leave_the_pair_out():
    baseline = {0: 0.5, 1: 0.52, 2: 0.51, 3: math.nan}
    kd = {1: 0.55, 2: 0.58, 3: 0.6, 4: 0.7}
    found = compare_methods({"baseline": baseline, "kd": kd})
    [c] = found.comparisons
    assert c.seeds == (1, 2)
    assert c.difference.value == pytest.approx((0.03 + 0.07) / 2)
    assert [m.seeds for m in found.methods] == [(0, 1, 2), (1, 2, 3, 4)]
    assert found.methods[0].mean.value == pytest.approx(0.51)


def test_nothing_shared_and_nothing_defined():
    found = compare_methods({"baseline": {0: 0.5}, "kd": {1: 0.6}, "broken": {0: math.nan}})
    for c in found.comparisons:
        assert c.seeds == ()
        assert all(map(math.isnan, (c.difference.value, c.p_t, c.p_wilcoxon, c.p_floor)))
        assert (c.wins, c.ties, c.losses) == (0, 0, 0)
    assert math.isnan(found.methods[2].mean.value)


def test_the_order_of_seeds_does_not_matter(rng):
    values = random_values(rng, ("baseline", "kd"), 6)
    turned = {m: dict(reversed(v.items())) for m, v in values.items()}
    assert compare_methods(values) == compare_methods(turned)


def test_a_loss_is_won_by_less():
    values = {"baseline": by_seed((0.9, 0.8, 0.7)), "kd": by_seed((0.8, 0.8, 0.71))}
    for better, counts in ((True, (1, 1, 1)), (False, (1, 1, 1))):
        [c] = compare_methods(values, higher_is_better=better).comparisons
        assert (c.wins, c.ties, c.losses) == counts
    values["kd"][2] = 0.6
    [c] = compare_methods(values, higher_is_better=False).comparisons
    assert (c.wins, c.ties, c.losses) == (2, 1, 0)
    assert c.difference.value < 0


def test_bad_input():
    with pytest.raises(ValueError, match="at least one method"):
        compare_methods({})
    with pytest.raises(ValueError, match="'kd'"):
        compare_methods({"kd": {0: math.inf}})
    assert compare_methods({"kd": {0: 0.5}}, references=("baseline",)).comparisons == ()
