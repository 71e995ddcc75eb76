"""One image explained by one checkpoint, or by a teacher and a student for the same class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from kdcore.base import sha256_bytes
from kdcore.base.progress import Progress, part_of
from kdcore.explain.empty_map import is_empty, which_empty, why_empty
from kdcore.explain.manifest import one_manifest, pair_manifest
from kdcore.explain.map_agreement import agreement
from kdcore.explain.maps import Heatmap, difference_map
from kdcore.explain.methods import METHODS, Method
from kdcore.explain.passes import check_architecture, check_stage, check_target, forward
from kdcore.explain.score_cam import refine_score_cam
from kdcore.models import Checkpoint, check_classes
from kdcore.predict import preprocess_of

_HALF = 1000  # progress units for each of a pair


@dataclass(frozen=True)
class MaskCount:
    """How far a Score-CAM is: channel masks `scored`, the others' scores predicted, `of` all."""

    scored: int
    of: int

    @property
    def exact(self) -> bool:
        """Whether nothing is predicted."""
        return self.scored == self.of

    @property
    def words(self) -> str:
        """The same for people."""
        if self.exact:
            return f"exact: all {self.of:,} masks scored"
        return f"approximate: {self.scored:,} of {self.of:,} masks scored"


@dataclass(frozen=True)
class Explanation:
    """What one checkpoint sees.

    Attributes
    ----------
    heatmap : (S, S) float32 in [0, 1], on the checkpoint's input grid
    logits : (C,) float32
    target : class index explained
    crop : the square of the image the network saw, S × S RGB
    stage : index of the stage, counted from 0
    manifest : JSON-ready record of how the map came about
    masks : of a Score-CAM made in steps; None for every other map
    """

    heatmap: Heatmap
    logits: NDArray[np.float32]
    target: int
    crop: Image.Image
    stage: int
    manifest: dict[str, Any]
    masks: MaskCount | None = None

    @property
    def exact(self) -> bool:
        """False of a Score-CAM that is still on its way."""
        return self.masks is None or self.masks.exact

    @property
    def empty(self) -> bool:
        """Whether the map shows no place."""
        return is_empty(self.heatmap)

    @property
    def why_empty(self) -> str:
        """What an empty map means, for people; "" of any other."""
        if not self.empty:
            return ""
        method = METHODS.get(self.manifest["method"]["name"])
        target = self.manifest["target"]["name"] if method.uses_target else None
        return why_empty(method.title, target)


@dataclass(frozen=True)
class PairExplanation:
    """What teacher and student see, for the same class and on one colour scale.

    Attributes
    ----------
    teacher, student : each one's `Explanation`, on its own input grid
    difference : teacher minus student in [-1, 1], on the finer grid
    correlation : Pearson's r of the two maps, NaN if one is empty
    target : class index explained for both
    manifest : JSON-ready record of both
    """

    teacher: Explanation
    student: Explanation
    difference: Heatmap
    correlation: float
    target: int
    manifest: dict[str, Any]

    @property
    def exact(self) -> bool:
        """False while one of the two is a Score-CAM on its way."""
        return self.teacher.exact and self.student.exact

    @property
    def empty(self) -> str:
        """Which maps are empty, in words, so that they can't be compared; "" where neither is."""
        return which_empty(self.teacher.empty, self.student.empty)

    @property
    def teacher_map(self) -> Heatmap:
        """The teacher's heatmap."""
        return self.teacher.heatmap

    @property
    def student_map(self) -> Heatmap:
        """The student's heatmap."""
        return self.student.heatmap


def explain_one(
    checkpoint: Checkpoint,
    rgb: Image.Image,
    method: str = "score-cam",
    stage: int = -1,
    target: int | None = None,
    *,
    progress: Progress | None = None,
    image_sha256: str | None = None,
) -> Explanation:
    """Explain one image by one checkpoint.

    Parameters
    ----------
    checkpoint : a loaded checkpoint; its model is unchanged afterwards
    rgb : RGB image of any size; the centre square is what the network sees
    method : a name in `METHODS`
    stage : index of the stage, negative from the end
    target : class index; None for the checkpoint's first choice
    progress : see `score_cam`; may raise Cancelled
    image_sha256 : of the file the image came from; None hashes the pixels instead

    Raises
    ------
    SettingError
        If the method is unknown, or not for this architecture or stage.
    ValueError
        If stage or target is out of range.
    Cancelled
        If `progress` raised it.
    """
    chosen = METHODS.get(method)
    asked = _ask(checkpoint, rgb, chosen, stage, target, image_sha256)
    given = (checkpoint.model, asked.tensor, asked.target, asked.stage)
    return asked.answered(chosen.compute(*given, progress, None))


