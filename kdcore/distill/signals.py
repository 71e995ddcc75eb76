"""What teachers say about a batch: softened-to-be logits, attention, relevance, features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from kdcore.data import Preprocess
from kdcore.distill.batches import Batch
from kdcore.distill.recipe import Recipe, needed_stages, needs_masks
from kdcore.losses import attention_map, attention_vector
from kdcore.models import Checkpoint, Classifier, Output, stage_relevance


class Needs(NamedTuple):
    """What a recipe asks of its teachers: maps of the `stages` last stages, relevance, features."""

    stages: int
    relevance: bool
    features: bool

    @staticmethod
    def of(recipe: Recipe) -> Needs:
        """Return what `recipe` asks, now or once a schedule has raised a weight."""
        return Needs(needed_stages(recipe), needs_masks(recipe), recipe.hint > 0)


@dataclass(frozen=True)
class Signals:
    """What each of M teachers says about B images.

    Attributes
    ----------
    logits : (B, C), the weighted mean over teachers
    attention : for each teacher the attention maps (B, h, w) of its last stages, early to late,
        each of L2 norm 1
    relevance : the same of the true class's gradient-weighted activation; empty if not asked for
    features : for each teacher the stage (B, K, h, w) that hints match; empty if not asked for
    weights : (M,) of the teachers, sum 1
    """

    logits: Tensor
    attention: tuple[tuple[Tensor, ...], ...] = ()
    relevance: tuple[tuple[Tensor, ...], ...] = ()
    features: tuple[Tensor, ...] = ()
    weights: tuple[float, ...] = (1.0,)


class Teachers(Protocol):
    """Somebody to ask: live networks or their cache."""

    def signals(self, batch: Batch) -> Signals:
        """Return what the teachers say about a batch."""
        ...


class Teacher:
    """One live network: in eval mode, without gradients, at its own input size."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        card = checkpoint.card
        self.model: Classifier = checkpoint.model.to(device).to(memory_format=torch.channels_last)
        self.preprocess = Preprocess(card.input_size, card.mean, card.std)
        self.hash, self.name = checkpoint.hash, card.name

    def ask(self, batch: Batch, needs: Needs) -> tuple[Output, tuple[Tensor, ...]]:
        """Return the output on a batch and, if asked for, the relevance (B, h, w) of its stages."""
        images = batch.images(self.preprocess.size, self.preprocess)
        if needs.relevance:
            labels = batch.labels.to(images.device)
            return stage_relevance(self.model, images, labels, needs.stages)
        with torch.no_grad():
            return self.model(images), ()


class LiveTeachers:
    """Asks every teacher about every batch, in the view that the student sees.

    `autocast` gives the context of the student's precision, so that both compute alike.
    """

    def __init__(
        self,
        teachers: Sequence[Teacher],
        recipe: Recipe,
        autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.teachers, self.needs, self.recipe = tuple(teachers), Needs.of(recipe), recipe
        self.autocast = autocast
        self.weights = teacher_weights(recipe)

    def signals(self, batch: Batch) -> Signals:
        """Return what the teachers say about a batch."""
        with self.autocast():
            asked = [teacher.ask(batch, self.needs) for teacher in self.teachers]
        stages = self.needs.stages
        return Signals(
            weighted_mean([output.logits.float() for output, _ in asked], self.weights),
            tuple(attention_of(output, stages) for output, _ in asked) if stages else (),
            tuple(tuple(r.float() for r in relevance) for _, relevance in asked)
            if self.needs.relevance
            else (),
            tuple(output.stages[-self.recipe.hint_stage].float() for output, _ in asked)
            if self.needs.features
            else (),
            self.weights,
        )


def attention_of(output: Output, stages: int) -> tuple[Tensor, ...]:
    """Return the attention maps (B, h, w) of the last `stages` stages, each of L2 norm 1."""
    maps = (attention_map(stage.float()) for stage in output.stages[-stages:])
    return tuple(attention_vector(m).view_as(m) for m in maps)


def teacher_weights(recipe: Recipe) -> tuple[float, ...]:
    """Return the weights of a recipe's teachers, sum 1; empty if it has none."""
    given = recipe.teacher_weights or (1.0,) * len(recipe.teachers)
    return tuple(w / sum(given) for w in given)


def weighted_mean(values: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Return the sum of `values` (B, C) times `weights`."""
    return torch.stack([w * v for w, v in zip(weights, values, strict=True)]).sum(0)
