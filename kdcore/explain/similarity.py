"""How alike two heatmaps are: rank correlation and structural similarity.

As Adebayo et al. 2018, section 3.2: Spearman's correlation of the pixels, and SSIM (Wang et al.
2004, section III: Gaussian window of deviation 1.5, data range 1), averaged over the windows that
lie wholly inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kdcore.explain.empty_map import is_empty
from kdcore.explain.map_agreement import WINDOW, Floats, spearman, ssim_by_cell
from kdcore.explain.maps import Heatmap


@dataclass(frozen=True)
class Similarity:
    """Spearman's correlation and SSIM of two maps, each in [-1, 1]; 1 for the same map twice."""

    spearman: float
    ssim: float


def similarity(first: Heatmap, second: Heatmap) -> Similarity:
    """Compare two maps (H, W) in [0, 1] on the same grid.

    An empty map has no order: its correlation is 1 with an empty map, 0 with any other.

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


def _spearman(a: Floats, b: Floats) -> float:
    empty = (is_empty(a), is_empty(b))
    return float(all(empty)) if any(empty) else float(spearman(a[None], b[None])[0])


def _ssim(a: Floats, b: Floats) -> float:
    edge = min(WINDOW // 2, (min(a.shape) - 1) // 2)
    index = ssim_by_cell(a[None], b[None])[0]
    return float(index[edge : a.shape[0] - edge, edge : a.shape[1] - edge].mean())
