"""One recipe over training seeds: mean, deviation and t-interval (Student 1908) of every score.

The intervals speak of other seeds on the same images; those of each evaluation speak of other
lesions. A seed for which a score is not defined counts as missing for that score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kdcore.base import DataError
from kdcore.evaluate.bootstrap import Interval
from kdcore.evaluate.evaluation import Evaluation
from kdcore.evaluate.headline import BY_CLASS, OVERALL
from kdcore.evaluate.significance import t_interval


@dataclass(frozen=True)
class SeedScore:
    """One score over seeds.

    Attributes
    ----------
    values : one for each evaluation, in the order given; NaN where it is not defined
    mean : with its 95 % t-interval; the ends are NaN where there is no spread to tell them from
    sd : standard deviation (ddof 1), NaN below two values
    """

    values: tuple[float, ...]
    mean: Interval
    sd: float


@dataclass(frozen=True)
class OverSeeds:
    """All scores over seeds.

    Attributes
    ----------
    checkpoints : what was measured, in the order given
    metrics : the scores of `OVERALL`
    per_class : by class, in logit order, the scores of `BY_CLASS`
    """

    checkpoints: tuple[str, ...]
    metrics: Mapping[str, SeedScore]
    per_class: Mapping[str, Mapping[str, SeedScore]]


def over_seeds(evaluations: Sequence[Evaluation]) -> OverSeeds:
    """Summarise evaluations of runs that differ in nothing but their seed.

    Parameters
    ----------
    evaluations : at least one, of different weights on the same images; that the runs share a
        recipe is the caller's to know

    Raises
    ------
    ValueError
        If there is no evaluation.
    DataError
        If they are of different images, or of the same weights twice.
    """
    if not evaluations:
        raise ValueError("evaluations: expected at least one, got none")
    for other in evaluations[1:]:
        _refuse_other_images(evaluations[0], other)
    hashes = [e.checkpoint_hash for e in evaluations if e.checkpoint_hash]
    if len(set(hashes)) < len(hashes):
        raise DataError(
            "The same weights were evaluated twice, so they are not two seeds.",
            "Name each run once.",
        )
    rows = list(zip(*(e.per_class for e in evaluations), strict=True))  # class by class
    return OverSeeds(
        checkpoints=tuple(e.checkpoint for e in evaluations),
        metrics={k: _score([e.metrics[k].value for e in evaluations]) for k in OVERALL},
        per_class={
            row[0].name: {k: _score([getattr(one, k).value for one in row]) for k in BY_CLASS}
            for row in rows
        },
    )


def _score(values: list[float]) -> SeedScore:
    array = np.array(values)
    return SeedScore(tuple(values), *t_interval(array[~np.isnan(array)]))


def _refuse_other_images(first: Evaluation, other: Evaluation) -> None:
    """Raise DataError where the split, the condition or the images by class are not the same."""
    one, two = (
        (e.split, e.corruption, e.n_groups, tuple((row.name, row.support) for row in e.per_class))
        for e in (first, other)
    )
    if one != two:
        raise DataError(
            f"{first.checkpoint or 'unnamed'} and {other.checkpoint or 'unnamed'} were measured "
            "on different images.",
            "Evaluate all seeds on the same split of the same data.",
        )
