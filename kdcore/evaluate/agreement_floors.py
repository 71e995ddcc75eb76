"""What the agreement of two maps is worth: the same numbers of a study over the data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kdcore.evaluate.explanations import metric_means
from kdcore.evaluate.map_means import ALL
from kdcore.evaluate.transfer import baseline_record
from kdcore.predict.map_scores import AGREEMENT, MapScores


@dataclass(frozen=True)
class AgreementFloors:
    """Mean agreement with the teacher's maps over all clean images of a study, by measure.

    Attributes
    ----------
    student : of the student's own maps
    unrelated : of the student's map and the teacher's of any other image
    baseline : of the same network trained without a teacher; empty where the study has none
    baseline_title : what people call that network, or ""
    method, split : of the study
    n : clean images
    """

    student: Mapping[str, float]
    unrelated: Mapping[str, float]
    baseline: Mapping[str, float]
    baseline_title: str
    method: str
    split: str
    n: int


def agreement_floors(
    studies: Iterable[Sequence[MapScores]], teacher_hash: str, student_hash: str, method: str
) -> AgreementFloors | None:
    """Return what a study says of a pair, or None where none has these weights and this method.

    Parameters
    ----------
    studies : records of each study; one of the test images is preferred
    teacher_hash, student_hash : SHA-256 of the weights
    method : of the maps
    """
    for records in sorted(studies, key=lambda study: study[0].split != "test"):
        student = next((r for r in records if r.checkpoint_hash == student_hash), None)
        if student is None or student.method != method or student.checkpoint == student.teacher:
            continue
        if any(_is_teacher(record, student, teacher_hash) for record in records):
            return _floors(student, baseline_record(student, records))
    return None


def _is_teacher(record: MapScores, student: MapScores, teacher_hash: str) -> bool:
    return record.checkpoint == student.teacher and record.checkpoint_hash == teacher_hash


def _floors(student: MapScores, baseline: MapScores | None) -> AgreementFloors:
    own = _means(student)
    alone = {} if baseline is None else _means(baseline)
    return AgreementFloors(
        student={m: own[m][0] for m in AGREEMENT if m in own},
        unrelated={m: own[f][0] for m in AGREEMENT if (f := f"{m}_mismatched_any") in own},
        baseline={m: alone[m][0] for m in AGREEMENT if m in alone},
        baseline_title="" if baseline is None else baseline.meta.get("title", baseline.checkpoint),
        method=student.method,
        split=student.split,
        n=max((n for _, n in own.values()), default=0),
    )


def _means(record: MapScores) -> dict[str, tuple[float, int]]:
    """Return mean and number of images of each column over all clean images."""
    found = metric_means(record, n_boot=0)
    return {row.metric: (row.mean.value, row.n) for row in found if row.scope == ALL}
