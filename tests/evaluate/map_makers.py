"""Scores of heatmaps for tests: noise around a level, several images to a lesion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kdcore.data.corruptions import CLEAN
from kdcore.predict.map_scores import AGREEMENT, MapScores
from tests.evaluate.makers import CLASSES

_CHECKS = {
    **{"road": 0.3, "road_centre": 0.2, "road_uniform": 0.4},
    **{"sensitivity": 0.1, "sensitivity_edges": 0.02},
    **{"shuffled": 0.3, "shuffled_random": 0.0, "shuffled_edges": 0.5},
    **{"other_class": 0.95, "other_class_random": 0.0, "other_class_edges": 0.5},
}


def make_scores(
    n: int = 200,
    seed: int = 0,
    level: float = 0.5,
    noise: float = 0.1,
    stacks: tuple[str, ...] = (),
    **changes,
) -> MapScores:
    """Return a student's record of `n` images and as many under each of `stacks`.

    Images, lesions, labels and targets are the same for every seed; answers and columns are not.
    """
    fixed, rng = np.random.default_rng(99), np.random.default_rng(seed)
    rows = n * (1 + len(stacks))
    labels = fixed.integers(0, 7, n)
    target = np.where(fixed.random(n) < 0.8, labels, fixed.integers(0, 7, n))
    answer = np.where(rng.random(rows) < 0.8, np.tile(target, 1 + len(stacks)), 0)
    columns = {}
    for suffix, lower in (("", 0), ("_mismatched", 0.1), ("_mismatched_any", 0.2), ("_centre", 0)):
        for measure in AGREEMENT:
            values = level - lower + noise * rng.normal(size=rows)
            columns[measure + suffix] = values.astype(np.float32)
    for name, value in (("deletion", 0.3), ("deletion_centre", 0.2), ("deletion_uniform", 0.4)):
        columns[name] = (value + noise * rng.normal(size=rows)).astype(np.float32)
    fields = {
        "sample_ids": np.tile([f"image {i}" for i in range(n)], 1 + len(stacks)),
        "group_ids": np.tile([f"lesion {i * 2 // 3}" for i in range(n)], 1 + len(stacks)),
        "labels": np.tile(labels, 1 + len(stacks)),
        "target": np.tile(target, 1 + len(stacks)),
        "answer": answer,
        "corruptions": np.repeat([CLEAN, *stacks], n),
        "columns": columns,
        "classes": CLASSES,
        "split": "test",
        "method": "grad-cam",
        "checkpoint": "student",
        "checkpoint_hash": "0" * 64,
        "teacher": "teacher",
        "meta": {"role": "student", "architecture": "cnn2", "title": "The student"},
    }
    return MapScores(**fields | changes)


def with_checks(record: MapScores, tested: int, **levels: float) -> MapScores:
    """Return a record with ROAD and the other checks of its first `tested` images.

    `levels` are of `_CHECKS` and floors such as `road_centre`; the rest is as these have it.
    """
    rng = np.random.default_rng(5)
    first = np.arange(len(record)) < tested
    columns = {
        name: np.where(first, level + 0.02 * rng.normal(size=len(record)), np.nan)
        for name, level in (_CHECKS | levels).items()
    }
    checks = {name: values.astype(np.float32) for name, values in columns.items()}
    return replace(record, columns=dict(record.columns) | checks)


def make_baseline(**changes) -> MapScores:
    """Return a record of the same images by a baseline of the same network."""
    meta = {"role": "baseline", "architecture": "cnn2", "title": "The baseline"}
    fields = {"seed": 1, "checkpoint": "baseline", "meta": meta}
    return make_scores(**fields | changes)
