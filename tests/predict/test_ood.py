"""The density's false alarms are what was asked for, and what is far away raises the alarm."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from kdcore.base import CheckpointError
from kdcore.predict import OodModel, early_statistics, fit_ood


@pytest.fixture
def features(rng):
    basis = rng.normal(size=(8, 100))
    return rng.normal(size=(4000, 8)) @ basis + 0.3 * rng.normal(size=(4000, 100))


def test_false_alarm_rate_holds_on_new_lesions(features):
    model = fit_ood(features[:3000], [str(i) for i in range(3000)], 0.05)
    assert (model.score(features[3000:]) > model.threshold).mean() == pytest.approx(0.05, abs=0.03)


def test_far_pictures_raise_the_alarm(features, rng):
    model = fit_ood(features, [str(i) for i in range(4000)])
    assert (model.score(3 * rng.normal(size=(50, 100))) > model.threshold).all()


def test_score_orders_as_scikit_learns_likelihood(features):
    ids = [str(i) for i in range(4000)]
    model = fit_ood(features, ids)
    half = np.unique(ids, return_inverse=True)[1] % 2 == 0
    scaled = (features - features[half].mean(0)) / features[half].std(0)
    likelihood = PCA(32, svd_solver="full").fit(scaled[half]).score_samples(scaled)
    assert np.corrcoef(model.score(features), -likelihood)[0, 1] > 0.999999


def test_a_dead_channel_does_not_count(features):
    dead = np.concatenate([features, np.zeros((4000, 3))], 1)
    score = fit_ood(dead, [str(i) for i in range(4000)]).score(dead)
    assert np.isfinite(score).all()


def test_early_statistics_are_means_and_deviations(rng):
    stages = [torch.tensor(rng.normal(size=(2, c, 4, 4))) for c in (3, 5, 7, 9)]
    found = early_statistics(stages).numpy()
    parts = [f(s.numpy(), axis=(2, 3)) for s in stages[:2] for f in (np.mean, np.std)]
    np.testing.assert_allclose(found, np.concatenate(parts, 1), atol=1e-6)
    assert early_statistics(stages[:1]).shape == (2, 6)


def test_round_trip_and_broken_file(features, tmp_path):
    model = fit_ood(features, [str(i) for i in range(4000)])
    model.save(tmp_path)
    again = OodModel.load(tmp_path)
    assert np.allclose(again.score(features[:5]), model.score(features[:5]), rtol=1e-4)
    (tmp_path / "ood.npz").write_bytes(b"broken")
    with pytest.raises(CheckpointError, match=r"ood\.npz"):
        OodModel.load(tmp_path)
