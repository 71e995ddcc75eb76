"""Time Score-CAM, exact and fast, against the `grad-cam` and `torchcam` packages, and compare maps.

    python benchmarks/score_cam.py --json FILE

On each picture all ways take turns, and a speed-up is a ratio within one turn, so that a busy
machine weighs on both. `grad-cam` runs at the best of a few batch sizes, found on a warm-up picture
and left to its own settings otherwise, as is `torchcam` (whose convention is another: its map is
not meant to be the same). `peak_mb` is how far a process that makes one map rises above its size
with the model and picture loaded. Pictures are of the validation part of the data set that
DISTILSCOPE_DATA names, one lesion each and all classes in turn, else drawn; the class explained is
the network's first choice.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))  # so that `python benchmarks/score_cam.py` finds its own project

import numpy as np
import psutil
import torch
from PIL import Image
from pytorch_grad_cam import ScoreCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn
from torchcam.methods import ScoreCAM as TorchcamScoreCAM

from kdcore.base import checkpoints_folder, data_folder
from kdcore.base.machine import machine
from kdcore.data import HAM10000, Ham10000, draw_lesion
from kdcore.explain import fast_score_cam, score_cam
from kdcore.explain.maps import Heatmap, finish_cam, upsample
from kdcore.models import Checkpoint, Classifier, load_checkpoint
from kdcore.predict import Predictions, preprocess_of

PACKAGES = ("torch", "torchvision", "grad-cam", "torchcam", "numpy")
MODELS = (
    "resnet50-teacher",
    "mobilenet_v2-teacher-144",
    "mobilenet_v2-128-kd-at",
    "resnet18-kd-at",
)
BATCHES = (8, 16, 32)
TOP = 0.2  # of the pixels, for the intersection over union
Way = Callable[[Classifier, Tensor, int], Heatmap]


class Logits(nn.Module):
    """A classifier as the packages expect it, with logits alone for output."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, C)."""
        return self.model(images).logits


def last_stage(model: Classifier) -> nn.Module:
    """Return the module that gives the last stage."""
    return model.get_submodule(f"net.{model.stage_names[-1]}")


def grad_cam_package(batch_size: int) -> Way:
    """Return the `grad-cam` package's Score-CAM."""

    def run(model: Classifier, tensor: Tensor, target: int) -> Heatmap:
        with ScoreCAM(Logits(model), [last_stage(model)]) as cam:
            cam.batch_size = batch_size
            with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
                return cam(tensor, [ClassifierOutputTarget(target)])[0]

    return run


def torchcam_package(model: Classifier, tensor: Tensor, target: int) -> Heatmap:
    """Return the `torchcam` package's Score-CAM, upsampled as the others are."""
    shape = tuple(tensor.shape[1:])
    with TorchcamScoreCAM(Logits(model), last_stage(model), input_shape=shape) as cam:
        with torch.no_grad():
            logits = cam.model(tensor)
        (grid,) = cam(target, logits)
    return finish_cam(grid[0].numpy(), (tensor.shape[-2], tensor.shape[-1]))


WAYS: dict[str, Way] = {
    "exact": score_cam,
    "exact, float32": lambda m, t, c: score_cam(m, t, c, dtype=torch.float32),
    "fast": fast_score_cam,
    "torchcam": torchcam_package,
}


def pictures(count: int) -> tuple[str, list[Image.Image]]:
    """Return where pictures are from, and `count` of them; classes take turns."""
    folder = data_folder()
    if folder is None:
        names = [HAM10000.classes[i % len(HAM10000.classes)] for i in range(count)]
        return "drawn", [draw_lesion(name, 2000 + i) for i, name in enumerate(names)]
    data = Ham10000.open(folder)
    saved = Predictions.load(checkpoints_folder() / MODELS[0] / "predictions-val.npz")
    _, lesions = np.unique(saved.group_ids, return_index=True)
    order = np.random.default_rng(0).permutation(lesions)
    turn = [
        int((saved.labels[order[:i]] == saved.labels[row]).sum()) for i, row in enumerate(order)
    ]
    chosen = order[np.argsort(turn, kind="stable")][:count]
    return "HAM10000, validation", [data.picture(str(saved.sample_ids[i])).rgb for i in chosen]


def timed(way: Way, model: Classifier, tensor: Tensor, target: int) -> tuple[float, Heatmap]:
    """Return the seconds of one map, and the map."""
    begin = time.perf_counter()
    heatmap = way(model, tensor, target)
    return time.perf_counter() - begin, heatmap


def top_overlap(one: Heatmap, other: Heatmap) -> float:
    """Return intersection over union of two maps' top pixels."""
    count = round(TOP * one.size)
    tops = [set(np.argsort(-m.ravel(), kind="stable")[:count].tolist()) for m in (one, other)]
    return len(tops[0] & tops[1]) / len(tops[0] | tops[1])


