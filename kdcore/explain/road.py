"""ROAD: what the target's probability becomes when the most relevant pixels are filled in.

Rong et al. 2022, section 4 and appendix B: removed pixels become the weighted mean of their eight
neighbours (1/6 beside, 1/12 across), known or themselves removed, which is one sparse linear
system a picture; then a little noise. Unlike a flat colour that leaves no visible shape of what
was removed, which the network could read. The paper counts right answers over a data set; here
the target's probability is kept, so that a single picture has a curve, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu
from torch import Tensor

from kdcore.base import numpy_generator
from kdcore.base.progress import Progress
from kdcore.explain.maps import Heatmap, check_heatmap, pixel_ranks
from kdcore.explain.passes import check_image, target_probs
from kdcore.models import Classifier

FRACTIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
NOISE = 0.01  # deviation, in units of the normalised picture, as in the authors' code
_BESIDE, _ACROSS = 1 / 6, 1 / 12
_NEIGHBOURS = tuple(
    (down, right, _ACROSS if down and right else _BESIDE)
    for down in (-1, 0, 1)
    for right in (-1, 0, 1)
    if down or right
)


@dataclass(frozen=True)
class Road:
    """The target's probability with the most relevant pixels filled in.

    Attributes
    ----------
    fractions : (F,) share of the pixels removed
    probs : (F,) probability of the target at each
    probability : of the target, picture untouched
    """

    fractions: NDArray[np.float64]
    probs: NDArray[np.float64]
    probability: float

    @property
    def score(self) -> float:
        """Mean probability over the fractions, in [0, 1]; lower is better."""
        return float(self.probs.mean())


def road(
    model: Classifier,
    tensor: Tensor,
    target: int,
    heatmaps: Sequence[Heatmap],
    *,
    fractions: Sequence[float] = FRACTIONS,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Road, ...]:
    """Remove the most relevant pixels of M maps of one picture, the fractions of each in a batch.

    Solving takes longer than a small network: about 0.5 s a map at 144 pixels, nine fractions.

    Parameters
    ----------
    model : any `Classifier`; unchanged afterwards
    tensor : (1, 3, H, W), normalised
    target : class index
    heatmaps : M maps (H, W) in [0, 1]
    fractions : F shares of the pixels to remove, each in (0, 1)
    seed : of the noise and of the order of tied pixels
    progress : called with (done, total) maps

    Returns
    -------
    M results, in the order of `heatmaps`

    Raises
    ------
    ValueError
        If an argument is out of its domain.
    """
    if not fractions or not all(0 < f < 1 for f in fractions):
        raise ValueError(f"fractions: expected one or more in (0, 1), got {tuple(fractions)}")
    image = check_image(tensor)
    maps = [check_heatmap(h, (image.shape[-2], image.shape[-1])) for h in heatmaps]
    whole = float(target_probs(model, image, target)[0])
    found = []
    for done, heatmap in enumerate(maps, 1):
        ranks = pixel_ranks(heatmap, seed)
        filled = []
        for fraction in fractions:
            removed = ranks < min(max(1, round(fraction * ranks.size)), ranks.size - 1)
            filled.append(fill(image, removed, seed=seed))
        probs = target_probs(model, torch.cat(filled), target)
        found.append(Road(np.array(fractions, dtype=np.float64), probs, whole))
        if progress is not None:
            progress(done, len(maps))
    return tuple(found)


def fill(image: Tensor, removed: NDArray[np.bool_], noise: float = NOISE, seed: int = 0) -> Tensor:
    """Return the picture (1, 3, H, W) with `removed` (H, W) filled in from what is left.

    Parameters
    ----------
    image : (1, 3, H, W), normalised
    removed : (H, W) bool, not True everywhere
    noise : deviation of the noise on filled pixels
    seed : of the noise

    Raises
    ------
    ValueError
        If nothing is left to fill in from.
    """
    if removed.all():
        raise ValueError("removed: expected a pixel that is left, got none")
    pixels = image[0].cpu().numpy().astype(np.float64)  # (3, H, W)
    if removed.any():
        values = _solve(pixels, removed)  # (N, 3)
        values = values + noise * numpy_generator(seed).standard_normal(values.shape)
        pixels[:, removed] = values.T
    return torch.from_numpy(pixels.astype(np.float32))[None].to(image.device)


def _solve(pixels: NDArray[np.float64], removed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what the N removed pixels become, (N, 3).

    Each equation says: a pixel times the sum of its neighbours' weights is their weighted sum.
    Neighbours beyond the border count neither here nor there.
    """
    count = int(removed.sum())
    number = np.full(removed.shape, -1)
    number[removed] = np.arange(count)
    rows, columns = np.nonzero(removed)
    diagonal, right = np.zeros(count), np.zeros((count, len(pixels)))
    entries: list[tuple[NDArray[np.int64], NDArray[np.int64], float]] = []
    for down, across, weight in _NEIGHBOURS:
        y, x = rows + down, columns + across
        inside = np.flatnonzero(
            (y >= 0) & (x >= 0) & (y < removed.shape[0]) & (x < removed.shape[1])
        )
        diagonal[inside] += weight
        y, x = y[inside], x[inside]
        unknown = removed[y, x]
        entries.append((inside[unknown], number[y[unknown], x[unknown]], -weight))
        right[inside[~unknown]] += weight * pixels[:, y[~unknown], x[~unknown]].T
    own = np.arange(count)
    row = np.concatenate([own, *(e[0] for e in entries)])
    column = np.concatenate([own, *(e[1] for e in entries)])
    value = np.concatenate([diagonal, *(np.full(len(e[0]), e[2]) for e in entries)])
    system = csc_matrix((value, (row, column)), shape=(count, count))
    # Symmetric and positive definite, so it needs no pivots; looking for them can take 40 times
    # as long where single pixels are removed.
    factors = splu(
        system,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    return factors.solve(right)
