"""Does distillation carry over where a model looks: the one answer for a student.

The question, asked with one measure that is named beforehand: does the distilled student's map
agree more with the teacher's than the map of the same network trained without a teacher does, and
still so where both students give the teacher's answer? Two networks that answer alike may look
alike for that alone. "No" is not said for want of evidence: the interval has to leave out a
difference of `MARGIN` or more. And a student that looks where its teacher usually looks agrees more
with its maps of any image: "yes" asks that the gain is larger than that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError
from kdcore.data.corruptions import CLEAN
from kdcore.evaluate.map_means import (
    ALL,
    MIN_LESIONS,
    SAME_ANSWERS,
    PartMean,
    corrupted_parts,
    part_means,
    parts_of,
)
from kdcore.predict.map_scores import AGREEMENT, MapScores

MEASURE = "pearson"
_ANOTHER = "mismatched"  # the floor: the teacher's map of another image of the same answer
MARGIN = 0.05  # a difference of correlations that one can't see in the maps
YES, PARTLY, NO, UNSURE = "yes", "in general only", "no", "can't say"


@dataclass(frozen=True)
class Transfer:
    """The answer for one distilled student and the same network trained without a teacher.

    Attributes
    ----------
    student, baseline : their names
    measure : of agreement with the teacher's map
    student_mean, baseline_mean : over all clean images
    gain : the student's less the baseline's, image by image
    same_answers : the same where both students give the teacher's answer
    particular : what of `same_answers` is about the image: it less the gain of agreement with
        the teacher's map of another image of the same answer; None where that was not measured
    """

    student: str
    baseline: str
    measure: str
    student_mean: PartMean
    baseline_mean: PartMean
    gain: PartMean
    same_answers: PartMean | None
    particular: PartMean | None

    @property
    def gained(self) -> bool:
        """Whether the first two gains are above 0, interval and all, with lesions enough."""
        beyond = self.same_answers
        if beyond is None or beyond.lesions < MIN_LESIONS:
            return False
        return bool(self.gain.mean.low > 0 and beyond.mean.low > 0)

    @property
    def verdict(self) -> str:
        """The answer.

        "yes" if it `gained` and what is about the image is above 0 or was not measured; "in
        general only" if that is below `MARGIN`; "no" if the gain beyond the answers is; intervals
        and all. Else, and with fewer than `MIN_LESIONS`, "can't say".
        """
        beyond, particular = self.same_answers, self.particular
        if self.gained:
            if particular is None or particular.mean.low > 0:
                return YES
            return PARTLY if particular.mean.high < MARGIN else UNSURE
        if beyond is None or beyond.lesions < MIN_LESIONS:
            return UNSURE
        return NO if beyond.mean.high < MARGIN else UNSURE

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON; a number that is not defined is None."""
        plain = {n: getattr(self, n) for n in ("student", "baseline", "measure", "verdict")}
        means = ("student_mean", "baseline_mean", "gain", "same_answers", "particular")
        found = {name: getattr(self, name) for name in means}
        return plain | {k: None if v is None else v.as_dict() for k, v in found.items()}


def baseline_record(student: MapScores, records: Iterable[MapScores]) -> MapScores | None:
    """Return the record of the student's network trained without a teacher, None without one.

    Only a model of the role "student" has one; it has the same architecture and the role
    "baseline", and is not the teacher of the study, of whose agreement with itself there is none.
    """
    if student.meta.get("role") != "student":
        return None
    architecture = student.meta.get("architecture")
    others = (r for r in records if r.checkpoint != r.teacher)
    same = (r for r in others if r.meta.get("architecture") == architecture)
    return next((r for r in same if r.meta.get("role") == "baseline"), None)


def differences(
    student: MapScores, baseline: MapScores, n_boot: int = 1000, seed: int = 0
) -> tuple[PartMean, ...]:
    """Return each metric of a student less that of another model, image by image.

    Parameters
    ----------
    student, baseline : of the same images in the same order
    n_boot, seed : of the bootstrap by lesion

    Raises
    ------
    DataError
        If the images are not the same.
    """
    for name in ("sample_ids", "corruptions", "target"):
        if not np.array_equal(getattr(student, name), getattr(baseline, name)):
            raise DataError(
                f"{student.checkpoint} and {baseline.checkpoint} have different {name}.",
                "Make both again in one run of `python -m kdcore explanations`.",
            )
    columns = {
        m: student.columns[m] - baseline.columns[m]
        for m in student.metrics
        if m in baseline.columns
    }
    parts = {k: v for k, v in parts_of(student).items() if k[0] != "quadrant"}
    if (inside := parts[ALL, ""] & _same_answers(student, baseline)).any():
        parts[SAME_ANSWERS, ""] = inside
    found = part_means(columns, parts, student.group_ids, n_boot, seed)
    agreeing = {m: columns[m] for m in AGREEMENT if m in columns}
    spoilt = corrupted_parts(student)
    return found + part_means(agreeing, spoilt, student.group_ids, n_boot, seed)


def _same_answers(student: MapScores, baseline: MapScores) -> NDArray[np.bool_]:
    """Return where both give the teacher's answer, (N,)."""
    return np.asarray((student.answer == student.target) & (baseline.answer == student.target))


def transfer(
    student: MapScores,
    baseline: MapScores,
    measure: str = MEASURE,
    n_boot: int = 1000,
    seed: int = 0,
) -> Transfer:
    """Return whether a distilled student looks more where the teacher looks than its baseline.

    `student`, `baseline`, `n_boot`, `seed` and the errors are those of `differences`; `measure`
    is one of `AGREEMENT`.

    Raises
    ------
    ValueError
        If the student has no such measure.
    """
    if measure not in AGREEMENT or measure not in student.columns:
        raise ValueError(f"measure: expected one of {', '.join(AGREEMENT)}, got {measure!r}")
    found = differences(student, baseline, n_boot, seed)
    gains = {d.scope: d for d in found if d.metric == measure and d.name == ""}

    clean = np.asarray(student.corruptions == CLEAN)

    def mean(column: NDArray[np.float32], inside: NDArray[np.bool_] = clean) -> PartMean:
        part = {(ALL, ""): inside}
        return part_means({measure: column}, part, student.group_ids, n_boot, seed)[0]

    one, other, floor = student.columns, baseline.columns, f"{measure}_{_ANOTHER}"
    beyond, particular = gains.get(SAME_ANSWERS), None
    if beyond is not None and floor in one and floor in other:
        lift = (one[measure] - one[floor]) - (other[measure] - other[floor])
        found_there = clean & _same_answers(student, baseline) & ~np.isnan(lift)
        particular = mean(lift, found_there) if found_there.any() else None
    return Transfer(
        student=student.checkpoint,
        baseline=baseline.checkpoint,
        measure=measure,
        student_mean=mean(one[measure]),
        baseline_mean=mean(other[measure]),
        gain=gains[ALL],
        same_answers=beyond,
        particular=particular,
    )
