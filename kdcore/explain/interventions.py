"""Causal masks over a data set: what removing them does, to their own network and to a student.

Each image, stage and area is tested as `intervention_test` does it: the mask is blurred away, and
so are random regions of equal area. A student gets its own mask and, to see whether what the
teacher points at matters to it too, the teacher's: on the teacher's grid, whose cells grow to the
student's pixels by nearest neighbour, beside random regions of the same grid and area. Stages are
matched from the end. The class asked about is the teacher's first choice for both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from kdcore.base import DataError, sha256_bytes, state_folder
from kdcore.base.progress import Progress
from kdcore.data import ImageDataset, Sample
from kdcore.data.corruptions import image_seed
from kdcore.explain.causal_mask import (
    blurred,
    random_regions,
    remove_regions,
    top_fraction,
)
from kdcore.explain.grad_cam import grad_cam_grid
from kdcore.explain.maps import Heatmap
from kdcore.explain.passes import forward, target_probs
from kdcore.models import Checkpoint
from kdcore.predict import preprocess_of
from kdcore.predict.intervention_scores import InterventionScores

FRACTIONS = (0.1, 0.2, 0.3)
REGIONS = 8
_VERSION = 1  # of how regions are drawn and removed: another one makes chunks anew
_CHUNK = 8  # images that are kept together
_BATCH = 32
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """What is asked of each image: areas of the masks, random regions, and their seed."""

    fractions: tuple[float, ...] = FRACTIONS
    regions: int = REGIONS
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError if there is no area, one out of (0, 1], or no region."""
        if not self.fractions or not all(0 < q <= 1 for q in self.fractions):
            raise ValueError(f"fractions: expected values in (0, 1], got {self.fractions}")
        if self.regions < 1:
            raise ValueError(f"regions: expected at least 1, got {self.regions}")


def run_interventions(
    model: Checkpoint,
    teacher: Checkpoint,
    data: ImageDataset,
    samples: Sequence[Sample],
    split: str,
    plan: Plan,
    root: Path | None = None,
    progress: Progress | None = None,
) -> InterventionScores:
    """Return the interventions on a network, computing only the chunks that are not kept yet.

    Parameters
    ----------
    model : the network that is asked; may be the teacher itself
    teacher : whose first choice is the class, and whose masks are transferred
    data, samples : where the pictures are, and which of them
    split : the part that they are recorded as
    plan : areas, regions and seed
    root : where chunks are kept; by default inside the state folder
    progress : called with (done, total) images after each chunk, which is kept by then

    Raises
    ------
    DataError
        If there is no picture, or one can't be read.
    ValueError
        If the two networks have different classes.
    """
    if not samples:
        raise DataError("There is no picture to test masks on.", "Choose another part.")
    if model.card.classes != teacher.card.classes:
        raise ValueError("model, teacher: expected the same classes")
    folder = root or state_folder() / "interventions"
    folder = folder / f"{teacher.hash[:16]}-{model.hash[:16]}"
    parts: list[InterventionScores] = []
    for start in range(0, len(samples), _CHUNK):
        chunk = samples[start : start + _CHUNK]
        path = folder / f"{_key(chunk, split, plan, model, teacher)}.npz"
        part = _kept(path)
        if part is None:
            part = _chunk(model, teacher, data, chunk, split, plan)
            part.save(path)
        parts.append(part)
        if progress is not None:
            progress(start + len(chunk), len(samples))
    return InterventionScores.joined(parts)


def _key(
    samples: Sequence[Sample], split: str, plan: Plan, model: Checkpoint, teacher: Checkpoint
) -> str:
    """Return what names a chunk: its images and the settings, so that more images keep it."""
    names = [model.card.name, teacher.card.name, split, *(s.image_id for s in samples)]
    return sha256_bytes("\n".join([str(_VERSION), repr(plan), *names]).encode())[:16]


def _kept(path: Path) -> InterventionScores | None:
    """Return a chunk, or None where it is not there, or is broken and so made again."""
    try:
        return InterventionScores.load(path) if path.is_file() else None
    except DataError:
        return None


def _chunk(
    model: Checkpoint,
    teacher: Checkpoint,
    data: ImageDataset,
    samples: Sequence[Sample],
    split: str,
    plan: Plan,
) -> InterventionScores:
    rows = []
    for sample in samples:
        rgb = data.picture(sample.image_id).rgb
        rows.append(_image(model, teacher, rgb, plan, image_seed(sample.image_id, plan.seed)))
    targets, probabilities, own, moved = zip(*rows)
    own_drops, moved_drops = (np.stack(d).astype(np.float32) for d in (own, moved))
    stages, teacher_stages = _matched(model, teacher)
    return InterventionScores(
        sample_ids=np.array([s.image_id for s in samples]),
        group_ids=np.array([s.lesion_id for s in samples]),
        labels=np.array([s.label for s in samples], dtype=np.int64),
        targets=np.array(targets, dtype=np.int64),
        probabilities=np.array(probabilities, dtype=np.float32),
        drops=own_drops[..., 0],
        random_drops=own_drops[..., 1:],
        transfer_drops=moved_drops[..., 0],
        transfer_random_drops=moved_drops[..., 1:],
        stages=stages,
        teacher_stages=teacher_stages,
        fractions=plan.fractions,
        classes=model.card.classes,
        split=split,
        model=model.card.name,
        model_hash=model.hash,
        teacher=teacher.card.name,
        teacher_hash=teacher.hash,
        seed=plan.seed,
    )


def _matched(model: Checkpoint, teacher: Checkpoint) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the stages that both have, counted from the end."""
    names = model.model.stage_names, teacher.model.stage_names
    count = min(map(len, names))
    return names[0][-count:], names[1][-count:]


def _image(
    model: Checkpoint, teacher: Checkpoint, rgb: Image.Image, plan: Plan, seed: int
) -> tuple[int, float, Floats, Floats]:
    """Return target, its probability, and the drops by own and teacher's masks, (S, Q, 1 + R)."""
    tensor, shown = (preprocess_of(c)(rgb).unsqueeze(0) for c in (model, teacher))
    target = int(forward(teacher.model, shown).logits.argmax())
    whole = float(target_probs(model.model, tensor, target)[0])
    test = _tester(model, tensor, target, plan, seed)
    own, moved = [], []
    for stage in range(-len(_matched(model, teacher)[0]), 0):
        own.append(whole - test(grad_cam_grid(model.model, tensor, target, stage)))
        moved.append(
            own[-1]
            if model is teacher
            else whole - test(grad_cam_grid(teacher.model, shown, target, stage))
        )
    return target, whole, np.stack(own), np.stack(moved)


def _tester(
    model: Checkpoint, tensor: Tensor, target: int, plan: Plan, seed: int
) -> Callable[[Heatmap], Floats]:
    """Return what gives, for a grid of evidence (h, w), the target's probabilities (Q, 1 + R).

    First behind the mask of each area, then behind random regions of as many cells.
    """
    backdrop = blurred(tensor)  # once for all masks of the image

    def test(evidence: Heatmap) -> Floats:
        masks = []
        for q in plan.fractions:
            mask = top_fraction(evidence, q)
            masks += [mask[None], random_regions(mask, plan.regions, seed)]
        every = np.concatenate(masks)
        probs = [
            target_probs(
                model.model, remove_regions(tensor, every[i : i + _BATCH], backdrop), target
            )
            for i in range(0, len(every), _BATCH)
        ]
        return np.concatenate(probs).reshape(len(plan.fractions), 1 + plan.regions)

    return test
