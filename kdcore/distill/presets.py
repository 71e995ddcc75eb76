"""Where a recipe starts: the methods as sensible values for a data set, and names not yet taken.

The weights are those of recipes/sweeps/ham10000-methods.toml, chosen on validation: with rare
classes weighed in the hard label's loss alone, KD gained accuracy and lost balanced accuracy (of
one seed).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kdcore.data import IMAGEFOLDER, DatasetInfo
from kdcore.data.info import MEDMNIST
from kdcore.distill.recipe import Recipe, active_terms

_SOFT = {"alpha": 0.1, "temperature": 2.0, "kd_weighted": True}
_BASES: dict[str, dict[str, Any]] = {
    "ham10000": {
        "architecture": "resnet18", "input_size": 96, "epochs": 8, "ema": 0.99,
        "precision": "auto",
    },
    "imagefolder": {
        "architecture": "resnet18", "input_size": 96, "epochs": 8, "ema": 0.99,
        "augmentation": "cifar", "precision": "auto",
    },
    "cifar10": {
        "architecture": "resnet18_cifar", "input_size": 32, "epochs": 20, "ema": 0.99,
        "augmentation": "cifar", "class_weights": "none", "optimizer": "sgd", "batch_size": 64,
        "learning_rate": 0.05, "weight_decay": 5e-4, "precision": "auto",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Method:
    """A way to train: its name for people, what it does, and the fields that make it."""

    title: str
    meaning: str
    values: Mapping[str, Any] = field(default_factory=dict)
    taught: bool = True


METHODS = {
    "baseline": Method(
        "Baseline without a teacher", "Cross-entropy with the labels alone: what a student "
        "learns without help, and what the others are compared with.", taught=False,
    ),
    "kd": Method(
        "KD", "The student also matches the teacher's softened answers (Hinton et al. 2015).",
        _SOFT,
    ),
    "kd-align": Method(
        "KD + alignment", "And its attention, inside the region that speaks for the class to the "
        "teacher: the causal mask.", {**_SOFT, "lam": 10.0},
    ),
    "kd-at": Method(
        "KD + attention transfer", "And it is active where the teacher is, stage by stage "
        "(Zagoruyko & Komodakis 2017).", {**_SOFT, "beta": 100.0},
    ),
    "full": Method(
        "KD + attention transfer + alignment", "All of it, attention gated by the causal mask.",
        {**_SOFT, "beta": 100.0, "at_masked": True, "lam": 10.0},
    ),
    "dkd": Method(
        "Decoupled KD", "The soft label's loss in two parts, true class and the others, weighed "
        "apart (Zhao et al. 2022).", {**_SOFT, "kd": "dkd"},
    ),
}  # fmt: skip


def method_recipe(key: str, info: DatasetInfo, teachers: Sequence[str]) -> dict[str, Any]:
    """Return the fields of the method `key` on a data set, names left out.

    Parameters
    ----------
    key : one of `METHODS`
    info : of the data set
    teachers : checkpoints that could teach, the strongest first; the first of them is taken
    """
    method = METHODS[key]
    small = info.key in ("cifar10", "cifar100", *MEDMNIST)
    base = _BASES.get(info.key, _BASES["cifar10" if small else IMAGEFOLDER])
    taught = {"role": "student", "teachers": tuple(teachers[:1])}
    return {
        "dataset": info.key,
        "split": info.splits[0],
        **base,
        **(taught if method.taught else {"role": "baseline"}),
        **method.values,
    }


def propose_name(words: Sequence[str], taken: Collection[str]) -> str:
    """Return a folder's name made of `words` that is not among `taken`: a number tells it apart."""
    stem = re.sub(r"[^a-z0-9_]+", "-", "-".join(w for w in words if w).lower()).strip("-") or "run"
    number, name = 1, stem
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def next_name(name: str, taken: Collection[str]) -> str:
    """Return the first free name that counts `name` up, which is "x-3" after "x-2" and "x"."""
    stem, _, number = name.rpartition("-")
    return propose_name([stem if number.isdigit() and stem in taken else name], taken)


def is_alone(values: Mapping[str, Any]) -> bool:
    """Tell whether plain recipe values name no teacher and weigh no teacher's term."""
    return not (values.get("teachers") or active_terms(values) or values.get("schedules"))


def weighted_parts(
    recipe: Recipe | None, history: Sequence[Mapping[str, float]]
) -> list[dict[str, float]]:
    """Return for each epoch what every part adds to the loss: ce, kd, at, align, hint.

    A weight that a schedule moves is taken at the epoch's end, as the history has it, so there
    the parts' sum is near the mean loss and not equal to it. A part that is never more than 0 is
    left out. Without a recipe that can be read there are none.
    """
    if recipe is None:
        return []
    rows = []
    for row in history:
        alpha = row.get("alpha", recipe.alpha) if recipe.teachers and recipe.taught else 1.0
        weights = {
            "ce": alpha,
            "kd": 1 - alpha,
            "at": row.get("beta", recipe.beta),
            "align": row.get("lam", recipe.lam),
            "hint": recipe.hint,
        }
        rows.append({k: w * row.get(f"train_{k}", 0.0) for k, w in weights.items()})
    used = [part for part in (rows[0] if rows else {}) if any(row[part] > 0 for row in rows)]
    return [{part: row[part] for part in used} for row in rows]
