"""Any two models on the same images; "teacher" is the one that the other is held against.

Differences and ratios have percentile intervals of a paired bootstrap: the same lesions are drawn
for both models (Davison & Hinkley 1997, section 3.8). That of a difference of two ECEs is moved
by its bias, see `bootstrap.difference_interval`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.evaluate.agreement import Agreement, agreement
from kdcore.evaluate.align import align
from kdcore.evaluate.bootstrap import (
    SHIFTED,
    Interval,
    difference_interval,
    index_groups,
    interval_words,
    percentile_interval,
)
from kdcore.evaluate.headline import BY_CLASS, EXCESS, OVERALL, Headline, headline_scores
from kdcore.evaluate.scores import ratio
from kdcore.predict import Predictions

Floats = NDArray[np.float64]
_PLAIN = (
    *("teacher", "student", "split", "n", "n_groups"),
    *("temperature_teacher", "temperature_student"),
)


@dataclass(frozen=True)
class ScorePair:
    """One score of both models, and the student's less the teacher's."""

    teacher: Interval
    student: Interval
    delta: Interval

    @property
    def relative(self) -> float:
        """Difference / the teacher's score; NaN where that is 0 or not defined."""
        whole = self.teacher.value
        return self.delta.value / whole if whole else math.nan

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON; a number that is not defined is None."""
        parts = {name: getattr(self, name).as_dict() for name in ("teacher", "student", "delta")}
        return parts | {"relative": None if math.isnan(self.relative) else self.relative}


@dataclass(frozen=True)
class ClassPair:
    """The scores of `BY_CLASS` for one class, which has `support` images."""

    name: str
    support: int
    scores: Mapping[str, ScorePair]

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        row: dict[str, Any] = {"class": self.name, "support": self.support}
        return row | {name: pair.as_dict() for name, pair in self.scores.items()}


@dataclass(frozen=True)
class PairComparison:
    """What one model kept of another on the same images.

    Attributes
    ----------
    teacher, student : names of the two, of their checkpoints until they are `named`
    n, n_groups : images, and lesions they show
    metrics : the scores of `OVERALL`
    per_class : one entry for each class, in logit order
    retention : macro-F1 of the student / that of the teacher; NaN where that is 0
    agreement : how alike they answer, and where each is right
    temperature_teacher, temperature_student : what the logits were divided by
    n_boot, seed : of the bootstrap
    split : the part that both were measured on
    """

    teacher: str
    student: str
    n: int
    n_groups: int
    metrics: Mapping[str, ScorePair]
    per_class: tuple[ClassPair, ...]
    retention: Interval
    agreement: Agreement
    temperature_teacher: float
    temperature_student: float
    n_boot: int
    seed: int
    split: str = ""

    def named(self, teacher: str, student: str) -> PairComparison:
        """Return the same of models that are called `teacher` and `student`, such as titles."""
        return replace(self, teacher=teacher, student=student)

    @property
    def interval_method(self) -> str:
        """How the intervals were made, one sentence."""
        more = f", the same for both models; that of the ECE is {SHIFTED}"
        return interval_words(self.n_boot, self.n_groups, self.seed, more)

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON; a number that is not defined is None."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "metrics": {name: pair.as_dict() for name, pair in self.metrics.items()},
            "per_class": [row.as_dict() for row in self.per_class],
            "retention": self.retention.as_dict(),
            "agreement": self.agreement.as_dict(),
            "n_boot": self.n_boot,
            "seed": self.seed,
            "interval": self.interval_method,
        }


def compare_pair(
    teacher: Predictions,
    student: Predictions,
    temperature_teacher: float = 1.0,
    temperature_student: float = 1.0,
    n_boot: int = 1000,
    seed: int = 0,
) -> PairComparison:
    """Compare two models on the same images, with 95 % intervals from resampling lesions.

    Parameters
    ----------
    teacher, student : any two models' predictions on the same images, in any order; `align` them
        first where only some images are common
    temperature_teacher, temperature_student : divide the logits; fitted ones calibrate
    n_boot : resamples; 0 leaves the intervals NaN, as a single lesion does
    seed : of the resampling

    Raises
    ------
    DataError
        If `align` finds that the images, labels, lesions or classes differ.
    ValueError
        If a temperature is not positive or `n_boot` is negative.
    """
    teacher, student = align(teacher, student)
    one = headline_scores(teacher, temperature_teacher, n_boot, seed)
    other = headline_scores(student, temperature_student, n_boot, seed)
    per_class = tuple(
        ClassPair(
            name=name,
            support=int(one.confusion[c].sum()),
            scores={k: _score_pair(one, other, k, c) for k in BY_CLASS},
        )
        for c, name in enumerate(teacher.classes)
    )
    return PairComparison(
        teacher=teacher.checkpoint,
        student=student.checkpoint,
        n=len(teacher),
        n_groups=index_groups(teacher.group_ids)[1],
        metrics={name: _score_pair(one, other, name) for name in OVERALL},
        per_class=per_class,
        retention=_retention(one, other),
        agreement=agreement(
            teacher, student, temperature_teacher, temperature_student, n_boot, seed
        ),
        temperature_teacher=float(temperature_teacher),
        temperature_student=float(temperature_student),
        n_boot=n_boot,
        seed=seed,
        split=teacher.split,
    )


def _score_pair(one: Headline, other: Headline, name: str, c: int | None = None) -> ScorePair:
    (a, resampled_a), (b, resampled_b) = one.pick(name, c), other.pick(name, c)
    interval = difference_interval if name in EXCESS else percentile_interval
    delta = interval(b - a, resampled_b - resampled_a)
    return ScorePair(one.interval(name, c), other.interval(name, c), delta)


def _retention(one: Headline, other: Headline) -> Interval:
    (a, resampled_a), (b, resampled_b) = one.pick("macro_f1"), other.pick("macro_f1")
    return percentile_interval(float(ratio(b, a)), ratio(resampled_b, resampled_a))
