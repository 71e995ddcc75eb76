"""All that can be shown of one picture and one pair, in one cancellable computation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from PIL import Image
from torch import Tensor

from kdcore.base.progress import Progress, ShareProgress
from kdcore.explain.causal_mask import InterventionTest, Mask, causal_mask, intervention_test
from kdcore.explain.ensemble import mean_attention_grids
from kdcore.explain.explain_pair import (
    Explanation,
    PairExplanation,
    explain_one,
    explain_steps,
    join,
)
from kdcore.explain.map_agreement import agreement
from kdcore.explain.maps import Heatmap
from kdcore.explain.score_cam import estimate_seconds
from kdcore.models import Checkpoint
from kdcore.predict import preprocess_of

_SCORE_CAM_SHARE = 0.9  # of the time, measured; the rest is gradients, attention and two tests
_PARTS = 4
_ROLES = ("teacher", "student")


@dataclass(frozen=True)
class ModelView:
    """One network's attention (h, w) per stage, its causal mask (h, w) and the mask's test."""

    attention: tuple[Heatmap, ...]
    mask: Mask
    test: InterventionTest


@dataclass(frozen=True)
class Everything:
    """Score-CAM and Grad-CAM of a pair, and each network's attention, mask and test.

    Only `score_cam` may be approximate; its `exact` says so. `fast` is Pearson's r of the
    teacher's and of the student's Score-CAM map with the fast one that came first, NaN if one is
    empty.
    """

    score_cam: PairExplanation
    grad_cam: PairExplanation
    teacher: ModelView
    student: ModelView
    q: float
    fast: tuple[float, float] = (1.0, 1.0)

    @property
    def scored(self) -> int:
        """How many masks the two Score-CAM maps stand on together."""
        counts = (e.masks for e in (self.score_cam.teacher, self.score_cam.student))
        return sum(count.scored for count in counts if count is not None)


def estimate_everything(
    teacher: Checkpoint, student: Checkpoint, image: Image.Image, stage: int = -1
) -> float:
    """Return about how many seconds `explain_everything` takes, from one short batch of each.

    Parameters
    ----------
    teacher, student : loaded checkpoints
    image : RGB of any size
    stage : counted from the end (negative)
    """
    return sum(_score_cam_seconds(c, image, stage) for c in (teacher, student)) / _SCORE_CAM_SHARE


def explain_everything(
    teacher: Checkpoint,
    student: Checkpoint,
    image: Image.Image,
    stage: int,
    target: int,
    *,
    q: float = 0.2,
    image_sha256: str | None = None,
    progress: ShareProgress | None = None,
) -> Everything:
    """Explain one picture by every method, for one class and one stage; Score-CAM is exact.

    Arguments and errors as `everything_in_steps` has them.
    """
    *_, last = everything_in_steps(
        teacher, student, image, stage, target,
        q=q, image_sha256=image_sha256, progress=progress,
    )  # fmt: skip
    return last


def everything_in_steps(
    teacher: Checkpoint,
    student: Checkpoint,
    image: Image.Image,
    stage: int,
    target: int,
    *,
    q: float = 0.2,
    image_sha256: str | None = None,
    progress: ShareProgress | None = None,
) -> Iterator[Everything]:
    """Yield all explanations with fast Score-CAM maps, then with better ones until both are exact.

    Parameters
    ----------
    teacher, student : loaded checkpoints of the same classes; unchanged afterwards
    image : RGB of any size
    stage : counted from the end (negative), as the two may differ in depth
    target : class index
    q : top fraction of the causal masks, in (0, 1]
    image_sha256 : of the file that the picture came from, for the manifest
    progress : called with (fraction in [0, 1], what is being done); may raise Cancelled

    Yields
    ------
    Everything
        From one to the next only `score_cam` changes.

    Raises
    ------
    Cancelled
        If `progress` raised it.
    """
    pair = (teacher, student)
    watch = _Watch(progress or (lambda fraction, doing: None))
    watch.report("Preparing quick copies of the networks")
    steps = [
        explain_steps(c, image, stage, target, progress=watch.counter(i), image_sha256=image_sha256)
        for i, c in enumerate(pair)
    ]
    latest = first = [watch.timed(i, iterator) for i, iterator in enumerate(steps)]
    gradients = []
    for role, checkpoint in zip(_ROLES, pair):
        watch.finish(f"Grad-CAM of the {role}")
        gradients.append(
            explain_one(checkpoint, image, "grad-cam", stage, target, image_sha256=image_sha256)
        )
    views = []
    for role, checkpoint in zip(_ROLES, pair):
        watch.finish(f"Testing the {role}'s mask")
        views.append(_view(checkpoint, image, stage, target, q, watch.report))
    found = Everything(join(*latest), join(*gradients), views[0], views[1], q)
    yield found
    while not found.score_cam.exact:
        latest = [next(iterator, before) for iterator, before in zip(steps, latest)]
        fast = [agreement(a.heatmap, b.heatmap) for a, b in zip(first, latest)]
        found = replace(found, score_cam=join(*latest), fast=(fast[0], fast[1]))
        yield found


class _Watch:
    """Turns masks scored of both networks, and other parts finished, into one rising fraction."""

    def __init__(self, tell: ShareProgress) -> None:
        self._tell, self._doing = tell, ""
        self._scored, self._parts, self._fraction = [0.0, 0.0], 0, 0.0
        self.costs = [1.0, 1.0]  # of each network's masks, in any unit

    def report(self, doing: str = "") -> None:
        self._doing = doing or self._doing
        masks = sum(c * s for c, s in zip(self.costs, self._scored)) / max(sum(self.costs), 1e-9)
        parts = self._parts / _PARTS
        fraction = _SCORE_CAM_SHARE * masks + (1 - _SCORE_CAM_SHARE) * parts
        self._fraction = max(self._fraction, fraction)  # costs become known on the way
        self._tell(self._fraction, self._doing)

    def finish(self, doing: str) -> None:
        """Report one more of the parts that are not Score-CAM."""
        self._parts += 1
        self.report(doing)

    def timed(self, index: int, steps: Iterator[Explanation]) -> Explanation:
        """Return the first of a network's steps; its time is what the masks are weighed by."""
        started = time.perf_counter()
        first = next(steps)
        self.costs[index] = time.perf_counter() - started
        return first

    def counter(self, index: int) -> Progress:
        """Return what counts the masks of the network `index`."""

        def count(done: int, total: int) -> None:
            self._scored[index] = done / total
            self.report(f"Score-CAM of the {_ROLES[index]}: {done:,} of {total:,} different masks")

        return count


def _view(
    checkpoint: Checkpoint,
    image: Image.Image,
    stage: int,
    target: int,
    q: float,
    report: Callable[[], object],
) -> ModelView:
    model, tensor = checkpoint.model, _input(checkpoint, image)
    mask = causal_mask(model, tensor, target, stage, q)
    test = intervention_test(model, tensor, target, mask, progress=lambda done, total: report())
    return ModelView(mean_attention_grids(model, tensor), mask, test)


def _score_cam_seconds(checkpoint: Checkpoint, image: Image.Image, stage: int) -> float:
    tensor = _input(checkpoint, image)
    # The faster of two: the first pass of a network, or a busy moment, would mislead.
    return min(estimate_seconds(checkpoint.model, tensor, stage) for _ in range(2))


def _input(checkpoint: Checkpoint, image: Image.Image) -> Tensor:
    return preprocess_of(checkpoint)(image).unsqueeze(0)  # (1, 3, S, S)
