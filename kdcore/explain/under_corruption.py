"""Whether a model still looks at the same place when the picture gets worse.

The map of a corrupted picture is correlated with the map of the clean one (Pearson, on the input's
grid), both for the answer that the model gave to the clean picture. Source of the question:
Hendrycks & Dietterich 2019 ask it of answers; of maps we know no published protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kdcore.base.progress import Progress
from kdcore.data.corruptions import Stack, corrupt, reference_square
from kdcore.explain.explain_pair import Explanation, explain_one
from kdcore.explain.map_agreement import agreement
from kdcore.models import Checkpoint


@dataclass(frozen=True)
class MapPair:
    """One model's explanations before and after, for its answer before; r is NaN if one is flat."""

    before: Explanation
    after: Explanation
    correlation: float


def maps_of(
    checkpoint: Checkpoint,
    clean: Image.Image,
    spoilt: Image.Image,
    method: str,
    before: Explanation | None = None,
) -> MapPair:
    """Return a model's maps of two pictures for its answer to the first, and Pearson's r of them.

    Parameters
    ----------
    checkpoint : whose maps
    clean, spoilt : RGB of one size
    method : a name in `METHODS`
    before : the explanation of `clean`, where it is known already
    """
    before = before or explain_one(checkpoint, clean, method, image_sha256="")
    after = explain_one(checkpoint, spoilt, method, target=before.target, image_sha256="")
    return MapPair(before, after, agreement(before.heatmap, after.heatmap))


def map_stability(
    checkpoint: Checkpoint,
    pictures: Sequence[tuple[Image.Image, int]],
    stacks: Sequence[Stack],
    method: str = "grad-cam",
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """Return the correlation of each picture's map with its clean self under each corruption.

    Parameters
    ----------
    checkpoint : whose maps
    pictures : RGB and the seed of its corruptions, as `image_seed` gives it
    stacks : corruptions, each a tuple of steps; the empty one is the clean picture
    method : a name in `METHODS`
    progress : called with (done, total) after each picture

    Returns
    -------
    (N, K), pictures by corruptions, in [-1, 1]; NaN where a map is constant
    """
    found = np.empty((len(pictures), len(stacks)))
    for row, (picture, seed) in enumerate(pictures):
        square, before = reference_square(picture), None
        for column, stack in enumerate(stacks):
            spoilt = corrupt(square, stack, seed)
            pair = maps_of(checkpoint, square, spoilt, method, before)
            before, found[row, column] = pair.before, pair.correlation
        if progress:
            progress(row + 1, len(pictures))
    return found
