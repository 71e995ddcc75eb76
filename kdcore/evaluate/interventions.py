"""Whether causal masks deserve the name: what removing them costs, over random regions, by lesion.

A mask's effect on an image is the fall of the target's probability without it, less the mean fall
without random regions of equal area: what matters is where the mask lies, not that something went.
The transfer ratio is the mean effect of the teacher's masks on the student over that of the
student's own: 1 where the teacher points at what matters to the student as well as it does itself.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.evaluate.bootstrap import (
    Interval,
    interval_words,
    mean_interval,
    percentile_interval,
    resample_sums,
)
from kdcore.predict.intervention_scores import InterventionScores

Floats = NDArray[np.float64]
_NAN = float("nan")


@dataclass(frozen=True)
class MaskEffect:
    """One kind of mask at one stage and area, means over images with intervals by lesion.

    Attributes
    ----------
    drop : fall of the target's probability with the mask removed
    random : the same for random regions of equal area
    effect : the first less the second, image by image
    beats_all : share of images where the mask's fall is above that of every random region
    """

    drop: Interval
    random: Interval
    effect: Interval
    beats_all: Interval


@dataclass(frozen=True)
class StageEffect:
    """One stage and area: the network's own masks, the teacher's, and the transfer ratio.

    `transfer_ratio` is NaN unless the interval of the own masks' mean effect is above 0: a quotient
    by what may be nothing says nothing.
    """

    stage: str
    teacher_stage: str
    fraction: float
    own: MaskEffect
    transferred: MaskEffect
    transfer_ratio: Interval


@dataclass(frozen=True)
class InterventionStudy:
    """All stages and areas of one network.

    Attributes
    ----------
    model, teacher : names
    split : the part; `n` images of `n_groups` lesions
    regions : R, random regions of each; a region like any other beats all of them in 1 / (R + 1)
    probability : mean of the target's probability, images untouched
    effects : early to late, each stage's areas in their order
    interval_method : one sentence, without its full stop
    """

    model: str
    teacher: str
    split: str
    n: int
    n_groups: int
    regions: int
    probability: Interval
    effects: tuple[StageEffect, ...]
    interval_method: str

    @property
    def by_chance(self) -> float:
        """Share of images where one more random region would beat all others."""
        return 1 / (1 + self.regions)

    def as_dict(self) -> dict[str, Any]:
        """Return what `--json` writes."""
        return asdict(self) | {"by_chance": self.by_chance}


def measure_interventions(
    scores: InterventionScores, n_boot: int = 1000, seed: int = 0
) -> InterventionStudy:
    """Return what removing masks cost one network.

    Parameters
    ----------
    scores : of all its images
    n_boot, seed : of the bootstrap by lesion

    Raises
    ------
    ValueError
        If `n_boot` is negative.
    """
    groups = len(np.unique(scores.group_ids))
    return InterventionStudy(
        model=scores.model,
        teacher=scores.teacher,
        split=scores.split,
        n=len(scores),
        n_groups=groups,
        regions=scores.regions,
        probability=mean_interval(scores.probabilities, scores.group_ids, n_boot, seed),
        effects=tuple(
            _stage_effect(scores, s, q, n_boot, seed)
            for s in range(len(scores.stages))
            for q in range(len(scores.fractions))
        ),
        interval_method=interval_words(n_boot, groups, seed),
    )


def _stage_effect(
    scores: InterventionScores, stage: int, area: int, n_boot: int, seed: int
) -> StageEffect:
    place = (slice(None), stage, area)
    own = scores.drops[place], scores.random_drops[place]
    moved = scores.transfer_drops[place], scores.transfer_random_drops[place]
    found = [_mask_effect(*drops, scores.group_ids, n_boot, seed) for drops in (own, moved)]
    return StageEffect(
        stage=scores.stages[stage],
        teacher_stage=scores.teacher_stages[stage],
        fraction=scores.fractions[area],
        own=found[0],
        transferred=found[1],
        transfer_ratio=_ratio(
            _over_random(*moved), _over_random(*own), scores.group_ids, n_boot, seed
        ),
    )


def _mask_effect(
    drops: NDArray[np.float32],
    random: NDArray[np.float32],
    group_ids: NDArray[np.str_],
    n_boot: int,
    seed: int,
) -> MaskEffect:
    """Return the means of drops (N,) and random drops (N, R)."""

    def mean(values: NDArray[Any]) -> Interval:
        return mean_interval(values, group_ids, n_boot, seed)

    return MaskEffect(
        drop=mean(drops),
        random=mean(random.mean(1, dtype=np.float64)),
        effect=mean(_over_random(drops, random)),
        beats_all=mean(drops > random.max(1)),
    )


def _over_random(drops: NDArray[np.float32], random: NDArray[np.float32]) -> Floats:
    return drops.astype(np.float64) - random.mean(1, dtype=np.float64)


def _ratio(
    moved: Floats, own: Floats, group_ids: NDArray[np.str_], n_boot: int, seed: int
) -> Interval:
    """Return mean `moved` (N,) over mean `own` (N,), where the latter is clear of 0."""
    if not mean_interval(own, group_ids, n_boot, seed).low > 0:
        return Interval(_NAN, _NAN, _NAN)
    sums = resample_sums(np.stack([moved, own], 1), group_ids, n_boot, seed)  # (B, 2)
    above = sums[sums[:, 1] > 0]
    return percentile_interval(float(moved.mean() / own.mean()), above[:, 0] / above[:, 1])
