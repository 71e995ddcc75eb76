"""How much of a map lies on the lesion, beside what maps that know nothing would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdcore.explain.baseline_maps import centre_map
from kdcore.explain.localisation import localisation
from kdcore.explain.maps import Heatmap


@dataclass(frozen=True)
class LesionShare:
    """Shares of a map's sum, in [0, 1].

    Attributes
    ----------
    inside : of the map, on the lesion
    centre : the same of a blob in the middle of the picture
    area : the same of an even map, which is the lesion's share of the picture
    """

    inside: float
    centre: float
    area: float

    @property
    def outside(self) -> float:
        """Share of the map's sum that is not on the lesion."""
        return 1 - self.inside


def lesion_share(heatmap: Heatmap, lesion: NDArray[np.bool_]) -> LesionShare | None:
    """Return how much of a map (H, W) in [0, 1] lies on a lesion (H, W) bool.

    None where none of the lesion is in the picture. A map of only zeros counts as even.
    """
    if not lesion.any():
        return None
    own, centre = localisation([heatmap, centre_map((lesion.shape[0], lesion.shape[1]))], lesion)
    return LesionShare(own.energy, centre.energy, own.area)
