"""The teacher cache: what a teacher says about K views of each image, asked once.

A cache that ignores the student's augmentation hurts (Beyer et al. 2022, section 3): here an
entry belongs to one image in one view, and the student sees that same view. After K epochs the
views come again; where only logits are asked for, turned and mirrored. Maps are not turned with
them: a stride-2 convolution with padding 1 samples an even grid from its upper left, half a cell
off at the last stage, so a mirrored picture's map is not the mirrored map (MobileNetV2 at 128
pixels: cosine 0.56 to 0.78 at its last stage, where 1 is equal). Files are memory-mapped; the key
of a folder is everything that the answers depend on. All seeds share one bank of views, so a
spread over seeds leaves out that of the views.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from torch import Tensor

from kdcore.base import sha256_bytes, torch_generator, write_text
from kdcore.base.progress import Progress
from kdcore.data import AUGMENTATIONS, View
from kdcore.distill.batches import Batch, bank_views
from kdcore.distill.cache_room import make_room
from kdcore.distill.recipe import Recipe
from kdcore.distill.signals import (
    Needs,
    Signals,
    Teacher,
    attention_of,
    teacher_weights,
    weighted_mean,
)
from kdcore.distill.sources import Sources

VERSION = 1
_BATCH = 64
_CHECKED = 2  # entries of each view
MOST_STAGES = 8  # of a teacher, of which maps are kept
Arrays = dict[str, NDArray[np.generic]]


class TeacherCache:
    """One teacher's answers on `views` views of the images of a training part, on disk.

    Parameters
    ----------
    teacher : who is asked for what is missing, and to check what is there
    data : the training part
    recipe : says which views, and what is asked
    root : folder of all caches
    """

    def __init__(self, teacher: Teacher, data: Sources, recipe: Recipe, root: Path) -> None:
        self.teacher, self.data, self.views = teacher, data, recipe.teacher_views
        self.how = AUGMENTATIONS[recipe.augmentation]
        needs = Needs.of(recipe)
        most = min(needs.stages, len(teacher.model.stage_names))
        # What is read, and what the folder holds.
        self.needs = self.stored = needs._replace(stages=most)
        key = {
            "version": VERSION,
            "teacher": teacher.hash,
            "input": [teacher.preprocess.size, teacher.preprocess.mean, teacher.preprocess.std],
            "images": data.digest,
            "views": list(self.how),
        }
        self._key = json.dumps(key, sort_keys=True)
        digest = sha256_bytes(self._key.encode())[:16]
        self.folder = self._home(Path(root) / f"{teacher.name[:40]}-{digest}")
        self._open: dict[int, Arrays] = {}

    def fill(
        self, progress: Progress = lambda done, total: None, beside: Collection[Path] = ()
    ) -> None:
        """Ask the teacher about every view that is missing, after checking what is there.

        A view is written whole or not at all, so a killed run goes on where it was. At the end
        every view is open, so that nobody who makes room can take it away from this run.

        Parameters
        ----------
        progress : called with images done and images in all; may raise to stop
        beside : folders of other caches that the same run needs

        Raises
        ------
        SettingError
            If the cache would be larger than the limit.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        total = self.views * self._n
        with self._locked(lambda: progress(0, total)):
            write_text(self.folder / "key.json", self._key)
            present = [k for k in range(self.views) if self._path(k).exists()]
            if present and not self.is_true(present):
                shutil.rmtree(self.folder / "views")
                present = []
            missing = [k for k in range(self.views) if k not in present]
            if missing:
                one = self._live(bank_views(self.data, self.how, 0), torch.arange(1))
                size = sum(values.nbytes for values in one.values()) * self._n
                make_room(self.folder, size * len(missing), beside)
            for k in missing:
                self._write(k, total - self._n * (len(missing) - missing.index(k)), total, progress)
            self._open = {k: self._load(k) for k in range(self.views)}

    def is_true(self, present: Sequence[int]) -> bool:
        """Tell whether a few entries of each of the `present` views agree with the live teacher.

        Which entries is up to the clock, so that in the end every one has its turn.
        """
        chance = torch_generator(time.time_ns() % 2**32)
        for k in present:
            rows = torch.randint(self._n, (_CHECKED,), generator=chance)
            live = self._live(bank_views(self.data, self.how, k), rows)
            try:
                kept = {name: values[rows.numpy()] for name, values in self._load(k).items()}
            except (OSError, ValueError, EOFError, IndexError):
                return False
            if kept.keys() != live.keys() or not all(_same(kept[n], live[n]) for n in live):
                return False
        return True

    def read(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return logits (B, C), attention and relevance (B, h, w) of a batch from the bank."""
        if batch.bank is None:
            raise ValueError("batch: expected views from the bank, got fresh ones")
        backs = range(self.needs.stages, 0, -1)  # counted back from the last: early to late
        attention = [f"attention{back}" for back in backs]
        relevance = [f"relevance{back}" for back in backs] if self.needs.relevance else []
        parts: dict[str, NDArray[np.float32]] = {}
        for k in batch.bank.unique().tolist():
            here = (batch.bank == k).numpy()
            rows, arrays = batch.indices.numpy()[here], self._open[k]
            for name in ("logits", *attention, *relevance):
                shape = (len(here), *arrays[name].shape[1:])
                parts.setdefault(name, np.empty(shape, np.float32))[here] = arrays[name][rows]
        found = {name: torch.from_numpy(part).to(batch.device) for name, part in parts.items()}
        return (
            found["logits"],
            tuple(found[name] for name in attention),
            tuple(found[name] for name in relevance),
        )

    def _home(self, stem: Path) -> Path:
        """Return the folder that holds at least what is asked and every view, else the own one."""

        def named(stages: int, relevance: bool) -> Path:
            return stem.with_name(f"{stem.name}-{stages}{'r' if relevance else ''}")

        wants, gradient = self.needs.stages, self.needs.relevance
        richer = [
            (s, r) for s in range(wants, MOST_STAGES + 1) for r in (False, True) if r >= gradient
        ]
        for stages, relevance in richer:
            views = named(stages, relevance) / "views"
            if all((views / f"{k:04d}").exists() for k in range(self.views)):
                self.stored = self.needs._replace(stages=stages, relevance=relevance)
                return named(stages, relevance)
        return named(wants, gradient)

    @property
    def _n(self) -> int:
        return len(self.data.labels)

    def _path(self, k: int) -> Path:
        return self.folder / "views" / f"{k:04d}"

    @contextmanager
    def _locked(self, waiting: Callable[[], object]) -> Iterator[None]:
        """Hold the folder's lock: another run of a sweep may be filling the same."""
        lock = FileLock(self.folder / ".lock")
        while True:
            waiting()
            try:
                held = lock.acquire(timeout=1)
                break
            except Timeout:
                continue
        with held:
            yield

    def _load(self, k: int) -> Arrays:
        return {f.stem: np.load(f, mmap_mode="r") for f in sorted(self._path(k).glob("*.npy"))}

    def _live(self, view: View, rows: Tensor) -> dict[str, NDArray[np.generic]]:
        """Ask the teacher about `rows` in a view; maps are kept in half precision."""
        own = View(*(part[rows] for part in view))
        device = next(self.teacher.model.parameters()).device
        batch = Batch(rows, self.data.images[rows], self.data.labels[rows], own, device=device)
        output, relevance = self.teacher.ask(batch, self.stored)
        found: dict[str, Tensor] = {"logits": output.logits}
        stages = self.stored.stages
        attention = attention_of(output, stages) if stages else ()
        for back in range(1, len(attention) + 1):
            found[f"attention{back}"] = attention[-back].half()
            if relevance:  # only their order counts, so they are scaled to what half can hold
                maps = relevance[-back]
                scale = maps.abs().amax((1, 2), keepdim=True).clamp_min(1e-12)
                found[f"relevance{back}"] = (maps / scale).half()
        return {name: tensor.cpu().numpy() for name, tensor in found.items()}

    def _write(self, k: int, done: int, total: int, progress: Progress) -> None:
        part = self.folder / "views" / f".{k:04d}"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        files: Arrays = {}
        view = bank_views(self.data, self.how, k)
        for start in range(0, self._n, _BATCH):
            rows = torch.arange(start, min(start + _BATCH, self._n))
            for name, values in self._live(view, rows).items():
                if name not in files:
                    shape = (self._n, *values.shape[1:])
                    files[name] = np.lib.format.open_memmap(
                        part / f"{name}.npy", "w+", values.dtype, shape
                    )
                files[name][start : start + len(rows)] = values
            progress(done + start + len(rows), total)
        for values in files.values():
            values.flush()  # type: ignore[attr-defined]
        part.rename(self._path(k))


def _same(kept: NDArray[np.generic], live: NDArray[np.generic]) -> bool:
    return np.allclose(kept.astype(np.float32), live.astype(np.float32), rtol=1e-2, atol=1e-2)


class CachedTeachers:
    """Answers from the caches of one or several teachers."""

    def __init__(self, caches: Sequence[TeacherCache], recipe: Recipe) -> None:
        self.caches, self.weights = tuple(caches), teacher_weights(recipe)

    def signals(self, batch: Batch) -> Signals:
        """Return what the teachers said about a batch from the bank of views."""
        logits, attention, relevance = zip(*(cache.read(batch) for cache in self.caches))
        return Signals(
            weighted_mean(logits, self.weights),
            attention if attention[0] else (),
            relevance if relevance[0] else (),
            (),
            self.weights,
        )
