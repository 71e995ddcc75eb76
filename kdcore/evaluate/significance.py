"""Do methods differ over training seeds: means with t-intervals, and paired tests.

Sources: Student 1908 (t), Wilcoxon 1945 (signed ranks), Holm 1979, Cohen 1988 (d_z), Hedges 1981
(its correction); SciPy does the tests. Runs of one seed share their order of images and initial
weights, so a method is compared with a reference seed by seed. Conventions:

- A seed whose value is NaN counts as missing; a comparison uses the seeds that both have.
- Differences are rounded to 12 decimals, so that rounding errors neither win nor get a rank.
- Equal differences have no variance to test with: t, its interval and d_z are NaN, not p = 0.
- A difference of 0 has no rank (Wilcoxon's own rule). With n others no arrangement of signs is
  rarer than 2 in 2ⁿ: that floor is returned, since with 5 seeds it lies above 0.05.
- The signed-rank test is exact up to 13 seeds, and up to 50 where no two differences are equally
  large; beyond that it is SciPy's normal approximation.

The tests speak of other seeds on the same split, not of other images.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from kdcore.evaluate.bootstrap import LEVEL, Interval

Floats = NDArray[np.float64]
REFERENCES = ("baseline", "kd")
_DECIMALS = 12


@dataclass(frozen=True)
class MethodSummary:
    """One method over its n seeds.

    Attributes
    ----------
    method : its name
    seeds : the seeds that have a value, rising
    values : of those seeds, n of them
    mean : with its 95 % t-interval; the ends are NaN where there is no spread to tell them from
    sd : standard deviation (ddof 1), NaN for one seed
    """

    method: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    mean: Interval
    sd: float


@dataclass(frozen=True)
class Comparison:
    """A method less a reference, over the seeds that both have; NaN is what is not defined.

    Attributes
    ----------
    method, reference : their names
    seeds : the n shared seeds, rising
    difference : mean of method − reference with its 95 % t-interval
    sd : standard deviation of the differences (ddof 1)
    p_t : two-sided paired t-test
    p_holm : `p_t` adjusted over all comparisons with this reference whose `p_t` is defined
    family : how many those are
    p_wilcoxon : two-sided signed-rank test, not adjusted
    p_floor : the least that `p_wilcoxon` can be with so many differences other than 0
    d_z : Cohen's effect size, mean difference / sd
    g_z : `d_z` with Hedges' correction for few seeds; NaN below three
    wins, ties, losses : seeds on which the method is better than, equal to, worse than the other
    """

    method: str
    reference: str
    seeds: tuple[int, ...]
    difference: Interval
    sd: float
    p_t: float
    p_holm: float
    family: int
    p_wilcoxon: float
    p_floor: float
    d_z: float
    g_z: float
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True)
class Significance:
    """A sweep's table of one metric.

    Attributes
    ----------
    methods : one summary for each method, in the order given
    comparisons : reference by reference, in the order of the methods
    references : those that were compared with
    higher_is_better : what a win is
    """

    methods: tuple[MethodSummary, ...]
    comparisons: tuple[Comparison, ...]
    references: tuple[str, ...]
    higher_is_better: bool = True

    def comparison(self, method: str, reference: str) -> Comparison | None:
        """Return the comparison of `method` with `reference`, or None if there is none."""
        for found in self.comparisons:
            if (found.method, found.reference) == (method, reference):
                return found
        return None


def compare_methods(
    values: Mapping[str, Mapping[int, float]],
    references: Sequence[str] = REFERENCES,
    higher_is_better: bool = True,
) -> Significance:
    """Summarise each method over seeds and compare it with each reference.

    Parameters
    ----------
    values : one metric by method and seed; NaN where it is not defined
    references : methods to compare with; one that is not in `values` is passed over. A pair that
        an earlier reference has met is not met again the other way round
    higher_is_better : False for a loss, such as the NLL

    Raises
    ------
    ValueError
        If there is no method, or a value is infinite.
    """
    if not values:
        raise ValueError("values: expected at least one method, got none")
    defined = {method: _defined(method, by_seed) for method, by_seed in values.items()}
    used = tuple(r for r in dict.fromkeys(references) if r in defined)
    compared: list[Comparison] = []
    for index, reference in enumerate(used):
        others = [m for m in defined if m != reference and m not in used[:index]]
        pairs = (_compare(m, reference, defined, higher_is_better) for m in others)
        compared += _adjusted(pairs)
    summaries = tuple(_summarise(method, by_seed) for method, by_seed in defined.items())
    return Significance(summaries, tuple(compared), used, higher_is_better)


def t_interval(sample: ArrayLike) -> tuple[Interval, float]:
    """Return the mean of `sample` (n,) with its t-interval, and the standard deviation (ddof 1).

    The deviation is NaN below two values; the ends are NaN there and
    where all values are equal, and everything is NaN for no value.
    """
    array = np.asarray(sample, dtype=np.float64)
    mean = float(array.mean()) if len(array) else math.nan
    if len(array) < 2:
        return Interval(mean, math.nan, math.nan), math.nan
    if np.ptp(np.round(array, _DECIMALS)) == 0:
        return Interval(mean, math.nan, math.nan), 0.0
    low, high = stats.ttest_1samp(array, 0.0).confidence_interval(LEVEL)
    return Interval(mean, float(low), float(high)), float(array.std(ddof=1))


def signed_rank(differences: ArrayLike) -> tuple[float, float]:
    """Return the two-sided signed-rank p of `differences` (n,), and the least it could be.

    Both are 1 where no difference is other than 0, and NaN where there is no difference at all.
    """
    array = np.asarray(differences, dtype=np.float64)
    if not len(array):
        return math.nan, math.nan
    array = array[array != 0]
    if not len(array):
        return 1.0, 1.0
    floor = min(1.0, 2.0 ** (1 - len(array)))
    return float(stats.wilcoxon(array, method="auto").pvalue), floor


def hedges_factor(freedom: int) -> float:
    """Return what an effect size of `freedom` degrees of freedom is multiplied by (Hedges 1981).

    NaN below 2, where the effect size has no expectation.
    """
    if freedom < 2:
        return math.nan
    log = special.gammaln(freedom / 2) - special.gammaln((freedom - 1) / 2)
    return float(math.exp(log) / math.sqrt(freedom / 2))


def holm(p_values: Iterable[float]) -> tuple[float, ...]:
    """Return p values adjusted over all that are not NaN (Holm 1979); NaN stays NaN.

    Raises
    ------
    ValueError
        If a value is outside [0, 1].
    """
    given = tuple(p_values)
    tested = sorted((p, i) for i, p in enumerate(given) if not math.isnan(p))
    if tested and not (tested[0][0] >= 0 and tested[-1][0] <= 1):
        raise ValueError(f"p_values: expected values in [0, 1], got {given}")
    adjusted, highest = [math.nan] * len(given), 0.0
    for rank, (p, index) in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - rank) * p))
        adjusted[index] = highest
    return tuple(adjusted)


def _defined(method: str, by_seed: Mapping[int, float]) -> dict[int, float]:
    if any(math.isinf(value) for value in by_seed.values()):
        raise ValueError(f"values[{method!r}]: expected finite numbers or NaN, got {by_seed}")
    return {s: float(by_seed[s]) for s in sorted(by_seed) if not math.isnan(by_seed[s])}


def _summarise(method: str, by_seed: Mapping[int, float]) -> MethodSummary:
    values = tuple(by_seed.values())
    mean, sd = t_interval(values)
    return MethodSummary(method, tuple(by_seed), values, mean, sd)


def _compare(
    method: str,
    reference: str,
    values: Mapping[str, Mapping[int, float]],
    higher_is_better: bool,
) -> Comparison:
    """Compare over the shared seeds; `p_holm` and `family` are filled in by `_adjusted`."""
    own, other = values[method], values[reference]
    seeds = tuple(s for s in own if s in other)
    differences: Floats = np.round([own[s] - other[s] for s in seeds], _DECIMALS)
    mean, sd = t_interval(differences)
    p_wilcoxon, floor = signed_rank(differences)
    testable = len(seeds) > 1 and sd > 0
    d_z = mean.value / sd if testable else math.nan
    better = differences if higher_is_better else -differences
    return Comparison(
        method=method,
        reference=reference,
        seeds=seeds,
        difference=mean,
        sd=sd,
        p_t=float(stats.ttest_1samp(differences, 0.0).pvalue) if testable else math.nan,
        p_holm=math.nan,
        family=0,
        p_wilcoxon=p_wilcoxon,
        p_floor=floor,
        d_z=d_z,
        g_z=d_z * hedges_factor(len(seeds) - 1),
        wins=int((better > 0).sum()),
        ties=int((better == 0).sum()),
        losses=int((better < 0).sum()),
    )


def _adjusted(comparisons: Iterable[Comparison]) -> list[Comparison]:
    raw = list(comparisons)
    adjusted = holm(c.p_t for c in raw)
    family = sum(not math.isnan(c.p_t) for c in raw)
    return [replace(c, p_holm=p, family=family) for c, p in zip(raw, adjusted, strict=True)]
