"""Count how often the bias-shifted intervals of an ECE, and of a difference of two, hold the truth.

    python benchmarks/ece_coverage.py --json results/ece_coverage.json

Drawn data, 200 sets of each kind: 1,350 images of 1,000 lesions, 7 classes of which one is two
thirds. A label is drawn by softmax(z); the model's logits are z times a sharpness, so that 1 is
calibrated perfectly and more is over-confident. The true ECE is that of 200,000 such images whose
answers count as right with their probability, so without the noise of labels. Intervals are those
of `evaluate_predictions` and `compare_pair`; a difference is the second sharpness less the first,
of the same images.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))  # so that `python benchmarks/ece_coverage.py` finds its own project

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from kdcore.base import write_text
from kdcore.evaluate import Interval, compare_pair, evaluate_predictions
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax

SETS, IMAGES, LESIONS, BINS = 200, 1350, 1000, 15
PRIORS = np.log([0.03, 0.05, 0.11, 0.01, 0.11, 0.68, 0.01])
SPREAD = 2.0  # of the logits: how much the classes are told apart
SHARP = (1.0, 1.3, 2.0)
PAIRS = ((1.0, 2.0), (1.0, 1.3), (1.3, 2.0), (0.8, 1.3))

Floats = NDArray[np.float64]


def drawn(rng: np.random.Generator, lesions: int, images: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return z (images, 7) of images that share their lesion's, and the lesions (images,)."""
    z = PRIORS + rng.normal(0, SPREAD, (lesions, len(PRIORS)))
    lesion = np.sort(np.r_[np.arange(lesions), rng.integers(0, lesions, images - lesions)])
    return z[lesion], lesion


def true_ece(sharp: float) -> float:
    """Return the ECE of a sharpness without the noise of labels."""
    z, _ = drawn(np.random.default_rng(0), 200_000, 200_000)
    said = softmax(sharp * z)
    first = said.argmax(1)
    rows = np.arange(len(z))
    sure, right = said[rows, first], softmax(z)[rows, first]
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = np.bincount(place, sure - right, BINS)
    return float(np.abs(gaps).sum() / len(z))


def one_set(seed: int) -> list[Interval]:
    """Return the intervals of each of `SHARP`, then of each of `PAIRS`, on one set of data."""
    rng = np.random.default_rng(seed + 1)
    z, lesion = drawn(rng, LESIONS, IMAGES)
    labels = (softmax(z).cumsum(1) > rng.random((IMAGES, 1))).argmax(1)
    ids = np.array([f"i{k}" for k in range(IMAGES)])
    names = tuple("abcdefg")

    def shown(sharp: float) -> Predictions:
        logits = (sharp * z).astype(np.float32)
        return Predictions(logits, labels, ids, np.char.add("l", lesion.astype(str)), names, "test",
                           "0" * 64)  # fmt: skip

    alone = [evaluate_predictions(shown(sharp)).metrics["ece"] for sharp in SHARP]
    pairs = [compare_pair(shown(a), shown(b)).metrics["ece"].delta for a, b in PAIRS]
    return [*alone, *pairs]


def main() -> None:
    """Write for each kind the true value, and in how many sets its interval holds it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, required=True)
    target = parser.parse_args().json
    truths = {sharp: true_ece(sharp) for sharp in {*SHARP, *(s for pair in PAIRS for s in pair)}}
    sets = Parallel(n_jobs=-1)(delayed(one_set)(seed) for seed in range(SETS))
    found = []
    kinds = [("ece", (s,), truths[s]) for s in SHARP]
    kinds += [("difference", pair, truths[pair[1]] - truths[pair[0]]) for pair in PAIRS]
    for (what, sharp, truth), intervals in zip(kinds, zip(*sets, strict=True), strict=True):
        held = sum(one.low <= truth <= one.high for one in intervals)
        found.append({"what": what, "sharpness": sharp, "truth": round(truth, 4), "held": held})
        print(f"{what} {sharp}: true {truth:.3f}, held in {held} of {SETS}")
    told = {"sets": SETS, "images": IMAGES, "lesions": LESIONS, "kinds": found}
    text = json.dumps(told, indent=1)
    write_text(target, f"{text}\n")


if __name__ == "__main__":
    main()
