"""What moves during training: the learning rate, and the weights and temperature of the loss."""

from __future__ import annotations

import math
from typing import NamedTuple

from kdcore.distill.recipe import Recipe

_ONE_CYCLE_RISE = 0.3  # of all steps, as torch's OneCycleLR has it
_FLOOR = 1e-3  # of the largest rate: the last steps of a cosine still do something


class Terms(NamedTuple):
    """α, T, β and λ at one moment of training."""

    alpha: float
    temperature: float
    beta: float
    lam: float


def terms_at(recipe: Recipe, epoch: float) -> Terms:
    """Return the loss's weights and temperature at `epoch`, a number in [0, epochs].

    A "linear" or "cosine" schedule goes from the recipe's value to its end value over all epochs;
    "warm-up" rises to the recipe's value from 0 (T from 1) over the given number of epochs.
    """
    values = {name: float(getattr(recipe, name)) for name in Terms._fields}
    share = min(max(epoch / recipe.epochs, 0.0), 1.0)
    for name, kind, number in recipe.schedules:
        start = values[name]
        if kind == "warm-up":
            low = 1.0 if name == "temperature" else 0.0
            values[name] = low + (start - low) * min(epoch / number, 1.0)
        else:
            done = share if kind == "linear" else 0.5 * (1 - math.cos(math.pi * share))
            values[name] = start + (number - start) * done
    return Terms(**values)


def learning_rate_at(recipe: Recipe, step: int, steps: int) -> float:
    """Return the learning rate of `step` (from 0), with `steps` ≥ 1 steps an epoch.

    A linear warm-up comes first; "one-cycle" has its own rise, a cosine over 30 % of all steps.
    """
    total = recipe.epochs * steps
    if recipe.lr_schedule == "one-cycle":
        return recipe.learning_rate * _one_cycle(step, total)
    warm = round(recipe.warmup_epochs * steps)
    if step < warm:
        return recipe.learning_rate * (step + 1) / warm
    if recipe.lr_schedule == "cosine":
        progress = (step - warm) / max(1, total - warm)
        return recipe.learning_rate * max(0.5 * (1 + math.cos(math.pi * progress)), _FLOOR)
    if recipe.lr_schedule == "step":
        falls = step // (recipe.step_epochs * steps)
        return recipe.learning_rate * float(recipe.step_factor) ** falls
    return recipe.learning_rate


def _one_cycle(step: int, total: int) -> float:
    """Rise from 1/25 to 1, then fall to 1/250,000: torch's `OneCycleLR` with cosines."""
    top = max(_ONE_CYCLE_RISE * total - 1, 1e-9)
    if step <= top:
        return _between(1 / 25, 1.0, step / top)
    return _between(1.0, 1 / 250_000, (step - top) / max(total - 1 - top, 1e-9))


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * share))
