"""The analysis of interventions: means against loops, ratios with known answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kdcore.evaluate.bootstrap import draw_groups
from kdcore.evaluate.interventions import measure_interventions
from tests.predict.test_intervention_scores import made


def test_means_and_shares_are_those_of_a_loop(rng):
    scores = made(rng, n=31)
    study = measure_interventions(scores, 40)
    assert (study.n, study.n_groups, study.regions) == (31, 16, 4)
    assert study.by_chance == 0.2
    places = [(s, q) for s in range(2) for q in range(3)]
    assert [(e.stage, e.fraction) for e in study.effects] == [
        (scores.stages[s], scores.fractions[q]) for s, q in places
    ]
    for (s, q), found in zip(places, study.effects, strict=True):
        for mask, drops, random in (
            (found.own, scores.drops, scores.random_drops),
            (found.transferred, scores.transfer_drops, scores.transfer_random_drops),
        ):
            effects = [drops[i, s, q] - sum(random[i, s, q]) / 4 for i in range(31)]
            wins = [all(drops[i, s, q] > r for r in random[i, s, q]) for i in range(31)]
            assert mask.effect.value == pytest.approx(sum(effects) / 31, abs=1e-6)
            assert mask.effect.value == pytest.approx(mask.drop.value - mask.random.value, abs=1e-6)
            assert mask.beats_all.value == pytest.approx(sum(wins) / 31)
            assert mask.effect.low < mask.effect.value < mask.effect.high


def _clear(rng, share):
    """Return a record whose own masks have an effect, and the teacher's `share` of it."""
    scores = made(rng, n=20, stages=1, areas=1)
    own = rng.uniform(0.3, 0.6, (20, 1, 1)).astype(np.float32)
    zeros = np.zeros((20, 1, 1, 4), np.float32)
    return replace(
        scores,
        drops=own,
        random_drops=zeros,
        transfer_drops=(share * own).astype(np.float32),
        transfer_random_drops=zeros,
    )


@pytest.mark.parametrize("share", [1.0, 0.5, 0.0, -0.25])
def test_a_constant_share_is_the_ratio_in_every_resample(rng, share):
    (found,) = measure_interventions(_clear(rng, share), 60).effects
    ratio = found.transfer_ratio
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((share,) * 3, abs=1e-6)


def test_the_interval_of_a_ratio_draws_lesions(rng):
    scores = replace(_clear(rng, 1), transfer_drops=rng.uniform(0, 1, (20, 1, 1)).astype("f4"))
    own, moved = scores.drops.ravel(), scores.transfer_drops.ravel()
    lesions = np.unique(scores.group_ids)
    ratios = []
    for counts in np.concatenate(list(draw_groups(len(lesions), 80, 4))):
        weight = np.array([counts[lesions.tolist().index(g)] for g in scores.group_ids])
        ratios.append((weight * moved).sum() / (weight * own).sum())
    (found,) = measure_interventions(scores, 80, seed=4).effects
    low, high = np.quantile(ratios, [0.025, 0.975])
    assert found.transfer_ratio.low == pytest.approx(low, abs=1e-6)
    assert found.transfer_ratio.high == pytest.approx(high, abs=1e-6)


def test_a_quotient_by_what_may_be_nothing_is_not_told(rng):
    clear = _clear(rng, 0.5)
    (none,) = measure_interventions(replace(clear, drops=-clear.drops), 40).effects
    assert np.isnan(none.transfer_ratio.value)
    noise = np.linspace(-0.5, 0.52, 20, dtype=np.float32).reshape(20, 1, 1)
    (unsure,) = measure_interventions(replace(clear, drops=noise), 40).effects
    assert unsure.own.effect.low < 0 < unsure.own.effect.value
    assert np.isnan(unsure.transfer_ratio.value)


def test_without_resamples_or_with_one_lesion_there_is_no_interval(rng):
    for study in (
        measure_interventions(made(rng), 0),
        measure_interventions(made(rng, group_ids=np.array(["g"] * 5)), 30),
    ):
        assert study.interval_method.startswith("none")
        assert all(np.isnan(e.own.effect.low) for e in study.effects)
    with pytest.raises(ValueError, match="n_boot"):
        measure_interventions(made(rng), -1)
