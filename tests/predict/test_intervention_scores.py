"""The record of interventions: written and read whole, joined, and refused where it is off."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from kdcore.base import DataError
from kdcore.predict.intervention_scores import InterventionScores


def made(rng, n=5, stages=2, areas=3, regions=4, start=0, **more):
    """Return a record of random drops; images of two follow each other in one lesion."""
    grid = (n, stages, areas)

    def drops(*shape):
        return rng.uniform(-0.5, 0.9, shape).astype(np.float32)

    values = {
        "sample_ids": np.array([f"i{start + k}" for k in range(n)]),
        "group_ids": np.array([f"g{(start + k) // 2}" for k in range(n)]),
        "labels": rng.integers(0, 3, n),
        "targets": rng.integers(0, 3, n),
        "probabilities": rng.uniform(0, 1, n).astype(np.float32),
        "drops": drops(*grid),
        "random_drops": drops(*grid, regions),
        "transfer_drops": drops(*grid),
        "transfer_random_drops": drops(*grid, regions),
        "stages": tuple(f"s{k}" for k in range(stages)),
        "teacher_stages": tuple(f"t{k}" for k in range(stages)),
        "fractions": tuple((k + 1) / 10 for k in range(areas)),
        "classes": ("a", "b", "c"),
        "split": "test",
        "model": "small",
        "model_hash": "1" * 64,
        "teacher": "big",
        "teacher_hash": "2" * 64,
        "seed": 3,
    }
    return InterventionScores(**(values | more))


def same(one, other):
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))


def test_what_was_saved_is_read_again(rng, tmp_path):
    scores = made(rng)
    scores.save(tmp_path / "deep" / "a.npz")
    assert same(InterventionScores.load(tmp_path / "deep" / "a.npz"), scores)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.npz"]
    assert len(scores) == 5 and scores.regions == 4


def test_parts_are_joined_in_their_order(rng):
    whole = made(rng, n=7)
    per_image = [f.name for f in fields(whole) if np.shape(getattr(whole, f.name))[:1] == (7,)]
    cuts = (slice(0, 3), slice(3, 7))
    parts = [replace(whole, **{k: getattr(whole, k)[cut] for k in per_image}) for cut in cuts]
    assert same(InterventionScores.joined(parts), whole)
    with pytest.raises(ValueError, match="parts"):
        InterventionScores.joined([parts[0], replace(parts[1], seed=9)])
    with pytest.raises(ValueError, match="parts"):
        InterventionScores.joined([])
    with pytest.raises(ValueError, match="unique"):
        InterventionScores.joined([parts[0], parts[0]])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("drops", np.zeros((5, 2, 2), np.float32)),
        ("random_drops", np.zeros((5, 2, 2, 4), np.float32)),
        ("transfer_random_drops", np.zeros((5, 2, 3, 5), np.float32)),
        ("transfer_drops", np.full((5, 2, 3), np.nan, np.float32)),
        ("drops", np.full((5, 2, 3), 1.5, np.float32)),
        ("probabilities", np.full(5, -0.1, np.float32)),
        ("targets", np.full(5, 3)),
        ("labels", np.full(5, -1)),
        ("group_ids", np.array(["g"])),
        ("sample_ids", np.array(["i"] * 5)),
        ("teacher_stages", ("t",)),
        ("fractions", (0.1, 0.2, 0.0)),
    ],
)
def test_what_is_off_is_named(rng, name, value):
    with pytest.raises(ValueError, match=name):
        made(rng, **{name: value})


def test_a_broken_file_is_named(rng, tmp_path):
    path = tmp_path / "drops.npz"
    made(rng).save(path)
    whole = path.read_bytes()
    for broken in (b"", b"text", whole[: len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(DataError, match="drops.npz can't be read"):
            InterventionScores.load(path)
    np.savez(path, head=np.array('{"format": 99}'))
    with pytest.raises(DataError, match="has format 99; this version of the app reads format 1"):
        InterventionScores.load(path)
    with pytest.raises(DataError, match=r"nothing\.npz"):
        InterventionScores.load(tmp_path / "nothing.npz")
