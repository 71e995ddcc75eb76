"""Whether the map lies on the lesion: pointing game, energy, rank accuracy and overlap with a mask.

Pointing game: Zhang et al. 2018 (excitation backprop), section 4.1, a hit within 3 % of the side
(their 15 pixels on pictures of about 500); energy: Wang et al. 2020 (Score-CAM), section 4.3;
relevance rank accuracy: Arras et al. 2022, section 3.2. Beside each stands what a map with no
knowledge of the picture is expected to get, since on a large lesion anything scores well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.special import gammaln

from kdcore.explain.maps import Heatmap, check_heatmap, pixel_ranks

TOLERANCE = 0.03
TOP = 0.2


@dataclass(frozen=True)
class Localisation:
    """How one map lies on one lesion, and what pixels in random order are expected to reach.

    Attributes
    ----------
    area : share of the picture that is lesion; the expected energy and rank accuracy
    pointing : whether the most relevant pixel lies on the lesion or within the tolerance of it
    expected_pointing : share of the picture that counts as a hit
    energy : share of the map's sum that lies on the lesion
    rank_accuracy : share of the top pixels, as many as the lesion has, that lie on the lesion
    iou : intersection over union of the lesion and the top pixels, as many as it has
    expected_iou : of as many pixels in random order
    iou_top : the same of the top fraction `top` of the picture
    expected_iou_top : of as many pixels in random order
    top : that fraction
    """

    area: float
    pointing: bool
    expected_pointing: float
    energy: float
    rank_accuracy: float
    iou: float
    expected_iou: float
    iou_top: float
    expected_iou_top: float
    top: float


def localisation(
    heatmaps: Sequence[Heatmap],
    lesion: NDArray[np.bool_],
    tolerance: float = TOLERANCE,
    top: float = TOP,
    seed: int = 0,
) -> tuple[Localisation, ...]:
    """Measure M maps of one picture against its lesion.

    Parameters
    ----------
    heatmaps : M maps (H, W) in [0, 1]; one of only zeros says nothing of where, and its energy
        is that of a uniform map
    lesion : (H, W) bool, True inside, with a pixel in it; see `lesion_mask`
    tolerance : distance from the lesion that still is a hit, in shorter sides, ≥ 0
    top : fraction of the picture for `iou_top`, in (0, 1]; at least one pixel
    seed : of the order of tied pixels

    Returns
    -------
    M results, in the order of `heatmaps`

    Raises
    ------
    ValueError
        If an argument is out of its domain; an empty lesion is.
    """
    if lesion.ndim != 2 or lesion.dtype != np.bool_ or not lesion.any():
        raise ValueError(
            "lesion: expected bool (H, W) with a pixel inside, got "
            f"{lesion.dtype} {lesion.shape} with {int((lesion != 0).sum())} inside"
        )
    if tolerance < 0 or not 0 < top <= 1:
        raise ValueError(
            f"tolerance, top: expected >= 0 and a fraction in (0, 1], got {tolerance} and {top}"
        )
    maps = [check_heatmap(h, lesion.shape) for h in heatmaps]
    near = distance_transform_edt(~lesion) <= tolerance * min(lesion.shape)
    inside, total = int(lesion.sum()), lesion.size
    count = max(1, round(top * total))
    expected = (_expected_iou(total, inside, inside), _expected_iou(total, inside, count))
    return tuple(_one(m, lesion, near, count, expected, top, seed) for m in maps)


def _one(
    heatmap: Heatmap,
    lesion: NDArray[np.bool_],
    near: NDArray[np.bool_],
    count: int,
    expected: tuple[float, float],
    top: float,
    seed: int,
) -> Localisation:
    ranks = pixel_ranks(heatmap, seed)
    inside = int(lesion.sum())
    equal = ranks < inside
    values = np.maximum(heatmap.astype(np.float64), 0)
    energy = values[lesion].sum() / values.sum() if values.any() else lesion.mean()
    return Localisation(
        area=float(lesion.mean()),
        pointing=bool(near[ranks == 0][0]),
        expected_pointing=float(near.mean()),
        energy=float(energy),
        rank_accuracy=float(lesion[equal].mean()),
        iou=_iou(equal, lesion),
        expected_iou=expected[0],
        iou_top=_iou(ranks < count, lesion),
        expected_iou_top=expected[1],
        top=top,
    )


def _iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / (a | b).sum())


def _expected_iou(total: int, inside: int, count: int) -> float:
    """Return the mean overlap of `count` of `total` pixels drawn at random with `inside` ones.

    The hypergeometric distribution by logarithms: SciPy's own takes a hundred times as long.
    """
    common = np.arange(max(0, inside + count - total), min(inside, count) + 1)
    ways = _log_ways(inside, common) + _log_ways(total - inside, count - common)
    weights = np.exp(ways - _log_ways(total, np.array(count)))
    return float((weights * common / (inside + count - common)).sum())


def _log_ways(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the logarithm of the number of ways to choose k (...) of n."""
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
