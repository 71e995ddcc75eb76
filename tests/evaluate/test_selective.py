"""Risk and coverage against loops, closed forms and an independent way to the area."""

from __future__ import annotations

import numpy as np
import pytest

from kdcore.base import DataError
from kdcore.evaluate import risk_coverage
from kdcore.evaluate.bootstrap import draw_groups, index_groups
from kdcore.evaluate.selective import perfect_aurc
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions, subset


def _loop_aurc(confidence, errors):
    """Return the mean over images of the error among all that are at least as sure."""
    return np.mean([errors[confidence >= c].mean() for c in confidence])


def _parts(predictions, temperature=1.0):
    probs = softmax(predictions.logits, temperature)
    return probs.max(1), (probs.argmax(1) != predictions.labels).astype(float)


@pytest.fixture(params=[12, 0])
def predictions(request):
    found = make_predictions(150, seed=7, signal=1.0)
    found.logits[:] = found.logits.round(request.param)  # whole numbers tie
    return found


def test_area_and_curve_equal_a_loop(predictions):
    found = risk_coverage(predictions, 1.4, n_boot=0)
    confidence, errors = _parts(predictions, 1.4)
    assert found.aurc.value == pytest.approx(_loop_aurc(confidence, errors))
    for t, coverage, risk in zip(found.threshold, found.coverage, found.risk, strict=True):
        assert coverage == pytest.approx((confidence >= t).mean())
        assert risk == pytest.approx(errors[confidence >= t].mean())
    assert found.coverage[-1] == 1
    assert found.risk[-1] == found.risk_at(1.0) == pytest.approx(errors.mean())
    assert (np.diff(found.threshold) < 0).all()


def test_without_ties_the_area_is_the_mean_over_coverages():
    predictions = make_predictions(80, seed=1)
    confidence, errors = _parts(predictions)
    ranked = errors[np.argsort(-confidence)]
    geifman = np.mean([ranked[: i + 1].mean() for i in range(80)])
    assert risk_coverage(predictions, n_boot=0).aurc.value == pytest.approx(geifman)


@pytest.mark.parametrize(("n", "e"), [(1, 0), (1, 1), (10, 0), (10, 10), (10, 3), (1000, 250)])
def test_the_perfect_area_equals_its_sum_and_its_limit(n, e):
    errors = np.r_[np.zeros(n - e), np.ones(e)]
    expected = np.mean(np.cumsum(errors) / np.arange(1, n + 1))
    assert perfect_aurc(n, e) == pytest.approx(expected, abs=1e-12)
    if n == 1000:
        r = e / n
        assert perfect_aurc(n, e) == pytest.approx(r + (1 - r) * np.log(1 - r), abs=1e-3)


def test_a_perfect_ranking_has_no_excess():
    logits = np.stack([np.linspace(5, 0.1, 40), np.zeros(40)], axis=1)
    base = make_predictions(40, classes=("a", "b"), logits=logits, labels=[0] * 30 + [1] * 10)
    found = risk_coverage(base, n_boot=0)
    assert found.excess.value == pytest.approx(0, abs=1e-12)
    worst = make_predictions(40, classes=("a", "b"), logits=logits, labels=[1] * 10 + [0] * 30)
    assert risk_coverage(worst, n_boot=0).excess.value > 0.4


def test_ties_only_have_the_error_as_area():
    same = make_predictions(20, logits=np.tile(np.arange(7.0), (20, 1)))
    found = risk_coverage(same, n_boot=0)
    assert len(found.risk) == 1
    assert found.aurc.value == pytest.approx((same.labels != 6).mean())


def test_intervals_equal_a_loop_over_resamples(predictions):
    found = risk_coverage(predictions, n_boot=25, seed=3)
    confidence, errors = _parts(predictions)
    index, groups = index_groups(predictions.group_ids)
    areas, excess = [], []
    for row in np.concatenate(list(draw_groups(groups, 25, 3))):
        keep = np.repeat(np.arange(150), row[index].astype(int))
        areas.append(_loop_aurc(confidence[keep], errors[keep]))
        last = np.sort(errors[keep])
        excess.append(areas[-1] - np.mean(np.cumsum(last) / np.arange(1, len(keep) + 1)))
    for interval, values in ((found.aurc, areas), (found.excess, excess)):
        assert (interval.low, interval.high) == pytest.approx(np.quantile(values, [0.025, 0.975]))


def test_the_interval_holds_the_value():
    found = risk_coverage(make_predictions(800, seed=2, signal=1.0), n_boot=300)
    for interval in (found.aurc, found.excess):
        assert interval.low < interval.value < interval.high


def test_one_image_and_none():
    one = make_predictions(1, groups=1)
    found = risk_coverage(one)
    assert found.aurc.value == found.risk[0]
    assert np.isnan(found.aurc.low)
    with pytest.raises(DataError, match="no images"):
        risk_coverage(subset(one, np.arange(0)))
    with pytest.raises(ValueError, match="n_boot"):
        risk_coverage(one, n_boot=-1)
