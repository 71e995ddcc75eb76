"""The two maps of a pair checked one after the other, and the outcome as plain values for files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from kdcore.base.progress import ShareProgress
from kdcore.explain.ensemble import members
from kdcore.explain.explain_pair import Explanation, PairExplanation
from kdcore.explain.judge import Trust
from kdcore.explain.map_question import Explainer, MapQuestion
from kdcore.explain.maps import Heatmap
from kdcore.explain.score_cam import fast_score_cam
from kdcore.explain.sensitivity import REPEATS
from kdcore.explain.trust import OTHERS, check_map
from kdcore.models import Checkpoint, Classifier
from kdcore.predict import preprocess_of

Lesion = NDArray[np.bool_]
SLOW_REPEATS, SLOW_OTHERS = 2, 2  # of a method that takes seconds for one map


@dataclass(frozen=True)
class PairTrust:
    """What the checks found of the teacher's and of the student's map."""

    teacher: Trust
    student: Trust

    def as_dict(self) -> dict[str, Any]:
        """Return verdict, checks, lift and what was left out of both, for JSON."""
        return {"teacher": trust_facts(self.teacher), "student": trust_facts(self.student)}


def check_pair(
    teacher: Checkpoint,
    student: Checkpoint,
    image: Image.Image,
    pair: PairExplanation,
    lesions: tuple[Lesion | None, Lesion | None] = (None, None),
    progress: ShareProgress | None = None,
) -> PairTrust:
    """Check both maps of a pair as `check_map` does, the method run again as it made them.

    A map that takes seconds is made again for 2 noisy pictures and 2 other classes, any other for
    8 and 3.

    Parameters
    ----------
    teacher, student : loaded checkpoints that explained; unchanged afterwards
    image : RGB of any size, the one explained
    pair : their maps, exact or not
    lesions : (S, S) bool on each one's input grid, or None
    progress : called with (fraction in [0, 1], what is being done); may raise Cancelled

    Raises
    ------
    Cancelled
        If `progress` raised it.
    """
    tell = progress or (lambda fraction, doing: None)
    found = [
        _check(checkpoint, image, explained, lesion, tell, role, part / 2)
        for part, (role, checkpoint, explained, lesion) in enumerate(
            (
                ("teacher", teacher, pair.teacher, lesions[0]),
                ("student", student, pair.student, lesions[1]),
            )
        )
    ]
    return PairTrust(*found)


def trust_facts(trust: Trust) -> dict[str, Any]:
    """Return a verdict and the numbers that it stands on, for JSON."""
    checks = [asdict(check) for check in trust.checks]
    facts = {"verdict": trust.verdict, "summary": trust.summary, "checks": checks}
    return facts | {"lift_over_centre": trust.lift, "left_out": list(trust.left_out)}


def _check(
    checkpoint: Checkpoint,
    image: Image.Image,
    explained: Explanation,
    lesion: Lesion | None,
    tell: ShareProgress,
    role: str,
    start: float,
) -> Trust:
    fraction, doing = start, f"Checking the {role}'s map"

    def progress(done: int, total: int) -> None:
        nonlocal fraction
        fraction = start + done / total / 2
        tell(fraction, doing)

    def cancelled() -> bool:
        tell(fraction, doing)  # raises, and is asked more often than there is progress
        return False

    tensor = preprocess_of(checkpoint)(image)[None]  # (1, 3, S, S)
    about = (checkpoint.model, tensor, explained.target, _again(explained), explained.stage)
    question = MapQuestion(*about)
    repeats, others = (SLOW_REPEATS, SLOW_OTHERS) if question.slow else (REPEATS, OTHERS)
    return check_map(
        question,
        explained.heatmap,
        checkpoint.card.std,
        lesion=lesion,
        repeats=repeats,
        others=others,
        progress=progress,
        cancelled=cancelled,
    )


def _again(explained: Explanation) -> str | Explainer:
    """Return what makes a map as `explained` was made: of as many masks, where it stands on few."""
    masks = explained.masks
    if masks is None or masks.exact:
        return str(explained.manifest["method"]["name"])
    scored, stage = masks.scored, explained.stage

    def run(model: Classifier, tensor: Tensor, target: int) -> Heatmap:
        each = max(2, scored // len(members(model)))
        return fast_score_cam(model, tensor, target, stage, each)

    return run
