"""What distillation costs: an epoch of the full method, cached and live, over cross-entropy alone.

    python benchmarks/distill_epoch.py --data DIR --json FILE

KD + attention transfer behind causal masks at every stage + alignment, ResNet-50 teacher and
ResNet-18 student at the same input size. Each round trains one epoch of each kind, in turn, on the
same images in one process; ratios are of the epochs of one round. The cache is filled before and
its time told apart: it is paid once for all epochs, seeds and methods.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

import torch

from kdcore.base import folder_bytes
from kdcore.data import ImageDataset, Preprocess, open_dataset, samples_by_part
from kdcore.distill import Recipe, RunFolder, TeacherCache, Trainer, keep_memory, make_fabric
from kdcore.distill.cache import CachedTeachers
from kdcore.distill.recipe import needed_stages
from kdcore.distill.signals import LiveTeachers, Teacher
from kdcore.distill.sources import Sources, limit_samples, load_sources, source_side
from kdcore.distill.student import Student
from kdcore.models import build_model, load_checkpoint

KINDS = ("ce", "cached", "live")


def recipes(options: argparse.Namespace) -> dict[str, Recipe]:
    """Return the recipe of each kind."""
    ce = Recipe(
        "ce", "resnet18", role="baseline", input_size=options.size, batch_size=options.batch,
        epochs=options.rounds, precision=options.precision,
    )  # fmt: skip
    live = dataclasses.replace(
        ce, name="live", role="student", teachers=(options.teacher,), alpha=0.1, beta=1000.0,
        at_masked=True, lam=10.0,
    )  # fmt: skip
    cached = dataclasses.replace(live, name="cached", teacher_views=options.views)
    return {"ce": ce, "cached": cached, "live": live}


def make_trainers(
    options: argparse.Namespace, data: ImageDataset, folder: Path
) -> tuple[dict[str, Trainer], TeacherCache, float]:
    """Return a trainer of each kind on the same decoded pictures, the cache, and its seconds."""
    fabric = make_fabric("cpu", options.precision)
    train = samples_by_part(data)["train"]
    sources = load_sources(data, limit_samples(train, options.images), source_side(options.size))
    found = load_checkpoint(options.checkpoints / options.teacher)
    card = dataclasses.replace(found.card, input_size=options.size)  # weights do not change times
    teacher = Teacher(dataclasses.replace(found, card=card), fabric.device)
    by_kind = recipes(options)
    cache = TeacherCache(teacher, sources, by_kind["cached"], folder / "cache")
    start = time.perf_counter()
    cache.fill(lambda done, total: print(f"\rcache {done} of {total}", end="", file=sys.stderr))
    seconds = time.perf_counter() - start
    answering = {
        "ce": None,
        "cached": CachedTeachers([cache], by_kind["cached"]),
        "live": LiveTeachers([teacher], by_kind["live"], fabric.autocast),
    }
    nothing = Sources(
        torch.zeros(8, 3, options.size, options.size, dtype=torch.uint8), torch.arange(8) % 7
    )
    trainers = {
        kind: Trainer(
            recipe,
            Student(build_model("resnet18", len(data.info.classes)), needed_stages(recipe)),
            answering[kind],
            sources,
            nothing,
            Preprocess(options.size, data.info.mean, data.info.std),
            RunFolder(folder / kind),
            fabric,
            classes=len(data.info.classes),
        )
        for kind, recipe in by_kind.items()
    }
    if options.steps:
        for trainer in trainers.values():
            trainer.steps = trainer.batches.steps = options.steps
    return trainers, cache, seconds


def measure(trainers: dict[str, Trainer], rounds: int) -> list[dict[str, float]]:
    """Return seconds of one epoch of each kind, by round; the order turns with the round."""
    for trainer in trainers.values():  # what the first steps set up is not an epoch's cost
        trainer.forward.train()
        for _, batch in zip(range(3), trainer.batches.epoch(0)):
            trainer.step(batch, trainer.recipe.input_size, 1e-3, 0.0)
    found = []
    for index in range(rounds):
        order = [KINDS[(index + k) % len(KINDS)] for k in range(len(KINDS))]
        found.append({kind: trainers[kind].train_epoch(index)["seconds"] for kind in order})
        print("\n" + "  ".join(f"{k} {found[-1][k]:.1f} s" for k in KINDS), file=sys.stderr)
    return found


def ratio(rows: list[dict[str, float]], one: str, other: str) -> dict[str, float]:
    """Return median, least and largest ratio of paired epochs."""
    values = [row[one] / row[other] for row in rows]
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def main() -> None:
    """Run the benchmark and write its JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="a HAM10000 folder")
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument("--checkpoints", type=Path, default=REPO / "checkpoints")
    parser.add_argument("--teacher", default="resnet50-teacher", help="a ResNet-50 checkpoint")
    parser.add_argument("--size", type=int, default=128, help="input side of both, pixels")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--images", type=int, default=0, help="training images; 0 for all")
    parser.add_argument("--steps", type=int, default=0, help="of an epoch; 0 for a whole one")
    parser.add_argument("--views", type=int, default=1, help="cached views of each image")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", default="auto", choices=("fp32", "bf16", "auto"))
    options = parser.parse_args()
    keep_memory()
    data = open_dataset(options.data)
    with tempfile.TemporaryDirectory() as folder:
        trainers, cache, seconds = make_trainers(options, data, Path(folder))
        size = folder_bytes(cache.folder) / 1e6
        rows = measure(trainers, options.rounds)
    ratios = {
        "cached_over_ce": ratio(rows, "cached", "ce"),
        "live_over_ce": ratio(rows, "live", "ce"),
        "live_over_cached": ratio(rows, "live", "cached"),
    }
    result = {
        **{name: found["median"] for name, found in ratios.items()},
        "spread": ratios,
        "epochs_s": rows,
        "cache_fill_s": seconds,
        "cache_mb": size,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        "settings": {  # without the paths of this machine
            k: str(v) for k, v in vars(options).items() if k not in ("json", "data", "checkpoints")
        },
        "images": len(trainers["ce"].batches.data.labels),
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }
    options.json.write_text(json.dumps(result, indent=2) + "\n")
    print(
        json.dumps({k: v for k, v in result.items() if k not in ("epochs_s", "machine")}, indent=2)
    )


if __name__ == "__main__":
    main()
