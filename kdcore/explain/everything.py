"""All that can be shown of one picture and one pair, in one cancellable computation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from kdcore.data.transforms import Preprocess
from kdcore.explain.causal_mask import InterventionTest, Mask, causal_mask, intervention_test
from kdcore.explain.ensemble import mean_attention_grids
from kdcore.explain.explain_pair import Explanation, PairExplanation, explain_one, join
from kdcore.explain.maps import Heatmap
from kdcore.explain.methods import METHODS
from kdcore.explain.score_cam import estimate_seconds
from kdcore.models import Checkpoint

Report = Callable[[float, str], object]
_SCORE_CAM_SHARE = 0.7  # of the time, measured; the rest is gradients, attention and two tests


@dataclass(frozen=True)
class ModelView:
    """One network's attention (h, w) per stage, its causal mask (h, w) and the mask's test."""

    attention: tuple[Heatmap, ...]
    mask: Mask
    test: InterventionTest


@dataclass(frozen=True)
class Everything:
    """Score-CAM and Grad-CAM of a pair, and each network's attention, mask and test."""

    score_cam: PairExplanation
    grad_cam: PairExplanation
    teacher: ModelView
    student: ModelView
    q: float


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
    q: float = 0.2,
    image_sha256: str | None = None,
    progress: Report | None = None,
) -> Everything:
    """Explain one picture by every method, for one class and one stage.

    Parameters
    ----------
    teacher, student : loaded checkpoints of the same classes; unchanged afterwards
    image : RGB of any size
    stage : counted from the end (negative), as the two may differ in depth
    target : class index
    q : top fraction of the causal masks, in (0, 1]
    image_sha256 : of the file that the picture came from, for the manifest
    progress : called with (fraction in [0, 1], what is being done); may raise Cancelled

    Raises
    ------
    Cancelled
        If `progress` raised it.
    """
    report = progress or (lambda fraction, doing: None)
    report(0.0, "Timing one batch")
    costs = [_score_cam_seconds(c, image, stage) for c in (teacher, student)]
    middle = _SCORE_CAM_SHARE * costs[0] / max(sum(costs), 1e-9)

    def cam(checkpoint: Checkpoint, method: str, low: float, high: float) -> Explanation:
        whose = "teacher" if checkpoint is teacher else "student"
        title = f"{METHODS.get(method).title} of the {whose}"
        return explain_one(
            checkpoint,
            image,
            method,
            stage,
            target,
            lambda done, total: report(low + (high - low) * done / total, title),
            None,
            image_sha256,
        )

    score = join(
        cam(teacher, "score-cam", 0.0, middle),
        cam(student, "score-cam", middle, _SCORE_CAM_SHARE),
    )
    low, high = _SCORE_CAM_SHARE + 0.02, _SCORE_CAM_SHARE + 0.04
    grad = join(
        cam(teacher, "grad-cam", _SCORE_CAM_SHARE, low), cam(student, "grad-cam", low, high)
    )
    last = (high + 1) / 2
    return Everything(
        score,
        grad,
        _view(teacher, image, stage, target, q, lambda: report(high, "Testing the teacher's mask")),
        _view(student, image, stage, target, q, lambda: report(last, "Testing the student's mask")),
        q,
    )


def _view(
    checkpoint: Checkpoint,
    image: Image.Image,
    stage: int,
    target: int,
    q: float,
    report: Callable[[], object],
) -> ModelView:
    report()
    model, tensor = checkpoint.model, _input(checkpoint, image)
    mask = causal_mask(model, tensor, target, stage, q)
    test = intervention_test(model, tensor, target, mask, progress=lambda done, total: report())
    return ModelView(mean_attention_grids(model, tensor), mask, test)


def _score_cam_seconds(checkpoint: Checkpoint, image: Image.Image, stage: int) -> float:
    tensor = _input(checkpoint, image)
    # The faster of two: the first pass of a network, or a busy moment, would mislead.
    return min(estimate_seconds(checkpoint.model, tensor, stage) for _ in range(2))


def _input(checkpoint: Checkpoint, image: Image.Image) -> Tensor:
    card = checkpoint.card
    return Preprocess(card.input_size, card.mean, card.std)(image).unsqueeze(0)  # (1, 3, S, S)
