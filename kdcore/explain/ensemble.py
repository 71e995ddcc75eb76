"""Explaining an ensemble: the mean of what its members explain, each scaled to [0, 1] by itself.

Joined channels would not be a mean: Score-CAM's softmax over all of them goes to the member with
the largest logits, and the sum of squares to the one with the largest activations. A member whose
map is empty is left out of the mean.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from kdcore.base.progress import Progress, part_of
from kdcore.explain.attention import attention_grids
from kdcore.explain.empty_map import is_empty
from kdcore.explain.maps import Heatmap, upsample
from kdcore.models import Classifier, Ensemble

CONVENTION = "of an ensemble, the mean of its members' maps, empty ones left out"
_SHARE = 1000  # progress units of each member


def members(model: Classifier) -> tuple[Classifier, ...]:
    """Return the networks that are explained: an ensemble's members, else the model itself."""
    if isinstance(model, Ensemble):
        return tuple(part for m in model.members for part in members(m))  # type: ignore[arg-type]
    return (model,)


def mean_map(
    model: Classifier,
    compute: Callable[[Classifier, Progress | None], Heatmap],
    progress: Progress | None,
) -> Heatmap:
    """Return the mean (H, W) of `compute(member, progress)` over the members of `model`.

    Members whose map is empty are left out; if all are, so is the mean. With one network the
    progress is its own; with more each has an equal share of the whole.
    """
    networks = members(model)
    if len(networks) == 1:
        return compute(networks[0], progress)
    maps = [
        compute(network, part_of(progress, _SHARE * index, _SHARE, _SHARE * len(networks)))
        for index, network in enumerate(networks)
    ]
    return mean_of(maps)


def mean_of(maps: list[Heatmap]) -> Heatmap:
    """Return the mean (H, W) of maps of one shape without the empty ones; of only such, empty.

    An empty map adds no place, but would bring the others' maximum down.
    """
    shown = [heatmap for heatmap in maps if not is_empty(heatmap)]
    return np.mean(shown or maps, axis=0, dtype=np.float32)


def mean_attention_grids(model: Classifier, tensor: Tensor) -> tuple[Heatmap, ...]:
    """Return every stage's attention (h, w) in [0, 1], a mean over members on the finest grid.

    `tensor` (1, 3, H, W) is normalised; of one network this is `attention_grids`.
    """
    networks = members(model)
    if len(networks) == 1:
        return attention_grids(networks[0], tensor)
    return tuple(_mean(stage) for stage in zip(*(attention_grids(m, tensor) for m in networks)))


def _mean(grids: tuple[Heatmap, ...]) -> Heatmap:
    finest: tuple[int, int] = max((g.shape for g in grids), key=lambda s: s[0] * s[1])
    return mean_of([upsample(g, finest) for g in grids])