def explain_steps(
    checkpoint: Checkpoint,
    rgb: Image.Image,
    stage: int = -1,
    target: int | None = None,
    *,
    progress: Progress | None = None,
    image_sha256: str | None = None,
) -> Iterator[Explanation]:
    """Yield the Score-CAM of one image from fast to exact, as `refine_score_cam` does.

    Arguments and errors as `explain_one` has them; the last one yielded is that of `explain_one`.
    """
    asked = _ask(checkpoint, rgb, METHODS.get("score-cam"), stage, target, image_sha256)
    given = (checkpoint.model, asked.tensor, asked.target, asked.stage)
    for step in refine_score_cam(*given, progress):
        yield asked.answered(step.heatmap, MaskCount(step.scored, step.channels))


@dataclass(frozen=True)
class _Asked:
    """An `Explanation` that has no map yet, and the input (1, 3, S, S)."""

    tensor: Tensor
    logits: NDArray[np.float32]
    target: int
    crop: Image.Image
    stage: int
    manifest: dict[str, Any]

    def answered(self, heatmap: Heatmap, masks: MaskCount | None = None) -> Explanation:
        told: dict[str, Any] = {"empty": is_empty(heatmap)}
        if masks is not None:
            told["masks"] = asdict(masks) | {"exact": masks.exact}
        manifest = self.manifest | {"checkpoint": self.manifest["checkpoint"] | told}
        about = (self.logits, self.target, self.crop, self.stage)
        return Explanation(heatmap, *about, manifest, masks)


def _ask(
    checkpoint: Checkpoint,
    rgb: Image.Image,
    method: Method,
    stage: int,
    target: int | None,
    image_sha256: str | None,
) -> _Asked:
    check_architecture(checkpoint.model, method.architectures, method.title)
    index = check_stage(checkpoint.model, stage)
    prepare = preprocess_of(checkpoint)
    crop = prepare.crop(rgb)
    tensor = prepare.tensor(crop).unsqueeze(0)  # (1, 3, S, S)
    output = forward(checkpoint.model, tensor)
    logits = output.logits[0].float().cpu().numpy()
    target = int(logits.argmax()) if target is None else check_target(output.logits, target)
    hashes = {"sha256": image_sha256, "of": "file bytes"}
    if image_sha256 is None:
        hashes = {"sha256": sha256_bytes(rgb.tobytes()), "of": "RGB pixels"}
    manifest = one_manifest(checkpoint, method, index, target, logits, hashes, rgb.size)
    return _Asked(tensor, logits, target, crop, index, manifest)


def join(teacher: Explanation, student: Explanation) -> PairExplanation:
    """Return the pair of two explanations made separately (pages cache each by itself).

    Raises
    ------
    ValueError
        If they are of different classes, methods or images.
    """
    for key in ("target", "method", "image"):
        if teacher.manifest[key] != student.manifest[key]:
            raise ValueError(f"teacher, student: expected the same {key} in both explanations")
    return PairExplanation(
        teacher=teacher,
        student=student,
        difference=difference_map(teacher.heatmap, student.heatmap),
        correlation=agreement(teacher.heatmap, student.heatmap),
        target=teacher.target,
        manifest=pair_manifest(teacher.manifest, student.manifest),
    )


def explain_pair(
    teacher: Checkpoint,
    student: Checkpoint,
    rgb: Image.Image,
    method: str = "score-cam",
    stage: int = -1,
    target: int | None = None,
    *,
    progress: Progress | None = None,
    image_sha256: str | None = None,
) -> PairExplanation:
    """Explain one image by teacher and student for the same class.

    Arguments and errors as `explain_one` has them; `target` None is the teacher's first choice.
    Give `stage` from the end where the two have different numbers of stages. Progress counts to
    2000, half for each network.

    Raises
    ------
    CheckpointError
        If the two checkpoints name different classes.
    """
    check_classes((teacher.card, student.card))
    chosen = METHODS.get(method)
    check_stage(student.model, stage)  # before the teacher's time is spent
    check_architecture(student.model, chosen.architectures, chosen.title)
    asked = partial(explain_one, rgb=rgb, method=method, stage=stage, image_sha256=image_sha256)
    halves = [part_of(progress, start, _HALF, 2 * _HALF) for start in (0, _HALF)]
    first = asked(teacher, target=target, progress=halves[0])
    second = asked(student, target=first.target, progress=halves[1])
    return join(first, second)
