"""The training objective, its parts by name: the one place that says what α and T mean.

    L = α·CE + (1 − α)·T²·KL(teacher ‖ student) + β·AT + λ·Align + hint·Hint

α weighs the hard label. T softens both outputs, and T² keeps the soft term's gradient as large
as at T = 1. With decoupled KD its loss stands in KL's place; without teachers L is CE alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from kdcore.distill.recipe import Recipe
from kdcore.distill.schedules import Terms
from kdcore.distill.signals import Signals
from kdcore.losses import (
    attention_map,
    attention_transfer,
    contrastive_alignment,
    dkd_loss,
    hard_loss,
    hint_loss,
    kd_loss,
    masked_alignment,
    top_fraction_mask,
)
from kdcore.models import Output

PARTS = ("loss", "ce", "kd", "at", "align", "hint")


def objective(
    recipe: Recipe,
    terms: Terms,
    student: Output,
    targets: Tensor,
    signals: Signals | None = None,
    class_weights: Tensor | None = None,
    projected: Sequence[Tensor] = (),
) -> dict[str, Tensor]:
    """Return `{loss, ce, kd, at, align, hint}` for one batch; a part without a weight is 0.

    Parameters
    ----------
    recipe : which losses, and their constants
    terms : α, T, β and λ of this step
    student : logits (B, C) and stages, with gradients
    targets : (B, C) soft labels
    signals : what the teachers say of the same views; None without teachers
    class_weights : (C,) or None
    projected : for each teacher the student's stage through its projection, for hints
    """
    ce = hard_loss(
        student.logits, targets, class_weights, recipe.label_smoothing, recipe.focal_gamma
    )
    parts = dict.fromkeys(PARTS[1:], ce.new_zeros(())) | {"ce": ce}
    if signals is None:
        return {"loss": ce, **parts}
    if terms.alpha < 1:
        weights = None
        if recipe.kd_weighted and class_weights is not None:
            weights = targets @ class_weights
        parts["kd"] = _soft(recipe, terms.temperature, student, signals, targets, weights)
    if terms.beta or terms.lam:
        maps = [attention_map(stage) for stage in student.stages]
        parts |= _attention(recipe, terms, maps, signals)
    if recipe.hint:
        gaps = [hint_loss(p, f) for p, f in zip(projected, signals.features, strict=True)]
        parts["hint"] = _mean(gaps, signals.weights)
    loss = terms.alpha * ce + (1 - terms.alpha) * parts["kd"]
    loss = loss + terms.beta * parts["at"] + terms.lam * parts["align"]
    return {"loss": loss + recipe.hint * parts["hint"], **parts}


def _soft(
    recipe: Recipe,
    temperature: float,
    student: Output,
    signals: Signals,
    targets: Tensor,
    weights: Tensor | None,
) -> Tensor:
    if recipe.kd == "kl":
        return kd_loss(student.logits, signals.logits, temperature, weights)
    return dkd_loss(
        student.logits,
        signals.logits,
        targets.argmax(1),  # not mixed: the recipe excludes it
        temperature,
        recipe.dkd_target,
        recipe.dkd_other,
        weights,
    )


def _attention(
    recipe: Recipe, terms: Terms, maps: Sequence[Tensor], signals: Signals
) -> dict[str, Tensor]:
    """Return the parts `at` and `align` that have a weight, averaged over teachers."""
    transfer, alignment = [], []
    for index, theirs in enumerate(signals.attention):
        masks = None
        if signals.relevance:
            masks = _masks(recipe, maps, signals.relevance[index])
        if terms.beta:
            pairs = maps[-len(theirs) :]
            gate = masks if recipe.at_masked else None
            transfer.append(attention_transfer(pairs, theirs, recipe.at_weights, gate))
        if terms.lam and masks is not None:
            back = min(recipe.align_stage, len(masks))
            alignment.append(_align(recipe, maps[-back], theirs[-back], masks[-back]))
    found = {"at": transfer, "align": alignment}
    return {name: _mean(values, signals.weights) for name, values in found.items() if values}


def _masks(recipe: Recipe, maps: Sequence[Tensor], relevance: Sequence[Tensor]) -> list[Tensor]:
    """Return the teacher's causal masks on the student's grids, early to late."""
    pairs = zip(reversed(maps), reversed(relevance))
    masks = [top_fraction_mask(r, (m.shape[-2], m.shape[-1]), recipe.mask_q) for m, r in pairs]
    return masks[::-1]


def _align(recipe: Recipe, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    if recipe.align == "mse":
        return masked_alignment(student, teacher, mask)
    return contrastive_alignment(student, teacher, mask, recipe.contrast_temperature)


def _mean(values: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    return torch.stack([w * v for w, v in zip(weights, values, strict=True)]).sum()
