"""Empty maps: which they are, and what is said of them.

A map is empty that is the same everywhere: it shows no place. Most methods cut what is below zero,
so a map is empty, too, where nothing is above it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating[Any]]
_SIGNED = (
    "That is common with EfficientNets, whose channels are mostly below zero, and says nothing "
    "against the answer."
)


def empty_maps(heatmaps: Values) -> NDArray[np.bool_]:
    """Return which of maps (N, H, W) are empty, the same everywhere, (N,)."""
    return np.asarray(np.ptp(heatmaps.reshape(len(heatmaps), -1), axis=1) == 0)


def is_empty(heatmap: Values) -> bool:
    """Tell whether a map (H, W) is empty: the same everywhere."""
    return bool(empty_maps(heatmap[None])[0])


def why_empty(title: str, target: str | None) -> str:
    """Return what an empty map means and how it comes about, for people.

    `title` is the method's, `target` the class that was asked about; None where none was.
    """
    if target is None:
        return f"The map is empty: {title} is the same everywhere in the picture."
    words = (
        f"The map is empty: by {title} no place speaks for {target}. No value is above zero, and "
        "what is below is cut off."
    )
    return f"{words} {_SIGNED}" if title.startswith("Score-CAM") else words


def which_empty(teacher: bool, student: bool) -> str:
    """Return which maps of a pair are empty, in words; "" where neither is."""
    if teacher and student:
        return "both maps are empty"
    roles = [role for role, empty in (("teacher", teacher), ("student", student)) if empty]
    return f"the {roles[0]}'s map is empty" if roles else ""
