"""Bootstrap by lesion: images of one lesion are not independent, so lesions are drawn.

Davison & Hinkley 1997, section 3.8: whole clusters are drawn with replacement, as many as there
are, and an image counts as often as its lesion was drawn. Intervals are percentiles, but for
the ECE: a sum of absolute values exceeds the truth by its noise, and its resamples exceed it
again, so plain percentiles may leave out even the value itself. Its high end is that of the
resamples lowered by this excess, its low end by twice that, since the value has the excess too.
`benchmarks/ece_coverage.py` counts how often this holds the truth: an ECE close to 0 is below what
some thousand images resolve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.base import numpy_generator

Floats = NDArray[np.float64]
LEVEL = 0.95
SHIFTED = "a bias-shifted bootstrap interval"  # what the ends of an ECE are, and of a difference


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval; NaN where it is not defined."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float | None]:
        """Return `{"value", "low", "high"}`, with None for NaN (JSON has no NaN)."""
        fields = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if np.isnan(v) else float(v) for name, v in fields.items()}

    @staticmethod
    def from_dict(found: Mapping[str, float | None]) -> Interval:
        """Return what `as_dict` told; raises KeyError if an end is missing."""
        ends = (found[name] for name in ("value", "low", "high"))
        return Interval(*(np.nan if end is None else float(end) for end in ends))


UNDEFINED = Interval(np.nan, np.nan, np.nan)


def interval_words(n_boot: int, groups: int, seed: int, more: str = "") -> str:
    """Return how intervals were made, one sentence.

    Parameters
    ----------
    n_boot, groups, seed : resamples, lesions, and the seed of the draws
    more : follows it, with its own sign before it
    """
    if n_boot == 0 or groups < 2:
        return "none: an interval needs resamples and at least two lesions"
    return (
        f"95 % percentile bootstrap of {n_boot} resamples of {groups} lesions (seed {seed}){more}"
    )


def index_groups(group_ids: ArrayLike) -> tuple[NDArray[np.int64], int]:
    """Return the group of each image as (N,) integers in [0, G), and G."""
    names, index = np.unique(np.asarray(group_ids), return_inverse=True)
    return index.reshape(-1).astype(np.int64), len(names)


def sum_by_group(values: Floats, index: NDArray[np.int64], groups: int) -> Floats:
    """Return the sums of `values` (N, K) over the images of each group, (G, K)."""
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(groups))
    return np.add.reduceat(values[order], starts, axis=0)


def draw_groups(groups: int, n_boot: int, seed: int, chunk: int = 64) -> Iterator[Floats]:
    """Yield how often each of `groups` groups was drawn, (b, G), `n_boot` rows in all.

    A piece has b <= `chunk` rows, which bounds the memory. The same `seed` gives the same
    draws, whatever the chunk and whatever else is computed from them.
    """
    generator = numpy_generator(seed)
    for start in range(0, n_boot, chunk):
        rows = min(chunk, n_boot - start)
        drawn = generator.integers(0, groups, size=(rows, groups))
        flat = (drawn + np.arange(rows)[:, None] * groups).ravel()
        counts = np.bincount(flat, minlength=rows * groups)
        yield counts.reshape(rows, groups).astype(np.float64)


def resample(
    statistic: Callable[[Floats], Floats], group_ids: ArrayLike, n_boot: int, seed: int
) -> Floats:
    """Return `statistic` of each resample of the groups.

    Parameters
    ----------
    statistic : takes weights (N, b), how often each image occurs in each of b resamples, and
        returns (b, ...)
    group_ids : (N,) of the images
    n_boot : resamples
    seed : of the draws; with the same groups it gives the same resamples to every statistic, so
        that two of them may be subtracted resample by resample

    Returns
    -------
    (B, ...), B = `n_boot`; B = 0 where there is only one group, and so nothing to draw

    Raises
    ------
    ValueError
        If `n_boot` is negative.
    """
    index, groups = index_groups(group_ids)
    pieces = [statistic(np.empty((len(index), 0)))]
    for counts in _draw_of_several(groups, n_boot, seed):  # (b, G)
        pieces.append(statistic(np.ascontiguousarray(counts.T)[index]))
    return np.concatenate(pieces)


def resample_sums(sums: Floats, group_ids: ArrayLike, n_boot: int, seed: int) -> Floats:
    """Return the sums over all images of each resample, (B, K).

    Parameters
    ----------
    sums : (N, K), what is summed, by image
    group_ids : (N,) lesion ids
    n_boot : resamples, B of them; B is 0 where a single lesion leaves nothing to draw
    seed : of the draws

    Raises
    ------
    ValueError
        If `n_boot` is negative.
    """
    index, groups = index_groups(group_ids)
    by_group = sum_by_group(sums, index, groups)  # (G, K)
    # Products of few rows would spend their time waiting for the threads of the BLAS.
    drawn = _draw_of_several(groups, n_boot, seed, chunk=256)
    return np.concatenate([np.empty((0, sums.shape[1])), *(counts @ by_group for counts in drawn)])


def _draw_of_several(groups: int, n_boot: int, seed: int, chunk: int = 64) -> Iterator[Floats]:
    if n_boot < 0:
        raise ValueError(f"n_boot: expected 0 or more, got {n_boot}")
    return draw_groups(groups, n_boot if groups > 1 else 0, seed, chunk)


def percentile_interval(
    value: float, resamples: ArrayLike, excess: bool = False, level: float = LEVEL
) -> Interval:
    """Return `value` with the percentile interval of `resamples` (B,).

    Parameters
    ----------
    value : the statistic of the data itself
    resamples : the statistic of each resample; NaN where it is not defined is left out
    excess : the statistic exceeds the truth by construction, as the ECE does (see the module);
        the ends are lowered for it, not below 0
    level : coverage

    Returns
    -------
    The interval; its ends are NaN when the value or every resample is.
    """
    array = np.asarray(resamples, dtype=np.float64)
    array = array[~np.isnan(array)]
    if np.isnan(value) or not len(array):
        return Interval(float(value), float("nan"), float("nan"))
    low, high = np.quantile(array, [(1 - level) / 2, (1 + level) / 2])
    if excess:
        shift = max(array.mean() - value, 0.0)
        low, high = max(low - 2 * shift, 0.0), max(high - shift, 0.0)
    return Interval(float(value), float(low), float(high))


def difference_interval(value: float, resamples: ArrayLike, level: float = LEVEL) -> Interval:
    """Return `value`, a difference of two biased statistics, with an interval moved by its bias.

    Both exceed the truth as the ECE does (see the module), and their excesses cancel in part:
    what is left has either sign. The resamples exceed the value by it and the value the truth by
    about as much, so the end on the side of the bias is moved back by it once, the other twice.
    By `benchmarks/ece_coverage.py` it falls short where one of the models is calibrated perfectly.

    Parameters
    ----------
    value : the difference of the data itself
    resamples : (B,) that of each resample of the same lesions; NaN is left out
    level : coverage
    """
    plain = percentile_interval(value, resamples, level=level)
    if np.isnan(plain.low):
        return plain
    bias = float(np.nanmean(np.asarray(resamples, dtype=np.float64))) - value
    once, twice = bias, 2 * bias
    down, up = (twice, once) if bias > 0 else (once, twice)
    return Interval(plain.value, plain.low - down, plain.high - up)


def two_sided_p(resamples: ArrayLike) -> float:
    """Return p of a difference of 0 from its `resamples` (B,), by inverting their interval.

    Never below 2 / (B + 1); NaN is left out, and NaN where nothing is left.
    """
    array = np.asarray(resamples, dtype=np.float64)
    array = array[~np.isnan(array)]
    if not len(array):
        return float("nan")
    rarer = int(min((array <= 0).sum(), (array >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(array) + 1))


def mean_interval(
    values: ArrayLike, group_ids: ArrayLike, n_boot: int = 1000, seed: int = 0
) -> Interval:
    """Return the mean of `values` over images with its interval by lesion.

    Parameters
    ----------
    values : (N,); NaN is left out
    group_ids : (N,) lesion ids
    n_boot, seed : of the bootstrap

    Returns
    -------
    The mean; NaN where nothing is left, and without ends for a single lesion
    """
    array = np.asarray(values, dtype=np.float64)
    defined = ~np.isnan(array)
    if not defined.any():
        return Interval(float("nan"), float("nan"), float("nan"))
    pairs = np.stack([array[defined], np.ones(defined.sum())], axis=1)
    total, n = resample_sums(pairs, np.asarray(group_ids)[defined], n_boot, seed).T
    return percentile_interval(float(array[defined].mean()), total / n)
