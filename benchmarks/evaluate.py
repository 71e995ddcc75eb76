"""Time the measuring: resamples of every headline score, and the robustness grid.

    python benchmarks/evaluate.py --json FILE

`bootstrap_s`: seconds of `evaluate_predictions` with 2,000 lesion-clustered resamples of every
score, overall and per class, on drawn logits of 1,350 images of 1,000 lesions and 7 classes, about
the size of HAM10000's test part. Each figure is a median; its repetitions and spread are in the
JSON, the first, not warmed up, among them.

`grid_over_forward`: pictures per second of the robustness grid over those of the bare forward
passes of the same networks on inputs that are ready. Grid and passes take turns; a repetition is
one round of every corruption at its middle severity, on drawn pictures of HAM10000's reduced size,
reading and saving included. Networks: the strongest shipped teacher, and the shipped students.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))  # so that `python benchmarks/evaluate.py` finds its own project

import numpy as np
import torch

from benchmarks.measuring import summary
from kdcore.base import checkpoints_folder
from kdcore.base.machine import machine
from kdcore.data import HAM10000, LoadedImage, Sample, draw_lesion
from kdcore.data.corruptions import CORRUPTIONS, Step, reference_square, stack_name
from kdcore.evaluate import BY_CLASS, OVERALL, evaluate_predictions
from kdcore.models import Checkpoint, list_checkpoints, load_checkpoint
from kdcore.predict import Predictions, preprocess_of
from kdcore.predict.grid import grid_store, run_grid

PACKAGES = ("numpy", "scipy", "torch", "pillow")
SHARES = (0.03, 0.05, 0.11, 0.01, 0.11, 0.67, 0.02)
IMAGES, LESIONS, RESAMPLES = 1350, 1000, 2000
PICTURES, BATCH = 64, 32
AIMS = {"bootstrap_s": 3.0, "grid_over_forward": 0.8}


def draw_predictions(images: int, lesions: int, seed: int = 0) -> Predictions:
    """Return predictions of a model that is right on about four images of five."""
    rng = np.random.default_rng(seed)
    lesion = np.concatenate([np.arange(lesions), rng.integers(0, lesions, images - lesions)])
    count = len(HAM10000.classes)
    labels = rng.choice(count, lesions, p=SHARES)[lesion]
    logits = rng.normal(size=(images, count)) + 2.5 * np.eye(count)[labels]
    return Predictions(
        logits=logits.astype(np.float32),
        labels=labels,
        sample_ids=np.arange(images).astype(np.str_),
        group_ids=lesion.astype(np.str_),
        classes=HAM10000.classes,
        split="test",
        checkpoint_hash="",
    )


def bootstrap_seconds(repeats: int) -> list[float]:
    """Return the seconds of each repetition of `bootstrap_s`."""
    predictions = draw_predictions(IMAGES, LESIONS)
    return [
        _timed(lambda: evaluate_predictions(predictions, 1.5, RESAMPLES)) for _ in range(repeats)
    ]


class DrawnPictures:
    """As much of a data set as the grid asks for: pictures by id."""

    def __init__(self, pictures: int) -> None:
        names = [HAM10000.classes[i % len(HAM10000.classes)] for i in range(pictures)]
        self.samples = [
            Sample(f"drawn {i}", f"drawn {i}", dx, HAM10000.classes.index(dx))
            for i, dx in enumerate(names)
        ]
        self._pictures = {
            s.image_id: draw_lesion(s.dx, i).resize((200, 150)) for i, s in enumerate(self.samples)
        }

    def picture(self, image_id: str) -> LoadedImage:
        """Return a drawn picture."""
        return LoadedImage(self._pictures[image_id], image_id, ())


def grid_ratios(repeats: int) -> list[float]:
    """Return for each repetition the grid's pictures per second over those of bare passes."""
    data, checkpoints = DrawnPictures(PICTURES), shipped()
    stacks = [stack_name((Step(name, middle(name)),)) for name in CORRUPTIONS.names()]
    inputs = [ready(checkpoint, data) for checkpoint in checkpoints]
    ratios = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            store = grid_store(data.samples, root=Path(folder))
            grid = _timed(partial(run_grid, checkpoints, data, data.samples, "test", stacks, store))
        bare = _timed(lambda: forward(checkpoints, inputs, len(stacks)))
        ratios.append(bare / grid)
    return ratios


def shipped() -> list[Checkpoint]:
    """Return the strongest teacher and the students, one of a network at the same input size."""
    cards = list_checkpoints(checkpoints_folder())
    chosen = [
        next(c for c in cards if c.role == "teacher"),
        *(c for c in cards if c.role == "student"),
    ]
    return [load_checkpoint(checkpoints_folder() / card.name) for card in chosen]


def middle(name: str) -> int:
    """Return a corruption's middle severity."""
    return (len(CORRUPTIONS.get(name).levels) + 1) // 2


def ready(checkpoint: Checkpoint, data: DrawnPictures) -> list[torch.Tensor]:
    """Return a network's inputs in batches."""
    prepare = preprocess_of(checkpoint)
    squares = (reference_square(data.picture(s.image_id).rgb) for s in data.samples)
    return list(torch.stack([prepare(square) for square in squares]).split(BATCH))


def forward(checkpoints: list[Checkpoint], inputs: list[list[torch.Tensor]], times: int) -> None:
    """Run every network over its inputs, so many times."""
    with torch.inference_mode():
        for _ in range(times):
            for checkpoint, batches in zip(checkpoints, inputs, strict=True):
                for batch in batches:
                    checkpoint.model(batch)


def _timed(task: Callable[[], object]) -> float:
    begin = time.perf_counter()
    task()
    return time.perf_counter() - begin


def main() -> None:
    """Run the benchmark and write its JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument("--repeats", type=int, default=15, help="of the bootstrap (default 15)")
    parser.add_argument("--rounds", type=int, default=5, help="of the grid (default 5)")
    options = parser.parse_args()
    conditions = machine(PACKAGES)
    figures = {
        "bootstrap_s": bootstrap_seconds(options.repeats),
        "grid_over_forward": grid_ratios(options.rounds),
    }
    result = summary(figures, AIMS)
    settings = {"images": IMAGES, "lesions": LESIONS, "classes": len(HAM10000.classes)}
    settings |= {"resamples": RESAMPLES, "overall": OVERALL, "by_class": BY_CLASS}
    networks = {c.card.name: c.card.input_size for c in shipped()}
    grid = {"pictures": PICTURES, "corruptions": len(CORRUPTIONS.names()), "networks": networks}
    result |= {"settings": {"bootstrap_s": settings, "grid_over_forward": grid}}
    result["machine"] = conditions
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=2) + "\n")
    for name, aim in AIMS.items():
        print(f"{name:18} {result[name]:10.3f}   aim {aim:g}")


if __name__ == "__main__":
    main()
