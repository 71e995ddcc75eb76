"""Predictions for tests: noisy logits of seven classes, several images to a lesion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kdcore.predict import Predictions

CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
SHARES = (0.05, 0.08, 0.15, 0.04, 0.15, 0.48, 0.05)


def make_predictions(
    n: int = 400, seed: int = 0, signal: float = 2.0, groups: int | None = None, **changes
) -> Predictions:
    """Return `n` predictions whose images share `groups` lesions (default 0.7 n)."""
    rng = np.random.default_rng(seed)
    groups = groups or max(1, int(0.7 * n))
    lesion_class = rng.choice(7, groups, p=SHARES)
    lesion_class[: min(groups, 7)] = np.arange(7)[: min(groups, 7)]  # every class is there
    lesion = np.concatenate([np.arange(groups), rng.integers(0, groups, n - groups)])
    labels = lesion_class[lesion]
    logits = rng.normal(size=(n, 7)) * 1.5
    logits[np.arange(n), labels] += signal
    kind = "" if changes.get("split", "test") == "test" else f"{changes['split']} "
    fields = {
        "logits": logits.astype(np.float32),
        "labels": labels,
        "sample_ids": np.array([f"{kind}image {i}" for i in range(n)]),
        "group_ids": np.array([f"HAM_{g:07d}" for g in lesion]),
        "classes": CLASSES,
        "split": "test",
        "checkpoint_hash": "0" * 64,
        "checkpoint": "student",
    }
    return Predictions(**fields | changes)


def subset(predictions: Predictions, keep: np.ndarray) -> Predictions:
    """Return the images at `keep`; a repeated index becomes an image with an id of its own."""
    return Predictions(
        logits=predictions.logits[keep],
        labels=predictions.labels[keep],
        sample_ids=np.array([f"{predictions.split} {i}" for i in range(len(keep))]),
        group_ids=predictions.group_ids[keep],
        classes=predictions.classes,
        split=predictions.split,
        checkpoint_hash=predictions.checkpoint_hash,
    )


def renamed(predictions: Predictions) -> Predictions:
    """Return the same under other image ids, to be measured on what was chosen on them."""
    return replace(
        predictions, split="test", sample_ids=np.char.add("copy of ", predictions.sample_ids)
    )
