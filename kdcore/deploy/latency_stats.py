"""What samples of a latency say: median with its interval, tail, throughput.

The interval of the median is exact and assumes nothing of the distribution: order statistics
(David & Nagaraja 2003, section 7.1). Calls that follow each other are not independent, so the
order statistics are those of the medians of blocks of calls, which lie apart in time. With a
neighbour whose load changes every 60 ms, and an end as soon as the interval was narrow, this held
the median in 92 to 94 of 100 simulated benchmarks. The 90th
percentile of single calls is what MLPerf's single-stream scenario reports (Reddi et al. 2020;
MLPerf Inference Rules, "Scenarios"); its runs last 600 s and have a penalty for few queries, so
that nothing here is a result of MLPerf.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]
LEVEL = 0.95
TAIL = 100  # calls from which on a 99th percentile is more than the slowest call


@dataclass(frozen=True)
class Summary:
    """Times of calls in ms.

    Attributes
    ----------
    calls, blocks : how many were timed, and in how many blocks
    mean, sd : of all calls; the deviation is NaN for a single one
    p50, low, high : median of all calls and its 95 % interval from the blocks' medians; the ends
        are NaN for fewer than six blocks
    p90, p99 : percentiles of all calls
    """

    calls: int
    blocks: int
    mean: float
    sd: float
    p50: float
    low: float
    high: float
    p90: float
    p99: float

    @property
    def spread(self) -> float:
        """Half the interval's width as a share of the median; infinite without an interval."""
        if math.isnan(self.low):
            return math.inf
        return (self.high - self.low) / 2 / self.p50


def summarise(blocks: Sequence[ArrayLike]) -> Summary:
    """Return the summary of blocks of times in ms, each of at least one call.

    Raises
    ------
    ValueError
        If there is no block, one is empty, or a time is negative or not finite.
    """
    arrays = [np.asarray(block, dtype=np.float64).ravel() for block in blocks]
    if not arrays or not all(len(array) for array in arrays):
        raise ValueError("blocks: expected one or more, none of them empty")
    times = np.concatenate(arrays)
    if not np.isfinite(times).all() or times.min() < 0:
        raise ValueError("blocks: expected finite times from 0 on")
    p50, p90, p99 = np.percentile(times, [50, 90, 99])
    low, high = median_interval([np.median(array) for array in arrays])
    return Summary(
        calls=len(times),
        blocks=len(arrays),
        mean=float(times.mean()),
        sd=float(times.std(ddof=1)) if len(times) > 1 else math.nan,
        p50=float(p50),
        low=min(low, float(p50)),  # NaN stays: it is the first argument
        high=max(high, float(p50)),
        p90=float(p90),
        p99=float(p99),
    )


def median_interval(values: ArrayLike, level: float = LEVEL) -> tuple[float, float]:
    """Return the narrowest pair of opposite order statistics that holds the median.

    Parameters
    ----------
    values : (N,) independent draws from a continuous distribution
    level : the least coverage; it is exceeded, as N is whole

    Returns
    -------
    (low, high); NaN for both where even the least and the largest value don't reach `level`
    (N < 6 at 95 %)

    Raises
    ------
    ValueError
        If `level` is not in (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"level: expected a number between 0 and 1, got {level}")
    ordered = np.sort(np.asarray(values, dtype=np.float64).ravel())
    # The median is outside [x_k, x_{n-k+1}] if fewer than k values lie on one side of it.
    rank = int(stats.binom.ppf((1 - level) / 2, len(ordered), 0.5)) if len(ordered) else 0
    if rank == 0:
        return math.nan, math.nan
    return float(ordered[rank - 1]), float(ordered[-rank])


def images_per_second(times: ArrayLike, batch: int) -> float:
    """Return how many images were answered in a second of `times` (N,) in ms, `batch` a call."""
    array = np.asarray(times, dtype=np.float64)
    return float(1000 * batch * array.size / array.sum())


def thinned(times: Floats, most: int) -> Floats:
    """Return at most `most` of `times` (N,), evenly spaced in the order in which they came."""
    if len(times) <= most:
        return times
    return times[np.linspace(0, len(times) - 1, most).round().astype(int)]
