"""Whether two models give the same answers, and whether they are wrong together.

Both wrong with the same answer is told apart from both wrong with different answers: in the first
case a student has kept its teacher's mistake. Sources: Cohen 1960 (kappa), McNemar 1947, here as
the exact binomial test on the images that only one model has right. McNemar's test takes images
for independent, which images of one lesion are not; the intervals do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from kdcore.base import DataError
from kdcore.evaluate import scores
from kdcore.evaluate.bootstrap import Interval, percentile_interval, resample_sums
from kdcore.evaluate.headline import one_column
from kdcore.predict import Predictions
from kdcore.predict.probabilities import log_softmax

Floats = NDArray[np.float64]
QUADRANTS: Mapping[str, str] = {
    "both_right": "both right",
    "teacher_only": "only the teacher right",
    "student_only": "only the student right",
    "same_mistake": "both wrong, same answer",
    "other_mistake": "both wrong, different answers",
}


@dataclass(frozen=True)
class Quadrant:
    """The images of one key of `QUADRANTS`: how many, their share of all, their ids."""

    name: str
    count: int
    share: Interval
    sample_ids: tuple[str, ...]


@dataclass(frozen=True)
class McNemar:
    """Exact test of equal accuracy: `b` images only the teacher has right, `c` the student."""

    b: int
    c: int
    p: float


@dataclass(frozen=True)
class Agreement:
    """How alike two models answer.

    Attributes
    ----------
    share : of the images, those with the same answer
    kappa : Cohen's; NaN where both give one and the same answer to every image
    kl : mean KL(teacher ‖ student) of the probabilities, in nats
    mcnemar : on right and wrong
    quadrants : those of `QUADRANTS`, in that order
    answers : (C, C) counts, row the teacher's answer, column the student's
    """

    share: Interval
    kappa: Interval
    kl: Interval
    mcnemar: McNemar
    quadrants: tuple[Quadrant, ...]
    answers: NDArray[np.int64]

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON; a number that is not defined is None."""
        return {
            **{name: getattr(self, name).as_dict() for name in ("share", "kappa", "kl")},
            "mcnemar": asdict(self.mcnemar),
            "quadrants": {
                q.name: {"count": q.count, "share": q.share.as_dict(), "ids": list(q.sample_ids)}
                for q in self.quadrants
            },
            "answers": self.answers.tolist(),
        }


def agreement(
    teacher: Predictions,
    student: Predictions,
    temperature_teacher: float = 1.0,
    temperature_student: float = 1.0,
    n_boot: int = 1000,
    seed: int = 0,
) -> Agreement:
    """Measure how alike two models answer, with 95 % intervals from resampling lesions.

    Parameters
    ----------
    teacher, student : of the same images in the same order, at least one
    temperature_teacher, temperature_student : divide the logits; they move `kl` only
    n_boot : resamples; 0 leaves the intervals NaN, as a single lesion does
    seed : of the resampling

    Raises
    ------
    DataError
        If there is no image.
    ValueError
        If the images are not the same, a temperature is not positive, or `n_boot` is negative.
    """
    if not len(teacher):
        raise DataError("There are no images to compare.", "Choose a split that has some.")
    quadrant, classes = quadrant_of(teacher, student), len(teacher.classes)
    names, answers = list(QUADRANTS), [p.logits.argmax(1) for p in (teacher, student)]
    where = np.array([names.index(name) for name in quadrant], dtype=np.int64)
    divergence = kl_per_image(teacher, student, temperature_teacher, temperature_student)
    columns = [
        divergence[:, None],
        one_column(where, len(names)),
        one_column(answers[0] * classes + answers[1], classes**2),
    ]
    sums = np.hstack(columns)  # (N, 1 + 5 + C²)
    value = _figures(sums.sum(0)[None], classes)[0]
    resamples = _figures(resample_sums(sums, teacher.group_ids, n_boot, seed), classes)
    share, kappa, kl, *shares = map(percentile_interval, value, resamples.T)
    counts = columns[2].sum(0).astype(np.int64).reshape(classes, classes)
    found = [np.flatnonzero(where == q) for q in range(len(names))]
    return Agreement(
        share=share,
        kappa=kappa,
        kl=kl,
        mcnemar=mcnemar(len(found[1]), len(found[2])),
        quadrants=tuple(
            Quadrant(name, len(at), part, tuple(teacher.sample_ids[at].tolist()))
            for name, at, part in zip(names, found, shares, strict=True)
        ),
        answers=counts,
    )


