"""How alike two heatmaps are: rank correlation and structural similarity.

As Adebayo et al. 2018, section 3.2: Spearman's correlation of the pixels, and SSIM (Wang et al.
2004, section III: Gaussian window of deviation 1.5, data range 1), averaged over the windows that
lie wholly inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

from kdcore.explain.maps import Heatmap

_SIGMA, _RADIUS = 1.5, 5  # of the window, pixels
_C1, _C2 = 0.01**2, 0.03**2


@dataclass(frozen=True)
class Similarity:
    """Spearman's correlation and SSIM of two maps, each in [-1, 1]; 1 for the same map twice."""

    spearman: float
    ssim: float


def similarity(first: Heatmap, second: Heatmap) -> Similarity:
    """Compare two maps (H, W) in [0, 1] on the same grid.

    A constant map has no order: its correlation is 1 with a constant map, 0 with any other.

    Raises
    ------
    ValueError
        If their shapes differ.
    """
    if first.ndim != 2 or first.shape != second.shape:
        raise ValueError(
            f"first, second: expected the same shape (H, W), got {first.shape} and {second.shape}"
        )
    a, b = first.astype(np.float64), second.astype(np.float64)
    return Similarity(_spearman(a, b), _ssim(a, b))


def _spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    constant = (np.ptp(a) == 0, np.ptp(b) == 0)
    if any(constant):
        return float(all(constant))
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def _ssim(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return gaussian_filter(values, _SIGMA, radius=_RADIUS)

    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    index = (2 * ma * mb + _C1) * (2 * cov + _C2) / ((ma**2 + mb**2 + _C1) * (va + vb + _C2))
    edge = min(_RADIUS, (min(a.shape) - 1) // 2)
    return float(index[edge : a.shape[0] - edge, edge : a.shape[1] - edge].mean())
