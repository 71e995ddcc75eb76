"""How alike two heatmaps are: Pearson, Spearman, cosine, SSIM, overlap of the strongest cells.

Sources: Wang et al. 2004 (SSIM, with its Gaussian window of 11 cells and deviation 1.5, the mean
over windows that lie wholly inside the map); Bylinskii et al. 2019 ask which of such measures to
trust and find none that is enough by itself. Deviations: the overlap counts no cell at the map's
own minimum, so that two maps that are zero almost everywhere do not agree for their zeros; an
empty map has no place that is looked at, and every measure but SSIM is NaN for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

from kdcore.explain.causal_mask import top_fraction
from kdcore.explain.empty_map import empty_maps
from kdcore.explain.maps import Heatmap, upsample_all

Floats = NDArray[np.float64]
TOP = 0.2  # share of the cells that `iou` compares
WINDOW = 11  # cells a side of SSIM's
_SIGMA = 1.5
_C1, _C2 = 0.01**2, 0.03**2  # of Wang et al., for values on [0, 1]


def map_agreement(first: Heatmap, second: Heatmap) -> dict[str, Floats]:
    """Return every measure of `MEASURES` for N pairs of heatmaps, (N,) each.

    Parameters
    ----------
    first, second : (N, H, W) and (N, h, w) in [0, 1], of the same squares of the same images; the
        coarser ones are brought to the grid of the finer, of at least 11 x 11 cells

    Returns
    -------
    (N,) by measure: higher is more alike, 1 is the same; NaN where it is not defined

    Raises
    ------
    ValueError
        If shapes or values are others.
    """
    one, other = same_grid(first, second)
    return {name: measure(one, other) for name, measure in MEASURES.items()}


def agreement(teacher: Heatmap, student: Heatmap) -> float:
    """Return Pearson's correlation of two heatmaps on the finer grid; NaN if one is empty."""
    one, other = same_grid(teacher[None], student[None])
    return float(pearson(one, other)[0])


def agreements(teacher: Heatmap, student: Heatmap) -> dict[str, float]:
    """Return every measure of `MEASURES` for two heatmaps (H, W) and (h, w), by name."""
    found = map_agreement(teacher[None], student[None])
    return {measure: float(values[0]) for measure, values in found.items()}


def same_grid(first: Heatmap, second: Heatmap) -> tuple[Floats, Floats]:
    """Return heatmaps (N, H, W) and (N, h, w), both on the finer of the two grids.

    Raises
    ------
    ValueError
        If they are not equally many maps, at least one, or a value is outside [0, 1].
    """
    for name, maps in (("first", first), ("second", second)):
        if maps.ndim != 3 or len(maps) != len(first) or not maps.size:
            raise ValueError(f"{name}: expected shape ({len(first)}, H, W), got {maps.shape}")
        if not (maps.min() >= -1e-6 and maps.max() <= 1 + 1e-6):
            raise ValueError(f"{name}: expected values in [0, 1]")
    size = max(first.shape[1:], second.shape[1:], key=lambda s: s[0] * s[1])
    one, other = (m if m.shape[1:] == size else upsample_all(m, size) for m in (first, second))
    return one.astype(np.float64), other.astype(np.float64)


def pearson(first: Floats, second: Floats) -> Floats:
    """Return the correlation of each pair of maps (N, H, W), (N,) in [-1, 1]."""
    one, other = (_centred(m.reshape(len(m), -1)) for m in (first, second))
    return _cosine(one, other, _varied(first, second))


def spearman(first: Floats, second: Floats) -> Floats:
    """Return the rank correlation of each pair of maps (N, H, W), (N,); equals share a rank."""
    ranks = (rankdata(m.reshape(len(m), -1), axis=1) for m in (first, second))
    one, other = (_centred(r) for r in ranks)
    return _cosine(one, other, _varied(first, second))


def cosine(first: Floats, second: Floats) -> Floats:
    """Return the cosine of each pair of maps (N, H, W) as vectors, (N,) in [0, 1]."""
    one, other = (m.reshape(len(m), -1) for m in (first, second))
    return _cosine(one, other, _varied(first, second))


def ssim(first: Floats, second: Floats) -> Floats:
    """Return the structural similarity of each pair of maps (N, H, W), (N,) in [-1, 1].

    Raises
    ------
    ValueError
        If a side has fewer than 11 cells.
    """
    if min(first.shape[1:]) < WINDOW:
        raise ValueError(f"first, second: expected sides of {WINDOW} or more, got {first.shape}")
    edge = WINDOW // 2  # a window closer to the edge would reach over it
    return np.asarray(ssim_by_cell(first, second)[:, edge:-edge, edge:-edge].mean((1, 2)))


def ssim_by_cell(first: Floats, second: Floats) -> Floats:
    """Return the similarity in the window around each cell of maps (N, H, W), (N, H, W)."""
    mean_1, mean_2 = _blur(first), _blur(second)
    variance_1 = _blur(first * first) - mean_1**2
    variance_2 = _blur(second * second) - mean_2**2
    covariance = _blur(first * second) - mean_1 * mean_2
    luminance = (2 * mean_1 * mean_2 + _C1) / (mean_1**2 + mean_2**2 + _C1)
    structure = (2 * covariance + _C2) / (variance_1 + variance_2 + _C2)
    return np.asarray(luminance * structure)


def iou(first: Floats, second: Floats) -> Floats:
    """Return the overlap of each pair's top 20 % of cells (N, H, W), (N,) in [0, 1].

    Intersection over union; ties go to the earlier cell in reading order.
    """
    regions = [np.stack([_top(m) for m in maps]) for maps in (first, second)]
    both = (regions[0] & regions[1]).sum((1, 2))
    either = (regions[0] | regions[1]).sum((1, 2))
    return np.where(_varied(first, second), both / np.maximum(either, 1), np.nan)


MEASURES: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "pearson": pearson,
    "spearman": spearman,
    "cosine": cosine,
    "ssim": ssim,
    "iou": iou,
}


def _varied(first: Floats, second: Floats) -> NDArray[np.bool_]:
    """Return which pairs have two maps that are not empty, (N,)."""
    return np.asarray(~(empty_maps(first) | empty_maps(second)))


def _centred(rows: Floats) -> Floats:
    return np.asarray(rows - rows.mean(1, keepdims=True))


def _cosine(first: Floats, second: Floats, defined: NDArray[np.bool_]) -> Floats:
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    found = (first * second).sum(1) / np.where(defined, lengths, 1.0)
    return np.where(defined, np.clip(found, -1, 1), np.nan)


def _blur(maps: Floats) -> Floats:
    radius = WINDOW // 2
    return np.asarray(gaussian_filter(maps, (0, _SIGMA, _SIGMA), radius=(0, radius, radius)))


def _top(values: Floats) -> NDArray[np.bool_]:
    return top_fraction(values.astype(np.float32), TOP) & (values > values.min())
