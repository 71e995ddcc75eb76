"""Training batches: which images, in which views, mixed or not, the same for student and teachers.

A batch is numbers until somebody asks for its pictures at a size; so a cached teacher costs no
rendering, and every network is shown the same view (Beyer et al. 2022, "consistent teaching").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from kdcore.base import torch_generator
from kdcore.data import (
    AUGMENTATIONS,
    Augmentation,
    Preprocess,
    View,
    render,
    sample_views,
    turn_view,
)
from kdcore.distill.recipe import Recipe, needed_stages
from kdcore.distill.sources import Sources

CPU = torch.device("cpu")
BANK_SEED = 20_000  # of the K cached views: one bank for all seeds of a recipe, so one cache


@dataclass(frozen=True)
class Batch:
    """One batch of B training images.

    Attributes
    ----------
    indices : (B,) rows of the training part
    pixels : (B, 3, H, W) uint8
    labels : (B,)
    view : how each image is looked at
    bank : (B,) which cached view that is, turned or not; None for a fresh view
    lam, partner : mixing weight of the image itself, and whom it is mixed with (B,) or None
    device : where pictures are rendered
    """

    indices: Tensor
    pixels: Tensor
    labels: Tensor
    view: View
    bank: Tensor | None = None
    lam: float = 1.0
    partner: Tensor | None = None
    device: torch.device = CPU

    def images(self, size: int, how: Preprocess) -> Tensor:
        """Return the views at `size` pixels, mixed and normalised (B, 3, size, size)."""
        view = self._moved_view
        shrink = min(self.pixels.shape[-2:]) / (1.5 * size)
        out = render(self.pixels.to(self.device), view, size, shrink)
        if self.partner is not None:
            out = self.lam * out + (1 - self.lam) * out[self.partner]
        return how.normalise(out).to(memory_format=torch.channels_last)

    def targets(self, classes: int) -> Tensor:
        """Return soft labels (B, C)."""
        hot = nn.functional.one_hot(self.labels, classes).float()
        if self.partner is not None:
            hot = self.lam * hot + (1 - self.lam) * hot[self.partner]
        return hot.to(self.device)

    @cached_property
    def _moved_view(self) -> View:
        return View(*(part.to(self.device) for part in self.view))


class Batches:
    """The batches of every epoch, decided by seed and epoch alone."""

    def __init__(self, recipe: Recipe, data: Sources, classes: int, device: torch.device) -> None:
        self.recipe, self.data, self.device = recipe, data, device
        self.how: Augmentation = AUGMENTATIONS[recipe.augmentation]
        self.steps = len(data.labels) // recipe.batch_size
        self.counts = torch.bincount(data.labels, minlength=classes)
        # A map does not turn with its picture (see `kdcore.distill.cache`), an answer does.
        self._maps = bool(needed_stages(recipe))
        if recipe.teacher_views:
            seeds = torch_generator(recipe.seed, BANK_SEED)
            self._offset = torch.randint(recipe.teacher_views, (len(data.labels),), generator=seeds)
            self._bank = [bank_views(data, self.how, k) for k in range(recipe.teacher_views)]

    def epoch(self, epoch: int, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """Yield the batches of `epoch` (from 0), of each the share of process `rank` of `world`."""
        generator = torch_generator(self.recipe.seed, epoch)
        order = self._order(generator)
        for step in range(self.steps):
            rows = order[step * self.recipe.batch_size : (step + 1) * self.recipe.batch_size]
            batch = self._batch(rows, epoch, generator)
            yield batch if world == 1 else _share(batch, rank, world)

    def _order(self, generator: torch.Generator) -> Tensor:
        labels = self.data.labels
        if self.recipe.sampling == "shuffled":
            return torch.randperm(len(labels), generator=generator)
        weights = 1 / self.counts.clamp_min(1).double()[labels]
        return torch.multinomial(weights, len(labels), replacement=True, generator=generator)

    def _batch(self, rows: Tensor, epoch: int, generator: torch.Generator) -> Batch:
        bank = None
        if self.recipe.teacher_views:
            bank, turns = self._from_bank(rows, epoch, generator)
            view = turn_view(self._bank_rows(bank, rows), turns)
        else:
            view = sample_views(len(rows), self.how, generator)
        lam, partner = _mixing(len(rows), self.recipe.mixup, generator)
        return Batch(
            rows, self.data.images[rows], self.data.labels[rows], view, bank, lam, partner,
            self.device,
        )  # fmt: skip

    def _from_bank(
        self, rows: Tensor, epoch: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Each image goes through its K views; once through, they come turned if that is safe."""
        views = self.recipe.teacher_views
        bank = (self._offset[rows] + epoch) % views
        turns = 1 if epoch < views or self._maps else self.how.turns
        return bank, torch.randint(turns, (len(rows),), generator=generator)

    def _bank_rows(self, bank: Tensor, rows: Tensor) -> View:
        pairs = list(zip(bank.tolist(), rows.tolist()))
        return View(*(torch.stack([self._bank[k][f][i] for k, i in pairs]) for f in range(4)))


def bank_views(data: Sources, how: Augmentation, k: int) -> View:
    """Return view `k` of every training image."""
    return sample_views(len(data.labels), how, torch_generator(BANK_SEED, k))


def _share(batch: Batch, rank: int, world: int) -> Batch:
    """Return every `world`-th image of a batch that is not mixed, from `rank` on."""

    def own(value: Tensor | None) -> Tensor | None:
        return None if value is None else value[rank::world]

    view = View(*(part[rank::world] for part in batch.view))
    return Batch(
        batch.indices[rank::world], batch.pixels[rank::world], batch.labels[rank::world], view,
        own(batch.bank), device=batch.device,
    )  # fmt: skip


def _mixing(n: int, share: float, generator: torch.Generator) -> tuple[float, Tensor | None]:
    """Return the weight of the first picture and the order of the second, or (1, None)."""
    if torch.rand((), generator=generator) >= share:
        return 1.0, None
    lam = float(torch.rand((), generator=generator))
    return max(lam, 1 - lam), torch.randperm(n, generator=generator)
