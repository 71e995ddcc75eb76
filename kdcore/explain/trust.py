"""One map, checked: is it right about the network, and does it lie where the lesion is.

The metrics and their sources are in `faithfulness`, `sensitivity` and `localisation`, the
thresholds in `judge`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from kdcore.explain.baseline_maps import baseline_maps, random_map
from kdcore.explain.faithfulness import BATCH_SIZE, STEPS, faithfulness
from kdcore.explain.judge import Trust, judge
from kdcore.explain.localisation import Localisation, localisation
from kdcore.explain.maps import Heatmap
from kdcore.explain.methods import METHODS
from kdcore.explain.sensitivity import (
    RADIUS,
    REPEATS,
    Explainer,
    other_classes,
    randomisation,
    sensitivity,
)
from kdcore.explain.taps import CancelCheck, Progress, check_image
from kdcore.models import Classifier

OTHERS = 3
_MORE_RANDOM = ("random 2", "random 3")  # one alone is beaten, or not, by chance
_FAITHFUL_COST = 8  # of the faithfulness test, in maps; only for the progress


def check_map(
    model: Classifier,
    tensor: Tensor,
    target: int,
    heatmap: Heatmap,
    method: str | Explainer,
    std: tuple[float, float, float],
    lesion: NDArray[np.bool_] | None = None,
    stage: int = -1,
    steps: int = STEPS,
    repeats: int = REPEATS,
    others: int = OTHERS,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> Trust:
    """Check one map of one picture against maps that never saw the network.

    Parameters
    ----------
    model, tensor, target, stage, progress, cancelled : as `sensitivity` has them
    heatmap : (H, W) in [0, 1]
    method : that made it, a name in `METHODS` or a callable as `explainer` takes it; it runs
        `repeats` + `others` + 1 times more, so give a slow one smaller numbers
    std : deviations that `tensor` was normalised with, RGB on [0, 1]
    lesion : (H, W) bool, True inside, or None; an empty one counts as None
    steps : of insertion and deletion
    repeats : pictures with noise
    others : classes to compare with
    seed : of everything drawn

    Raises
    ------
    ValueError
        If an argument is out of its domain.
    Cancelled
        If `cancelled` returned true.
    """
    image, maps = check_image(tensor), _beside(heatmap, tensor, std, seed)
    places = _places(maps, lesion, seed)
    by_class = not isinstance(method, str) or METHODS.get(method).uses_target
    costs = (_FAITHFUL_COST, repeats, 1, others if by_class else 0)
    report = [_part(progress, sum(costs[:i]), costs[i], sum(costs)) for i in range(len(costs))]
    about = (model, image, target, method)
    order = (list(maps.values()), steps, BATCH_SIZE, seed)
    faithful = faithfulness(model, image, target, *order, report[0], cancelled)
    steady = sensitivity(*about, std, heatmap, stage, RADIUS, repeats, seed, report[1], cancelled)
    shuffled = randomisation(*about, heatmap, stage, seed, report[2], cancelled)
    classes = None
    if by_class:
        classes = other_classes(*about, heatmap, stage, others, seed, report[3], cancelled)
    return judge(dict(zip(maps, faithful)), places, steady, shuffled, classes)


def _beside(
    heatmap: Heatmap, tensor: Tensor, std: tuple[float, float, float], seed: int
) -> dict[str, Heatmap]:
    """Return the map under "map", and those that it is compared with."""
    size = (tensor.shape[-2], tensor.shape[-1])
    more = {name: random_map(size, seed + n) for n, name in enumerate(_MORE_RANDOM, 1)}
    return {"map": heatmap, **baseline_maps(tensor, std, seed), **more}


def _places(
    maps: Mapping[str, Heatmap], lesion: NDArray[np.bool_] | None, seed: int
) -> dict[str, Localisation]:
    if lesion is None or not lesion.any():
        return {}
    return dict(zip(maps, localisation(list(maps.values()), lesion, seed=seed)))


def _part(progress: Progress | None, start: int, share: int, total: int) -> Progress | None:
    """Return a progress of its own for the `share` of `total` units that begins at `start`."""
    if progress is None:
        return None
    report = progress
    return lambda done, of: report(start + share * done // of, total)
