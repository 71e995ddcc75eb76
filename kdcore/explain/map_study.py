"""Does the student look where the teacher looks: every number about heatmaps of a whole part.

All models are asked about one class, the teacher's first choice for the clean image. Everything
is measured on the maps as they are kept (28 x 28 cells): agreement, with its floors; on the
images that have a lesion mask, whether the map lies on the lesion; on the first of the images,
which costs hundreds of forward passes each, whether the probability follows the map, and whether
the map needs what the network learned. What is kept of an earlier run is not computed again.

Clean images are what `predict_dataset` and the app see. Corruptions are applied to the reference
square, as in `kdcore.predict.grid`, and agreement there is that of the two maps of the same
corrupted image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kdcore.base import DataError, SettingError
from kdcore.base.progress import Progress
from kdcore.data import Ham10000, ImageDataset, Sample
from kdcore.data.corruptions import CLEAN, corrupt, image_seed, parse_stack, reference_square
from kdcore.explain.batched import explain_pictures
from kdcore.explain.floors import Columns, agreement_columns
from kdcore.explain.map_agreement import map_agreement
from kdcore.explain.map_cells import (
    GRID,
    Arrays,
    MapCells,
    chunks,
    reduce_maps,
    restore_maps,
)
from kdcore.explain.map_checks import check_columns
from kdcore.explain.map_tests import faithfulness_columns, localisation_columns
from kdcore.explain.methods import METHODS
from kdcore.explain.passes import check_architecture
from kdcore.models import Checkpoint, check_classes, check_names
from kdcore.predict.map_scores import AGREEMENT, MapScores

_WORKERS = 2


@dataclass(frozen=True)
class MapStudy:
    """What is studied: whose maps, by which method, of which pictures.

    Attributes
    ----------
    teacher : gives the classes that maps are asked about, and the maps to agree with
    students : models of other names, baselines among them
    data, samples : where the pictures are, and which of them, in this order
    split : the part that they are of
    method : a name in `METHODS`
    faithful : how many of the first samples get the costly tests of `map_tests` and `map_checks`
    stacks : names of corruptions such as "jpeg-3"
    corrupted : how many of the first samples are compared under them
    seed : of corruptions, mismatched pairs and random maps
    """

    teacher: Checkpoint
    students: tuple[Checkpoint, ...]
    data: ImageDataset
    samples: tuple[Sample, ...]
    split: str
    method: str = "grad-cam"
    faithful: int = 0
    stacks: tuple[str, ...] = ()
    corrupted: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise a KdError for models that can't be compared, no picture, or unknown names."""
        method = METHODS.get(self.method)
        for model in self.models:
            check_architecture(model.model, method.architectures, method.title)
        for stack in self.stacks:
            parse_stack(stack)
        if not self.samples:
            raise DataError("There is no picture to explain.", "Choose another part of the split.")
        if self.stacks and not self.corrupted:
            raise SettingError(
                "Corruptions are named, and 0 images to compare maps on under them.",
                "Ask for at least 1 with --corrupted, or leave --corruptions out.",
            )
        check_names(model.card for model in self.models)
        check_classes(model.card for model in self.models)

    @property
    def models(self) -> tuple[Checkpoint, ...]:
        """The teacher, then the students."""
        return (self.teacher, *self.students)

    @property
    def work(self) -> int:
        """How many images of models are explained or tested in all, the unit of progress."""
        each = 2 * len(self.samples) + 2 * len(self.samples[: self.faithful])
        return len(self.models) * (each + len(self.stacks) * len(self.samples[: self.corrupted]))


