"""The density's false alarms are what was asked for, and what is far away raises the alarm."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from kdcore.base import CheckpointError
from kdcore.models import load_checkpoint
from kdcore.predict import OodModel, early_statistics, fit_ood, ood


@pytest.fixture
def features(rng):
    basis = rng.normal(size=(8, 100))
    return rng.normal(size=(4000, 8)) @ basis + 0.3 * rng.normal(size=(4000, 100))


def test_false_alarm_rate_holds_on_new_lesions(features):
    model = fit_ood(features[:3000], [str(i) for i in range(3000)], 0.05)
    assert (model.score(features[3000:]) > model.threshold).mean() == pytest.approx(0.05, abs=0.03)


def test_few_pictures_leave_the_noise_something_to_be_estimated_from(rng):
    pictures = rng.normal(size=(40, 112))
    model = fit_ood(pictures, [str(i) for i in range(40)])
    assert 1e-3 < model.noise < 1e3
    assert 0.1 < np.median(model.score(pictures)) < 100


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


@pytest.fixture
def model(rng):
    return fit_ood(rng.normal(size=(40, 12)), [str(i) for i in range(40)])


def test_a_missing_or_cut_file_is_told(model, tmp_path):
    with pytest.raises(CheckpointError, match=r"ood\.npz"):
        OodModel.load(tmp_path)
    model.save(tmp_path)
    whole = (tmp_path / "ood.npz").read_bytes()
    for broken in (b"PK\x03\x04", whole[: len(whole) // 2], whole[:-30], b"\x93NUMPY", b""):
        (tmp_path / "ood.npz").write_bytes(broken)
        with pytest.raises(CheckpointError, match=r"ood\.npz"):
            OodModel.load(tmp_path)
    with open(tmp_path / "ood.npz", "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(CheckpointError, match=r"ood\.npz"):
        OodModel.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"mean": np.zeros(11, np.float32)},
        {"mean": np.zeros((12, 1), np.float32)},
        {"mean": np.full(12, np.nan, np.float32)},
        {"scale": np.zeros(12, np.float32)},
        {"scale": np.ones(1, np.float32)},
        {"components": np.zeros((3, 12), np.float32)},
        {"variances": np.zeros(11, np.float32)},
        {"noise": 0.0},
        {"threshold": np.nan},
    ],
    ids=str,
)
def test_arrays_that_do_not_fit_each_other(model, tmp_path, change):
    dataclasses.replace(model, **change).save(tmp_path)
    with pytest.raises(CheckpointError, match="do not fit each other"):
        OodModel.load(tmp_path)


def test_features_of_another_network_are_refused(model):
    for shape in ((2, 11), (2, 1), (12,)):
        with pytest.raises(CheckpointError, match="does not fit the network"):
            model.score(np.zeros(shape))


def test_a_refitted_density_is_seen(tiny_checkpoints, tmp_path, rng):
    checkpoint = load_checkpoint(tiny_checkpoints / "student-mobilenetv2")
    checkpoint = dataclasses.replace(
        checkpoint,
        path=tmp_path,
        card=dataclasses.replace(checkpoint.card, ood={"false_alarm_rate": None}),
    )
    stages = checkpoint.model(torch.zeros(1, 3, 64, 64)).stages
    length = early_statistics(stages).shape[1]
    first = fit_ood(rng.normal(size=(40, length)), [str(i) for i in range(40)])
    for seconds, factor in ((1, 1.0), (2, 2.0)):
        dataclasses.replace(first, threshold=factor).save(tmp_path)
        os.utime(tmp_path / "ood.npz", (seconds, seconds))
        assert ood.score(checkpoint, stages).threshold == factor
    assert ood.score(checkpoint, stages).false_alarm_rate == ood.FALSE_ALARMS
    with pytest.raises(CheckpointError, match="does not fit the network"):
        ood.score(checkpoint, stages[2:])
