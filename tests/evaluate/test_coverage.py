"""Intervals hold the truth as often as they say, in simulated data of clustered lesions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kdcore.evaluate import compare_pair, detection, evaluate_predictions
from kdcore.predict import Predictions

CLASSES = ("bkl", "mel", "nv")
SHARES = (0.3, 0.25, 0.45)
SETS = 200


def draw(lesions: int, seed: int) -> tuple[Predictions, Predictions]:
    """Return teacher and student; a lesion has one to five images, hard or easy together."""
    rng = np.random.default_rng(seed)
    lesion = np.repeat(np.arange(lesions), rng.integers(1, 6, lesions))
    labels, n = rng.choice(3, lesions, p=SHARES)[lesion], len(lesion)
    shared = rng.normal(size=(lesions, 3))[lesion]  # what both find hard about a lesion
    evidence = 1.2 * np.eye(3)[labels] + shared

    def answers(quality: float) -> np.ndarray:
        own = rng.normal(size=(lesions, 3))[lesion] + rng.normal(size=(n, 3))
        return (2 * evidence + own / quality).astype(np.float32)

    teacher = Predictions(
        logits=answers(1.5),
        labels=labels,
        sample_ids=np.arange(n).astype(np.str_),
        group_ids=lesion.astype(np.str_),
        classes=CLASSES,
        split="test",
        checkpoint_hash="0" * 64,
    )
    return teacher, replace(teacher, logits=answers(0.7))


def figures(pair, n_boot):
    found = compare_pair(*pair, n_boot=n_boot)
    metrics, mel = found.metrics, detection(pair[0], n_boot=n_boot)
    return {
        "accuracy": metrics["accuracy"].teacher,
        "macro_f1": metrics["macro_f1"].teacher,
        "mcc": metrics["mcc"].student,
        "macro_ap": metrics["macro_ap"].student,
        "delta accuracy": metrics["accuracy"].delta,
        "delta macro_f1": metrics["macro_f1"].delta,
        "delta macro_ap": metrics["macro_ap"].delta,
        "delta nll": metrics["nll"].delta,
        "retention": found.retention,
        "same answer": found.agreement.share,
        "kappa": found.agreement.kappa,
        "kl": found.agreement.kl,
        "copied mistakes": found.agreement.quadrants[3].share,
        "sensitivity at 0.9": mel.sensitivity_at[0.9],
    }


@pytest.mark.slow
def test_95_percent_intervals_hold_the_truth_in_90_to_99_percent_of_data_sets():
    truth = {name: i.value for name, i in figures(draw(150_000, seed=10**6), 0).items()}
    held = dict.fromkeys(truth, 0)
    for seed in range(SETS):
        for name, interval in figures(draw(200, seed), 400).items():
            held[name] += interval.low <= truth[name] <= interval.high
    shares = {name: count / SETS for name, count in held.items()}
    assert all(0.90 <= share <= 0.99 for share in shares.values()), shares


@pytest.mark.slow
def test_intervals_that_take_images_for_independent_do_not():
    pair = draw(150_000, seed=10**6)
    truth, held = evaluate_predictions(pair[0], n_boot=0).metrics["accuracy"].value, 0
    for seed in range(SETS):
        teacher = draw(200, seed)[0]
        alone = replace(teacher, group_ids=teacher.sample_ids)
        interval = evaluate_predictions(alone, n_boot=400).metrics["accuracy"]
        held += interval.low <= truth <= interval.high
    assert held / SETS < 0.85
