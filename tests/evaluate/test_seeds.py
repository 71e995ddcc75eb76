"""Scores over seeds: against SciPy, and what must not be averaged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from kdcore.base import DataError
from kdcore.evaluate import BY_CLASS, OVERALL, evaluate_predictions, over_seeds, take
from tests.evaluate.makers import make_predictions


def evaluations(count=5, keep=None):
    base = make_predictions(n=150)
    for seed in range(count):
        noise = np.random.default_rng(seed).normal(size=base.logits.shape).astype(np.float32)
        one = replace(base, logits=base.logits + noise, checkpoint=f"run {seed}")
        one = replace(one, checkpoint_hash=f"{seed:064}")
        yield evaluate_predictions(one if keep is None else take(one, keep), n_boot=0)


def test_means_deviations_and_intervals_equal_scipy():
    given = list(evaluations())
    found = over_seeds(given)
    assert set(found.metrics) == set(OVERALL)
    assert found.checkpoints == tuple(f"run {seed}" for seed in range(5))
    for name, score in found.metrics.items():
        values = [e.metrics[name].value for e in given]
        assert score.values == tuple(values)
        assert (score.mean.value, score.sd) == pytest.approx(
            (np.mean(values), np.std(values, ddof=1))
        )
        expected = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
        assert (score.mean.low, score.mean.high) == pytest.approx(expected)
    for c, (name, scores) in enumerate(found.per_class.items()):
        assert name == given[0].per_class[c].name
        for k in BY_CLASS:
            values = [getattr(e.per_class[c], k).value for e in given]
            assert scores[k].mean.value == pytest.approx(np.mean(values))


def test_one_seed_has_no_interval_and_an_absent_class_no_mean():
    keep = np.flatnonzero(make_predictions(n=150).labels != 3)
    found = over_seeds(list(evaluations(1, keep)))
    accuracy = found.metrics["accuracy"]
    assert accuracy.mean.value == accuracy.values[0]
    assert np.isnan([accuracy.sd, accuracy.mean.low]).all()
    assert np.isnan(found.per_class["df"]["f1"].mean.value)


def test_a_seed_without_a_score_counts_as_missing():
    first, second, third = evaluations(3)
    row = first.per_class[0]
    undefined = replace(row, f1=replace(row.f1, value=np.nan))
    first = replace(first, per_class=(undefined, *first.per_class[1:]))
    found = over_seeds([first, second, third]).per_class[row.name]["f1"]
    values = [second.per_class[0].f1.value, third.per_class[0].f1.value]
    assert np.isnan(found.values[0])
    assert (found.mean.value, found.sd) == pytest.approx((np.mean(values), np.std(values, ddof=1)))


def test_the_order_of_seeds_changes_no_mean():
    given = list(evaluations(3))
    one, other = over_seeds(given), over_seeds(given[::-1])
    assert one.metrics["mcc"].mean.value == pytest.approx(other.metrics["mcc"].mean.value)
    assert one.metrics["mcc"].values == other.metrics["mcc"].values[::-1]


def test_what_is_not_one_recipe_over_seeds_is_refused():
    first, second = evaluations(2)
    with pytest.raises(ValueError, match="at least one"):
        over_seeds([])
    with pytest.raises(DataError, match="same weights"):
        over_seeds([first, first])
    for changes in ({"split": "val"}, {"corruption": "blur 3"}, {"n_groups": 9}):
        with pytest.raises(DataError, match="run 0 and run 1 were measured on different images"):
            over_seeds([first, replace(second, **changes)])