def run_map_study(
    study: MapStudy,
    cells: MapCells,
    progress: Progress | None = None,
) -> tuple[MapScores, ...]:
    """Compute what `cells` lack, and return the teacher's record, then each student's.

    Parameters
    ----------
    study : what to compare
    cells : from `map_cells` with the study's method, teacher and seed
    progress : called with (done, total) after each chunk, in units of `MapStudy.work`;
        where it raises, whole chunks are kept

    Returns
    -------
    One record a model. Corrupted images follow the clean ones; of them there are the measures of
    agreement only, and none of the teacher.

    Raises
    ------
    KdError
        If a picture or a mask can't be read.
    """
    run, start = _Run(study, cells, progress), 0
    for chunk in chunks(study.samples):
        run.clean(chunk, chunk[: max(0, study.faithful - start)])
        start += len(chunk)
    targets = cells.gather(study.teacher.hash, _maps(CLEAN), study.samples)["answers"]
    for stack in study.stacks:
        start = 0
        for chunk in chunks(study.samples[: study.corrupted]):
            run.corrupted(stack, chunk, targets[start : start + len(chunk)].tolist())
            start += len(chunk)
    return tuple(_record(study, cells, model, targets) for model in study.models)


class _Run:
    """Fills cells, and counts what is done."""

    def __init__(
        self,
        study: MapStudy,
        cells: MapCells,
        progress: Progress | None,
    ) -> None:
        self.study, self.cells, self.progress = study, cells, progress
        self.done = 0

    def clean(self, chunk: Sequence[Sample], faithful: Sequence[Sample]) -> None:
        """Fill the cells of a chunk of clean images, of which the first ones are `faithful`."""
        study, teacher = self.study, self.study.teacher
        answers = self._maps(teacher, CLEAN, chunk, None)["answers"]
        targets = answers.tolist()
        kept = {m.hash: self._maps(m, CLEAN, chunk, targets)["maps"] for m in study.models}
        self._localise(chunk, kept)
        for model in study.models if faithful else ():
            maps = restore_maps(kept[model.hash][: len(faithful)], model.card.input_size)
            about = (model, study.data, faithful, maps, targets[: len(faithful)])
            test = partial(faithfulness_columns, *about, seed=study.seed)
            self._keep(model, "faithfulness", faithful, test)
            check = partial(check_columns, *about, study.method, seed=study.seed)
            self._keep(model, "checks", faithful, check)

    def corrupted(self, stack: str, chunk: Sequence[Sample], targets: list[int]) -> None:
        """Fill the cells of a chunk of images under a corruption."""
        for model in self.study.models:
            self._maps(model, stack, chunk, targets)

    def _maps(
        self, model: Checkpoint, stack: str, chunk: Sequence[Sample], targets: list[int] | None
    ) -> Arrays:
        def compute() -> Arrays:
            pictures = _pictures(self.study, chunk, stack)
            found, answers = explain_pictures(model, pictures, targets, self.study.method)
            return {"maps": reduce_maps(found), "answers": answers}

        return self._keep(model, _maps(stack), chunk, compute, counted=targets is not None)

    def _localise(self, chunk: Sequence[Sample], kept: Mapping[str, NDArray[np.float16]]) -> None:
        study = self.study
        cells = [self.cells.load(m.hash, "localisation", chunk) for m in study.models]
        lacking = [
            model
            for model, cell in zip(study.models, cells, strict=True)
            if cell is None or self._outdated(cell, chunk)
        ]
        side, found = study.teacher.card.input_size, {}
        if lacking:
            maps = {model.hash: restore_maps(kept[model.hash], side) for model in lacking}
            found = localisation_columns(study.teacher, study.data, chunk, maps, study.seed)
        for model in lacking:
            self.cells.save(model.hash, "localisation", chunk, found[model.hash])
        for model in study.models:
            self._keep(model, "localisation", chunk, partial(found.__getitem__, model.hash))

    def _outdated(self, found: Arrays, chunk: Sequence[Sample]) -> bool:
        """Tell whether an image without numbers has a mask, which may have come since."""
        data, energies = self.study.data, found["lesion_energy"]
        return isinstance(data, Ham10000) and any(
            np.isnan(energy) and data.has_mask(sample.image_id)
            for energy, sample in zip(energies, chunk, strict=True)
        )

    def _keep(
        self,
        model: Checkpoint,
        kind: str,
        chunk: Sequence[Sample],
        compute: Callable[[], Mapping[str, NDArray[Any]]],
        counted: bool = True,
    ) -> Arrays:
        found = self.cells.load(model.hash, kind, chunk)
        if found is None:
            found = dict(compute())
            self.cells.save(model.hash, kind, chunk, found)
        self.done += len(chunk) if counted else 0
        if self.progress and counted:
            self.progress(self.done, self.study.work)
        return found