def quadrant_of(teacher: Predictions, student: Predictions) -> NDArray[np.str_]:
    """Return the quadrant of each image, (N,) keys of `QUADRANTS`.

    Parameters
    ----------
    teacher, student : of the same N images in the same order, as `align` returns them

    Raises
    ------
    ValueError
        If the images, labels or classes are not the same.
    """
    refuse_unaligned(teacher, student)
    return quadrants_of(teacher.labels, *(p.logits.argmax(1) for p in (teacher, student)))


def quadrants_of(labels: ArrayLike, teacher: ArrayLike, student: ArrayLike) -> NDArray[np.str_]:
    """Return the quadrant of each image, (N,) keys of `QUADRANTS`, from its label and two answers.

    `labels`, `teacher` and `student` are class indices (N,).
    """
    truth, *answers = (np.asarray(values) for values in (labels, teacher, student))
    right = [answer == truth for answer in answers]
    conditions = [right[0] & right[1], right[0], right[1], answers[0] == answers[1]]
    *names, rest = QUADRANTS
    return np.select(conditions, [np.str_(name) for name in names], default=np.str_(rest))


def refuse_unaligned(teacher: Predictions, student: Predictions) -> None:
    """Raise ValueError unless both have the same images, labels and classes in one order."""
    for name in ("classes", "sample_ids", "labels"):
        if not np.array_equal(getattr(teacher, name), getattr(student, name)):
            raise ValueError(f"teacher, student: expected the same {name}; `align` them first")


def kl_per_image(
    teacher: Predictions,
    student: Predictions,
    temperature_teacher: float = 1.0,
    temperature_student: float = 1.0,
) -> Floats:
    """Return KL(teacher ‖ student) of the probabilities in nats, (N,), never infinite.

    `teacher`, `student` and the temperatures `temperature_teacher` and `temperature_student` are
    those of `agreement`.
    """
    p = log_softmax(teacher.logits, temperature_teacher)
    q = log_softmax(student.logits, temperature_student)
    return np.maximum((np.exp(p) * (p - q)).sum(1), 0.0)  # rounding may leave -1e-17


def mcnemar(b: int, c: int) -> McNemar:
    """Return the two-sided exact test that `b` and `c` are equally likely; p = 1 for 0 and 0.

    Raises
    ------
    ValueError
        If a count is negative.
    """
    if min(b, c) < 0:
        raise ValueError(f"b, c: expected counts, got {b} and {c}")
    p = stats.binomtest(b, b + c).pvalue if b + c else 1.0
    return McNemar(b, c, float(p))


def cohen_kappa(counts: ArrayLike) -> Floats:
    """Return the agreement beyond chance of two answers, (...,) in [-1, 1].

    `counts` (..., C, C) has one answer by row and the other by column. NaN where chance alone
    agrees always: both answers are one class.
    """
    array = np.asarray(counts, dtype=np.float64)
    n = array.sum((-2, -1))
    chance = (array.sum(-1) * array.sum(-2)).sum(-1)
    return scores.ratio(n * np.trace(array, axis1=-2, axis2=-1) - chance, n**2 - chance)


def _figures(totals: Floats, classes: int) -> Floats:
    """Return share, kappa, KL and the shares of the quadrants of B samples, (B, 3 + 5)."""
    answers = totals[:, 1 + len(QUADRANTS) :].reshape(-1, classes, classes)
    n = answers.sum((1, 2))
    means = totals[:, : 1 + len(QUADRANTS)] / n[:, None]
    return np.column_stack([scores.accuracy(answers), cohen_kappa(answers), means])