def correlation(one: Heatmap, other: Heatmap) -> float:
    """Return Pearson's r of two maps."""
    return float(np.corrcoef(one.ravel(), upsample(other, one.shape).ravel())[0, 1])


def peak_mb(name: str, mode: str, batch: int, image: Image.Image) -> float:
    """Return how far one map raises a new process's peak memory, in MB (10^6 bytes)."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_peak, (name, mode, batch, image))


def _peak(name: str, mode: str, batch: int, image: Image.Image) -> float:
    checkpoint = load_checkpoint(checkpoints_folder() / name)
    tensor, target = prepared(checkpoint, image)
    way = grad_cam_package(batch) if mode == "grad-cam" else WAYS[mode]
    before = psutil.Process().memory_info().rss
    way(checkpoint.model, tensor, target)
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    return round((peak * 1024 - before) / 1e6, 1)


def prepared(checkpoint: Checkpoint, image: Image.Image) -> tuple[Tensor, int]:
    """Return a network's input (1, 3, S, S) and its first choice."""
    tensor = preprocess_of(checkpoint)(image)[None]
    with torch.inference_mode():
        return tensor, int(checkpoint.model(tensor).logits.argmax())


def best_batch(checkpoint: Checkpoint, image: Image.Image) -> int:
    """Return the batch size at which the `grad-cam` package is fastest on one picture."""
    tensor, target = prepared(checkpoint, image)
    seconds = {b: timed(grad_cam_package(b), checkpoint.model, tensor, target)[0] for b in BATCHES}
    return min(seconds, key=seconds.__getitem__)


def compare(name: str, images: list[Image.Image], rounds: int) -> list[dict[str, object]]:
    """Return one network's rows; the last picture only warms up."""
    checkpoint = load_checkpoint(checkpoints_folder() / name)
    batch = best_batch(checkpoint, images[-1])
    ways = {"grad-cam": grad_cam_package(batch)} | WAYS
    tensor, target = prepared(checkpoint, images[-1])
    for way in WAYS.values():
        way(checkpoint.model, tensor, target)
    turns = []
    for image in [image for _ in range(rounds) for image in images[:-1]]:
        tensor, target = prepared(checkpoint, image)
        turns.append({k: timed(w, checkpoint.model, tensor, target) for k, w in ways.items()})
    rows = [row(name, mode, turns) for mode in ways]
    for found in rows:
        found["peak_mb"] = peak_mb(name, str(found["mode"]), batch, images[0])
        if found["mode"] in ("grad-cam", "torchcam"):
            found["batch_size"] = batch if found["mode"] == "grad-cam" else 32
    return rows


def row(name: str, mode: str, turns: list[dict[str, tuple[float, Heatmap]]]) -> dict[str, object]:
    """Return what all turns say of one mode, against `grad-cam` in the same turn."""
    seconds = [turn[mode][0] for turn in turns]
    ratios = [turn["grad-cam"][0] / turn[mode][0] for turn in turns]
    pairs = [(turn["grad-cam"][1], turn[mode][1]) for turn in turns]
    likeness = [correlation(*pair) for pair in pairs]
    overlap = [top_overlap(*pair) for pair in pairs]
    return {
        "model": name,
        "mode": mode,
        "seconds": round(statistics.median(seconds), 3),
        "speedup": round(statistics.median(ratios), 2),
        "speedup_min": round(min(ratios), 2),
        "speedup_max": round(max(ratios), 2),
        "pearson": round(statistics.median(likeness), 5),
        "pearson_min": round(min(likeness), 5),
        "iou20": round(statistics.median(overlap), 4),
        "iou20_min": round(min(overlap), 4),
        "max_difference": round(max(float(np.abs(a - b).max()) for a, b in pairs), 5),
        "repetitions": len(turns),
    }


def main() -> None:
    """Run the benchmark and write its JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument("--images", type=int, default=7, help="pictures (default 7)")
    parser.add_argument("--rounds", type=int, default=1, help="turns of each (default 1)")
    parser.add_argument("--models", nargs="+", default=MODELS, help="checkpoints")
    options = parser.parse_args()
    conditions = machine(PACKAGES)
    source, images = pictures(options.images + 1)
    result: dict[str, object] = {"rows": [], "pictures": source, "images": options.images}
    result |= {"rounds": options.rounds, "batch_sizes_tried": BATCHES, "machine": conditions}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    for name in options.models:
        result["rows"] = [*result["rows"], *compare(name, images, options.rounds)]
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    for found in result["rows"]:
        print(*(f"{key} {found[key]}" for key in list(found)[:5]), found["pearson"], found["iou20"])


if __name__ == "__main__":
    main()