def _maps(stack: str) -> str:
    """Return the kind of cell that holds maps under a corruption."""
    return f"maps/{stack}"


def _pictures(study: MapStudy, chunk: Sequence[Sample], stack: str) -> list[Image.Image]:
    def load(sample: Sample) -> Image.Image:
        rgb = study.data.picture(sample.image_id).rgb
        if stack == CLEAN:
            return rgb
        seed = image_seed(sample.image_id, study.seed)
        return corrupt(reference_square(rgb), parse_stack(stack), seed)

    with ThreadPoolExecutor(_WORKERS) as pool:
        return list(pool.map(load, chunk))


def _record(
    study: MapStudy, cells: MapCells, model: Checkpoint, targets: NDArray[np.int64]
) -> MapScores:
    """Return all that the cells hold of a model."""
    rows = [(CLEAN, study.samples)]
    rows += [(stack, study.samples[: study.corrupted]) for stack in study.stacks]
    if model is study.teacher:
        rows = rows[:1]
    samples = [sample for _, part in rows for sample in part]
    answers = [cells.gather(model.hash, _maps(s), part)["answers"] for s, part in rows]
    card = model.card
    return MapScores(
        sample_ids=np.array([s.image_id for s in samples]),
        group_ids=np.array([s.lesion_id for s in samples]),
        labels=np.array([s.label for s in samples], dtype=np.int64),
        target=np.concatenate([targets[: len(part)] for _, part in rows]),
        answer=np.concatenate(answers),
        corruptions=np.repeat([stack for stack, _ in rows], [len(part) for _, part in rows]),
        columns=_all_columns(study, cells, model, targets, rows),
        classes=card.classes,
        split=study.split,
        method=study.method,
        checkpoint=card.name,
        checkpoint_hash=model.hash,
        teacher=study.teacher.card.name,
        meta={
            "title": card.title or card.name,
            "role": card.role,
            "architecture": model.model.architecture,
            "taught_by": ", ".join(card.teachers),
            "convention": METHODS.get(study.method).convention,
            "grid": f"{GRID} x {GRID}",
            "seed": str(study.seed),
        },
    )


def _all_columns(
    study: MapStudy,
    cells: MapCells,
    model: Checkpoint,
    targets: NDArray[np.int64],
    rows: Sequence[tuple[str, tuple[Sample, ...]]],
) -> Columns:
    """Return every column, as long as `rows` (corruption and its samples) are together."""
    total = sum(len(part) for _, part in rows)
    found: Columns = {}
    if model is not study.teacher:
        pairs = [
            [cells.gather(m.hash, _maps(stack), part)["maps"] for m in (study.teacher, model)]
            for stack, part in rows
        ]
        lesions = [sample.lesion_id for sample in study.samples]
        teacher, own = (maps.astype(np.float32) for maps in pairs[0])
        found |= agreement_columns(teacher, own, targets, lesions, study.seed)
        spoilt = [map_agreement(*(m.astype(np.float32) for m in pair)) for pair in pairs[1:]]
        for name in AGREEMENT:
            found[name] = np.concatenate([found[name], *(s[name] for s in spoilt)])
    tested = study.samples[: study.faithful]
    parts = [("localisation", study.samples), ("faithfulness", tested), ("checks", tested)]
    for kind, part in parts:
        columns = cells.gather(model.hash, kind, part) if part else {}
        # Without lesion masks there is nothing to tell; agreement stays, defined or not.
        found |= {name: v for name, v in columns.items() if not np.isnan(v).all()}
    return {name: _padded(values, total) for name, values in found.items()}


def _padded(values: NDArray[Any], total: int) -> NDArray[np.float32]:
    """Return `values` (n,) with NaN behind them, (total,)."""
    return np.pad(values.astype(np.float32), (0, total - len(values)), constant_values=np.nan)
