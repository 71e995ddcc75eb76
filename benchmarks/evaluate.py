"""Time the measuring of predictions: resamples of every headline score.

    python benchmarks/evaluate.py --json FILE

`bootstrap_s`: seconds of `evaluate_predictions` with 2,000 lesion-clustered resamples of every
score, overall and per class, on drawn logits of 1,350 images of 1,000 lesions and 7 classes, about
the size of HAM10000's test part. Each figure is a median; its repetitions and spread are in the
JSON, the first, not warmed up, among them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))  # so that `python benchmarks/evaluate.py` finds its own project

import numpy as np

from benchmarks.measuring import machine, summary
from kdcore.evaluate import BY_CLASS, OVERALL, evaluate_predictions
from kdcore.predict import Predictions

PACKAGES = ("numpy", "scipy")
CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
SHARES = (0.03, 0.05, 0.11, 0.01, 0.11, 0.67, 0.02)
IMAGES, LESIONS, RESAMPLES = 1350, 1000, 2000
AIMS = {"bootstrap_s": 3.0}


def draw_predictions(images: int, lesions: int, seed: int = 0) -> Predictions:
    """Return predictions of a model that is right on about four images of five."""
    rng = np.random.default_rng(seed)
    lesion = np.concatenate([np.arange(lesions), rng.integers(0, lesions, images - lesions)])
    labels = rng.choice(len(CLASSES), lesions, p=SHARES)[lesion]
    logits = rng.normal(size=(images, len(CLASSES))) + 2.5 * np.eye(len(CLASSES))[labels]
    return Predictions(
        logits=logits.astype(np.float32),
        labels=labels,
        sample_ids=np.arange(images).astype(np.str_),
        group_ids=lesion.astype(np.str_),
        classes=CLASSES,
        split="test",
        checkpoint_hash="",
    )


def bootstrap_seconds(repeats: int) -> list[float]:
    """Return the seconds of each repetition of `bootstrap_s`."""
    predictions = draw_predictions(IMAGES, LESIONS)
    return [
        _timed(lambda: evaluate_predictions(predictions, 1.5, RESAMPLES)) for _ in range(repeats)
    ]


def _timed(task: Callable[[], object]) -> float:
    begin = time.perf_counter()
    task()
    return time.perf_counter() - begin


def main() -> None:
    """Run the benchmark and write its JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument("--repeats", type=int, default=15, help="of each figure (default 15)")
    options = parser.parse_args()
    conditions = machine(PACKAGES)
    result = summary({"bootstrap_s": bootstrap_seconds(options.repeats)}, AIMS)
    settings = {"images": IMAGES, "lesions": LESIONS, "classes": len(CLASSES)}
    settings |= {"resamples": RESAMPLES, "overall": OVERALL, "by_class": BY_CLASS}
    result |= {"settings": {"bootstrap_s": settings}, "machine": conditions}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=2) + "\n")
    for name, aim in AIMS.items():
        print(f"{name:18} {result[name]:10.3f}   aim {aim:g}")


if __name__ == "__main__":
    main()
