"""The training loop: deterministic by seed, resumable after any epoch, best epoch by validation.

Views, order and mixing of epoch e depend on the seed and e alone, so a resumed run continues as
the uninterrupted one would.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from sklearn.metrics import balanced_accuracy_score, f1_score
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from kdcore.base import Cancelled, seed_everything, torch_generator, write_atomically
from kdcore.data import Augmentation, Preprocess, render, sample_views
from kdcore.distill.objective import objective
from kdcore.distill.recipe import Recipe
from kdcore.distill.run import RunFolder
from kdcore.distill.sources import Sources
from kdcore.models import Checkpoint, Classifier, Output

Log = Callable[[dict[str, float]], None]


class Trainer:
    """Trains `model` by `recipe` on decoded `train` pictures, choosing on `val` inputs.

    Parameters
    ----------
    model : a Classifier with its initial weights
    teachers : loaded checkpoints, in eval mode and without gradients
    preprocess : the student's input size and normalisation
    classes : of the data set, also those that have no picture in `train` or `val`
    folder : the run directory; with `resume`, its last epoch is continued
    """

    def __init__(
        self,
        recipe: Recipe,
        model: Classifier,
        teachers: Sequence[Checkpoint],
        train: Sources,
        val: Sources,
        preprocess: Preprocess,
        folder: RunFolder,
        device: str = "cpu",
        *,
        classes: int,
    ) -> None:
        self.recipe, self.train_data, self.val_data = recipe, train, val
        self.preprocess, self.folder, self.device = preprocess, folder, torch.device(device)
        self.model = _placed(model, self.device)
        self.ema = AveragedModel(
            self.model, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema), use_buffers=True
        )
        self.teachers = [
            (_placed(t.model, self.device), Preprocess(t.card.input_size, t.card.mean, t.card.std))
            for t in teachers
        ]
        decay, plain = _parameter_groups(self.model)
        self.optimizer = torch.optim.AdamW(
            [
                {"params": decay, "weight_decay": recipe.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=recipe.learning_rate,
        )
        self.steps = len(train.labels) // recipe.batch_size
        self.classes = classes
        self.history: list[dict[str, float]] = []

    def run(self, resume: bool = False, log: Log = lambda row: None) -> list[dict[str, float]]:
        """Train to the last epoch; returns the history, one row an epoch.

        Raises
        ------
        Cancelled
            If the run's folder asks for it; the last finished epoch is kept.
        """
        if resume and self.folder.last.exists():
            self._restore()
        for epoch in range(len(self.history), self.recipe.epochs):
            row = self._epoch(epoch)
            self.history.append(row)
            self._save(row)
            log(row)
        return self.history

    def best_model(self) -> Classifier:
        """Return the averaged weights of the best epoch by validation macro-F1."""
        state = torch.load(self.folder.best, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state)
        return self.model.eval()

    def _epoch(self, epoch: int) -> dict[str, float]:
        recipe, start = self.recipe, time.perf_counter()
        seed_everything(recipe.seed * 1000 + epoch)
        generator = torch_generator(recipe.seed, epoch)
        order = torch.randperm(len(self.train_data.labels), generator=generator)
        size = max([(e, s) for e, s in recipe.sizes if e <= epoch], default=(0, 0))[1]
        sums: dict[str, float] = defaultdict(float)
        self.model.train()
        for step in range(self.steps):
            if step % 20 == 0 and self.folder.cancel_requested():
                raise Cancelled("The training run")
            rate = self._set_rate(epoch * self.steps + step)
            batch = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
            parts = self._step(batch, size or recipe.input_size, generator)
            for name, value in parts.items():
                sums[name] += float(value.detach())
        seconds = time.perf_counter() - start
        row: dict[str, float] = {"epoch": epoch + 1, "size": size or recipe.input_size, "lr": rate}
        row |= {f"train_{k}": v / self.steps for k, v in sums.items()}
        row |= self._validate()
        row["seconds"] = seconds
        row["images_per_second"] = self.steps * recipe.batch_size / seconds
        return row

    def _step(self, batch: Tensor, size: int, generator: torch.Generator) -> dict[str, Tensor]:
        sources = self.train_data.images[batch].to(self.device)
        view = sample_views(len(batch), Augmentation(), generator)
        view = type(view)(*(part.to(self.device) for part in view))
        targets = nn.functional.one_hot(self.train_data.labels[batch], self.classes)
        targets = targets.float().to(self.device)
        lam, partner = _mixing(len(batch), self.recipe.mixup, generator)

        def images(to: int, how: Preprocess) -> Tensor:
            out = render(sources, view, to, min(sources.shape[-2:]) / (1.5 * to))
            if partner is not None:
                out = lam * out + (1 - lam) * out[partner]
            return how.normalise(out).to(memory_format=torch.channels_last)

        if partner is not None:
            targets = lam * targets + (1 - lam) * targets[partner]
        outputs = []
        with torch.no_grad():
            for teacher, how in self.teachers:
                outputs.append(Output(*teacher(images(how.size, how))))
        student = self.model(images(size, self.preprocess))
        parts = objective(self.recipe, student, outputs, targets, self._class_weights())
        self.optimizer.zero_grad(set_to_none=True)
        parts["loss"].backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.optimizer.step()
        self.ema.update_parameters(self.model)
        return parts

    def _class_weights(self) -> Tensor | None:
        if self.recipe.class_weights == "none":
            return None
        counts = torch.bincount(self.train_data.labels, minlength=self.classes).float()
        weights = counts.clamp_min(1).rsqrt()
        return (weights / weights.mean()).to(self.device)

    def _set_rate(self, step: int) -> float:
        warm = max(1, round(self.recipe.warmup_epochs * self.steps))
        total = self.recipe.epochs * self.steps
        progress = (step - warm) / max(1, total - warm)
        factor = (step + 1) / warm if step < warm else 0.5 * (1 + math.cos(math.pi * progress))
        rate = self.recipe.learning_rate * max(factor, 1e-3)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate

    def _validate(self) -> dict[str, float]:
        model = self.ema.module.eval()
        logits = []
        with torch.inference_mode():
            for batch in self.val_data.images.split(64):
                inputs = self.preprocess.normalise(batch.to(self.device).float() / 255)
                logits.append(model(inputs.to(memory_format=torch.channels_last)).logits.cpu())
        scores, labels = torch.cat(logits), self.val_data.labels
        answers = scores.argmax(1)
        return {
            "val_nll": float(nn.functional.cross_entropy(scores, labels)),
            "val_accuracy": float((answers == labels).float().mean()),
            "val_balanced_accuracy": float(balanced_accuracy_score(labels, answers)),
            "val_macro_f1": float(f1_score(labels, answers, average="macro")),
        }

    def _save(self, row: dict[str, float]) -> None:
        if row["val_macro_f1"] >= max(r["val_macro_f1"] for r in self.history):
            _save_tensors(self.folder.best, self.ema.module.state_dict())
        _save_tensors(
            self.folder.last,
            {
                "model": self.model.state_dict(),
                "ema": self.ema.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "history": self.history,
            },
        )
        self.folder.write_history(self.history)
        left = (self.recipe.epochs - len(self.history)) * row["seconds"]
        self.folder.write_status(
            "running", epoch=len(self.history), epochs=self.recipe.epochs, seconds_left=left
        )

    def _restore(self) -> None:
        state = torch.load(self.folder.last, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.history = state["history"]


def _save_tensors(path: Path, state: dict[str, object]) -> None:
    write_atomically(path, lambda p: torch.save(state, p))


def _placed(model: Classifier, device: torch.device) -> Classifier:
    return model.to(device).to(memory_format=torch.channels_last)


def _parameter_groups(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Weight decay on matrices and kernels only, not on biases and norms."""
    decay = [p for p in model.parameters() if p.ndim > 1]
    return decay, [p for p in model.parameters() if p.ndim <= 1]


def _mixing(n: int, share: float, generator: torch.Generator) -> tuple[float, Tensor | None]:
    """Return the weight of the first picture and the order of the second, or (1, None)."""
    if torch.rand((), generator=generator) >= share:
        return 1.0, None
    lam = float(torch.rand((), generator=generator))
    return max(lam, 1 - lam), torch.randperm(n, generator=generator)
