"""Prediction sets against quantiles by hand, on ties and absent classes, and by simulation."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from kdcore.base import DataError
from kdcore.evaluate.bootstrap import draw_groups, index_groups
from kdcore.evaluate.conformal import LEVELS, METHODS, conformal_sets, prediction_sets
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions


def _by_hand(val_probs, val_labels, probs, level, method):
    """Return sets from the ⌈level (n + 1)⌉-th smallest score, of all images or of each class."""
    scores = np.array([1 - p[y] for p, y in zip(val_probs, val_labels, strict=True)])
    sets = np.zeros(probs.shape, dtype=bool)
    for c in range(probs.shape[1]):
        own = np.sort(scores if method == "lac" else scores[val_labels == c])
        rank = math.ceil(round(level * (len(own) + 1), 9))
        limit = own[rank - 1] if rank <= len(own) else math.inf
        sets[:, c] = 1 - probs[:, c] <= limit
    return sets


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [*LEVELS, 0.5, 0.999])
@pytest.mark.parametrize("n", [1, 19, 20, 399])  # level · (n + 1) is whole for some
def test_sets_equal_quantiles_by_hand(method, level, n):
    val, test = make_predictions(n, seed=1, groups=n, split="val"), make_predictions(60, seed=2)
    before, after = softmax(val.logits), softmax(test.logits)
    found = prediction_sets(before, val.labels, after, level, method)
    assert np.array_equal(found, _by_hand(before, val.labels, after, level, method))


@pytest.mark.parametrize("method", METHODS)
def test_ties_sure_images_and_absent_classes(method):
    before = np.array([[1.0, 0, 0]] * 5 + [[0, 1.0, 0]] * 5 + [[0.5, 0.5, 0]] * 4)
    labels = np.array([0] * 5 + [1] * 5 + [0, 0, 1, 1])
    after = np.array([[1.0, 0, 0], [0.5, 0.5, 0], [0, 0, 1.0], [1 / 3] * 3])
    for level in LEVELS:
        found = prediction_sets(before, labels, after, level, method)
        assert np.array_equal(found, _by_hand(before, labels, after, level, method))
        assert found[:, 2].all() or method == "lac"  # no image of class 2: nothing speaks against


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_exchangeable_images_are_covered_as_often_as_was_asked_for(method, level):
    generator, held = np.random.default_rng(0), []
    for _ in range(150):
        labels = generator.integers(0, 3, 160)
        logits = generator.normal(size=(160, 3)) + 1.5 * np.eye(3)[labels]
        probs = softmax(logits)
        sets = prediction_sets(probs[:80], labels[:80], probs[80:], level, method)
        held.append(sets[np.arange(80), labels[80:]].mean())
    error = np.std(held) / np.sqrt(len(held))
    assert np.mean(held) > level - 3 * error
    assert np.mean(held) < level + (1 / 81 if method == "lac" else 3 / 80) + 3 * error


def test_class_conditional_sets_cover_the_class_that_lac_forgets():
    parts = enumerate(("val", "test"), 1)
    val, test = (make_predictions(3000, seed=s, signal=1.0, split=part) for s, part in parts)
    for part in (val, test):
        part.logits[:, 5] += 4  # nv is favoured
    lac, fair = (conformal_sets(val, test, 0.9, m, n_boot=0) for m in METHODS)
    assert abs(lac.coverage.value - 0.9) < 0.03
    assert min(i.value for i in lac.by_class) < 0.75
    assert min(i.value for i in fair.by_class) > 0.8


@pytest.mark.parametrize("method", METHODS)
def test_statistics_and_intervals_equal_a_loop(method):
    val, test = make_predictions(200, seed=1, split="val"), make_predictions(90, seed=2)
    found = conformal_sets(val, test, 0.9, method, 1.4, n_boot=25, seed=6)
    before, after = softmax(val.logits, 1.4), softmax(test.logits, 1.4)
    sets = prediction_sets(before, val.labels, after, 0.9, method)
    assert np.array_equal(found.sets, sets)

    def measure(keep):
        chosen, labels = sets[keep], test.labels[keep]
        held, size = chosen[np.arange(len(keep)), labels], chosen.sum(1)
        by_class = [held[labels == c].mean() if (labels == c).any() else np.nan for c in range(7)]
        return [held.mean(), size.mean(), (size == 1).mean(), (size == 0).mean(), *by_class]

    index, groups = index_groups(test.group_ids)
    rows = np.concatenate(list(draw_groups(groups, 25, 6)))
    loop = [measure(np.repeat(np.arange(90), row[index].astype(int))) for row in rows]
    ends = np.nanquantile(loop, [0.025, 0.975], axis=0)
    intervals = [found.coverage, found.size, found.singletons, found.empty, *found.by_class]
    np.testing.assert_allclose([i.value for i in intervals], measure(np.arange(90)))
    np.testing.assert_allclose([(i.low, i.high) for i in intervals], ends.T)


def test_a_higher_level_never_shrinks_a_set():
    val, test = make_predictions(200, seed=1, split="val"), make_predictions(100, seed=2)
    for method in METHODS:
        small, middle, large = (
            conformal_sets(val, test, level, method, n_boot=0).sets for level in LEVELS
        )
        assert (small <= middle).all() and (middle <= large).all()


@pytest.mark.parametrize("wrong", [{"level": 1.0}, {"level": 0.0}, {"method": "aps"}])
def test_what_there_is_not_raises(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        conformal_sets(make_predictions(20, split="val"), make_predictions(20), **wrong)


def test_other_weights_and_other_classes_are_refused():
    with pytest.raises(DataError, match="different weights"):
        conformal_sets(
            make_predictions(20, split="val"), make_predictions(20, checkpoint_hash="1" * 64)
        )
    with pytest.raises(ValueError, match="classes"):
        prediction_sets([[0.5, 0.5]], [0], [[0.5, 0.25, 0.25]], 0.9, "lac")


@pytest.mark.slow
def test_crepes_is_imported_only_where_sets_are_made():
    code = "import sys, kdcore.evaluate; sys.exit('crepes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
