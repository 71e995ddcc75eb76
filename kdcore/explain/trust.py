"""One map, checked: is it right about the network, and does it lie where the lesion is.

The metrics and their sources are in `faithfulness`, `sensitivity` and `localisation`, the
thresholds in `judge`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from kdcore.base.progress import CancelCheck, Progress, part_of
from kdcore.explain.baseline_maps import baseline_maps, random_map
from kdcore.explain.empty_map import is_empty
from kdcore.explain.faithfulness import STEPS, faithfulness
from kdcore.explain.judge import Trust, judge
from kdcore.explain.localisation import Localisation, localisation
from kdcore.explain.map_question import MapQuestion
from kdcore.explain.maps import Heatmap
from kdcore.explain.passes import check_image
from kdcore.explain.sensitivity import REPEATS, other_classes, randomisation, sensitivity

OTHERS = 3
_MORE_RANDOM = ("random 2", "random 3")  # one alone is beaten, or not, by chance
_FAITHFUL_COST = 8  # of the faithfulness test, in maps; only for the progress


def check_map(
    question: MapQuestion,
    heatmap: Heatmap,
    std: tuple[float, float, float],
    *,
    lesion: NDArray[np.bool_] | None = None,
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
    question : what the map answers; its method runs `repeats` + `others` + 1 times more, so give
        a slow one smaller numbers
    heatmap : the map (H, W) in [0, 1]
    std, progress, cancelled : as `sensitivity` has them
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
    maps = _beside(heatmap, check_image(question.tensor), std, seed)
    places = _places(maps, lesion, seed)
    costs = (_FAITHFUL_COST, repeats, 1, others if question.by_class else 0)
    report = [part_of(progress, sum(costs[:i]), costs[i], sum(costs)) for i in range(len(costs))]
    faithful = faithfulness(
        question.model, question.tensor, question.target, list(maps.values()),
        steps=steps, seed=seed, progress=report[0], cancelled=cancelled,
    )  # fmt: skip
    known: dict[str, Any] = {"heatmap": heatmap, "seed": seed, "cancelled": cancelled}
    steady = sensitivity(question, std=std, repeats=repeats, progress=report[1], **known)
    shuffled = randomisation(question, progress=report[2], **known)
    classes = None
    if question.by_class:
        classes = other_classes(question, count=others, progress=report[3], **known)
    found = (dict(zip(maps, faithful)), places, steady, shuffled, classes)
    return judge(*found, empty=is_empty(heatmap))


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
