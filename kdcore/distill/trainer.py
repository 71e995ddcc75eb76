"""The training loop: deterministic by seed, resumable after any epoch, best epoch by validation.

Views, order and mixing of epoch e depend on the seed and e alone, so a resumed run continues as
the uninterrupted one would; a run that is killed within an epoch does that epoch again.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from kdcore.base import Cancelled, CheckpointError, RecipeError, seed_everything
from kdcore.base.progress import stop_if
from kdcore.data import Preprocess
from kdcore.distill.batches import Batch, Batches
from kdcore.distill.objective import PARTS, objective
from kdcore.distill.optimizer import make_optimizer
from kdcore.distill.recipe import Recipe
from kdcore.distill.run import RunFolder, kept_state, save_state
from kdcore.distill.schedules import learning_rate_at, terms_at
from kdcore.distill.signals import Teachers
from kdcore.distill.sources import Sources
from kdcore.distill.student import Student
from kdcore.distill.validation import TeacherView, is_better, validate
from kdcore.losses import class_weights
from kdcore.models import Classifier

Log = Callable[[dict[str, float]], None]
_HEARTBEAT_S = 1.0
_WHAT = "The training run"


class Trainer:
    """Trains `student` by `recipe` on decoded `train` pictures, choosing on `val` inputs.

    Parameters
    ----------
    recipe : how
    student : the network with its initial weights, and its projections for hints
    teachers : who answers about a batch; None without teachers
    train, val : decoded pictures of both parts
    preprocess : the student's input size and normalisation
    folder : the run directory; with `resume`, its last epoch is continued
    fabric : devices, processes and precision
    classes : of the data set, also those that have no picture in `train` or `val`
    seen : what the teachers say of the validation part, to compare with; None without teachers
    origin : hashes of what the run is made of; one that is resumed has to be of the same
    """

    def __init__(
        self,
        recipe: Recipe,
        student: Student,
        teachers: Teachers | None,
        train: Sources,
        val: Sources,
        preprocess: Preprocess,
        folder: RunFolder,
        fabric: Fabric,
        *,
        classes: int,
        seen: TeacherView | None = None,
        origin: Mapping[str, str] | None = None,
    ) -> None:
        self.origin = dict(origin or {})
        self.recipe, self.teachers, self.val_data, self.seen = recipe, teachers, val, seen
        self.preprocess, self.folder, self.fabric = preprocess, folder, fabric
        self.classes = classes
        self.student = student.to(fabric.device).to(memory_format=torch.channels_last)
        self.ema = AveragedModel(
            self.student.net, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema), use_buffers=True
        )
        self.optimizer = make_optimizer(recipe, self.student)
        self.forward, self.stepper = fabric.setup(self.student, self.optimizer)
        self.batches = Batches(recipe, train, classes, fabric.device)
        self.steps = self.batches.steps
        weights = class_weights(self.batches.counts, recipe.class_weights, recipe.effective_beta)
        self.class_weights = None if weights is None else weights.to(fabric.device)
        self.history: list[dict[str, float]] = []
        self._beat = 0.0

    def run(self, resume: bool = False, log: Log = lambda row: None) -> list[dict[str, float]]:
        """Train to the last epoch, or until patience ends; returns the history, a row an epoch.

        Raises
        ------
        Cancelled
            If the run's folder asks for it; the last finished epoch is kept.
        CheckpointError
            If the run that is resumed was begun with other teachers, data or precision, or can't
            be read.
        RecipeError
            If the gradient is no longer finite.
        OSError
            If the disk is full; what was saved before is intact.
        """
        if resume and self.folder.last.exists():
            self._restore()
        while len(self.history) < self.recipe.epochs and not self._out_of_patience():
            if self.fabric.broadcast(self.folder.cancel_requested()):
                raise Cancelled(_WHAT)  # in every process, or none
            row = self.train_epoch(len(self.history))
            self.history.append(row)
            if self.fabric.is_global_zero:
                self._save()
                log(row)
            self.fabric.barrier()
        return self.history

    def best_model(self) -> Classifier:
        """Return the network with the averaged weights of the best epoch by the recipe's `monitor`.

        Raises
        ------
        CheckpointError
            If they can't be read.
        """
        with kept_state(self.folder.best) as state:
            self.student.net.load_state_dict(state)
        return self.student.net.eval()

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """Train epoch `epoch` (from 0) and validate; returns its row of the history.

        `seconds` is the training's alone, without validation and pauses.
        """
        recipe, fabric, start = self.recipe, self.fabric, time.perf_counter()
        # Dropout differs between processes, which see different images; of one it is as it was.
        seed_everything(recipe.seed * 1000 + epoch + 7919 * fabric.global_rank)
        size = max([(e, s) for e, s in recipe.sizes if e <= epoch], default=(0, 0))[1]
        size = size or recipe.input_size
        sums: dict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=fabric.device))
        self.forward.train()
        paused = 0.0
        for step, batch in enumerate(
            self.batches.epoch(epoch, fabric.global_rank, fabric.world_size)
        ):
            paused += self._listen(epoch, step, start + paused)
            rate = learning_rate_at(recipe, epoch * self.steps + step, self.steps)
            for name, value in self.step(batch, size, rate, epoch + step / self.steps).items():
                sums[name] += value.detach()
        seconds = time.perf_counter() - start - paused
        row: dict[str, float] = {"epoch": epoch + 1, "size": size, "lr": rate}
        means = fabric.all_reduce(torch.stack([sums[name] for name in PARTS]), reduce_op="mean")
        row |= {f"train_{n}": float(v) / self.steps for n, v in zip(PARTS, means)}
        terms = terms_at(recipe, epoch + 1)
        row |= {name: getattr(terms, name) for name, _, _ in recipe.schedules}
        row |= validate(self.ema.module, self.val_data, self.preprocess, self.seen, fabric.device)
        row["seconds"] = seconds
        row["images_per_second"] = self.steps * recipe.batch_size / seconds
        return fabric.broadcast(row)  # one history: every process stops at the same epoch

    def step(self, batch: Batch, size: int, rate: float, epoch: float) -> dict[str, Tensor]:
        """Take one step on a batch at `size` pixels; returns the parts of its loss, scalars.

        `rate` is the learning rate, and `epoch`, a number, says where schedules are.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        signals = None if self.teachers is None else self.teachers.signals(batch)
        output, projected = self.forward(batch.images(size, self.preprocess))
        parts = objective(
            self.recipe,
            terms_at(self.recipe, epoch),
            output,
            batch.targets(self.classes),
            signals,
            self.class_weights,
            projected,
        )
        self.stepper.zero_grad(set_to_none=True)
        self.fabric.backward(parts["loss"])
        self._clip()
        self.stepper.step()
        self.ema.update_parameters(self.student.net)
        return parts

    def _clip(self) -> None:
        # A scaler's overflow is part of fp16, and that step is skipped; elsewhere it is the end.
        scaled = self.fabric.strategy.precision.precision == "16-mixed"
        try:
            self.fabric.clip_gradients(
                self.forward,
                self.stepper,
                max_norm=self.recipe.clip,
                error_if_nonfinite=not scaled,
            )
        except RuntimeError as error:
            raise RecipeError(
                "The gradient is no longer finite: training has diverged.",
                "Lower learning_rate, or the weights of attention, alignment and hints.",
            ) from error

    def _listen(self, epoch: int, step: int, start: float) -> float:
        """Write a heartbeat now and then, stop or wait if asked to; returns seconds waited."""
        now = time.perf_counter()
        if self.fabric.world_size == 1:
            stop_if(self.folder.cancel_requested, _WHAT)
        if not self.fabric.is_global_zero or now - self._beat < _HEARTBEAT_S:
            return 0.0
        while self.fabric.world_size == 1 and self.folder.pause_requested():
            stop_if(self.folder.cancel_requested, _WHAT)
            self._say("paused", epoch, step, now - start)
            time.sleep(0.2)
        self._say("running", epoch, step, now - start)
        self._beat = time.perf_counter()
        return self._beat - now

    def _say(self, state: str, epoch: int, step: int, seconds: float) -> None:
        done = epoch * self.steps + step
        left = self.recipe.epochs * self.steps - done
        if step:
            pace = seconds / step
        else:
            pace = self.history[-1]["seconds"] / self.steps if self.history else float("nan")
        self.folder.write_status(
            state,
            epoch=epoch,
            epochs=self.recipe.epochs,
            step=step,
            steps=self.steps,
            images_per_second=self.recipe.batch_size / pace if pace == pace else None,
            seconds_left=left * pace if pace == pace else None,
        )

    def _out_of_patience(self) -> bool:
        if not self.recipe.patience or not self.history:
            return False
        best = 0
        for index, row in enumerate(self.history):
            if is_better(row, self.history[best], self.recipe.monitor):
                best = index
        return len(self.history) - 1 - best >= self.recipe.patience

    def _save(self) -> None:
        row, earlier = self.history[-1], self.history[:-1]
        if all(is_better(row, other, self.recipe.monitor) for other in earlier):
            save_state(self.folder.best, self.ema.module.state_dict())
        save_state(
            self.folder.last,
            {
                "student": self.student.state_dict(),
                "ema": self.ema.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "history": self.history,
                "scaler": self.fabric.strategy.precision.state_dict(),
                "origin": self.origin,
            },
        )
        self.folder.write_history(self.history)

    def _restore(self) -> None:
        self.best_model()  # one that can't be read is told before it is trained on, not after
        # To the CPU first: Adam's step counters stay there, and nothing is on a GPU twice.
        with kept_state(self.folder.last) as state:
            self._check_origin(state["origin"])
            self.student.load_state_dict(state["student"])
            self.ema.load_state_dict(state["ema"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.fabric.strategy.precision.load_state_dict(state["scaler"])
            self.history = state["history"]
        if self.history:
            self.folder.write_history(self.history)  # killed before it had written its last row

    def _check_origin(self, origin: Mapping[str, str]) -> None:
        for name, value in origin.items():
            if self.origin.get(name) != value:
                raise CheckpointError(
                    f"The run was begun with another {name}, so it can't go on with this one.",
                    "Bring that one back, or start a new run.",
                )
