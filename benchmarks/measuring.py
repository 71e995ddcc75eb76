"""What every benchmark tells beside its figures: how much repetitions differ."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence


def summary(figures: Mapping[str, Sequence[float]], aims: Mapping[str, float]) -> dict[str, object]:
    """Return medians under their names, and repetitions and spread under `spread`."""
    medians = {name: round(statistics.median(values), 3) for name, values in figures.items()}
    spread = {
        name: {
            "aim": aims[name],
            "repetitions": len(values),
            "min": round(min(values), 3),
            "max": round(max(values), 3),
            "first": round(values[0], 3),
            "values": [round(value, 3) for value in values],
        }
        for name, values in figures.items()
    }
    return {**medians, "spread": spread}
