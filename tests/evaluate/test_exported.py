"""What an export has kept: the same numbers as scikit-learn's, and no change of itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

from kdcore.base import DataError
from kdcore.evaluate.exported import SCORES, exported_quality
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax


def predictions(logits: np.ndarray, labels: np.ndarray) -> Predictions:
    names = np.array([f"i{k}" for k in range(len(labels))])
    groups = np.array([f"g{k // 2}" for k in range(len(labels))])
    return Predictions(
        logits=logits.astype(np.float32), labels=labels, sample_ids=names, group_ids=groups,
        classes=("a", "b", "c"), split="test", checkpoint_hash="0" * 64, checkpoint="x",
    )  # fmt: skip


@pytest.fixture
def both(rng: np.random.Generator) -> tuple[Predictions, Predictions]:
    labels = rng.integers(0, 3, 120)
    logits = 2 * np.eye(3)[labels] + rng.normal(size=(120, 3))
    noisy = logits + rng.normal(size=(120, 3))
    return predictions(logits, labels), predictions(noisy, labels)


def test_against_scikit_learn(both: tuple[Predictions, Predictions]) -> None:
    network, exported = both
    found = exported_quality(network, exported, 1.5, 200)
    labels = network.labels
    for one, scores in ((network, found["network"]), (exported, found)):
        answers = one.logits.argmax(1)
        assert scores["macro_f1"] == pytest.approx(f1_score(labels, answers, average="macro"))
        assert scores["accuracy"] == pytest.approx(accuracy_score(labels, answers))
        assert scores["nll"] == pytest.approx(log_loss(labels, softmax(one.logits, 1.5)), rel=1e-5)
    same = np.mean(network.logits.argmax(1) == exported.logits.argmax(1))
    assert found["agreement"] == pytest.approx(same)
    change = found["macro_f1_change"]
    assert change["value"] == pytest.approx(found["macro_f1"] - found["network"]["macro_f1"])
    assert change["low"] < change["value"] < change["high"] < 0  # noise costs
    assert (found["n"], found["n_groups"]) == (120, 60) and "200 resamples" in found["interval"]


def test_of_itself_nothing_is_lost(both: tuple[Predictions, Predictions]) -> None:
    found = exported_quality(both[0], both[0], n_boot=50)
    assert found["macro_f1_change"] == {"value": 0, "low": 0, "high": 0}
    assert found["agreement"] == 1
    assert {name: found[name] for name in SCORES} == found["network"]


def test_without_resamples_and_on_other_images(both: tuple[Predictions, Predictions]) -> None:
    network, exported = both
    found = exported_quality(network, exported, n_boot=0)
    assert found["macro_f1_change"]["low"] is None
    other = replace(exported, sample_ids=np.char.add(exported.sample_ids, "x"))
    with pytest.raises(DataError):
        exported_quality(network, other)
