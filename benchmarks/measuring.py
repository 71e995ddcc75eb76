"""What every benchmark tells beside its figures: the machine, and how much repetitions differ."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path


def machine(packages: Iterable[str]) -> dict[str, object]:
    """Return what the figures depend on: processor, cores, load, priority, versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average_1min_before": round(os.getloadavg()[0], 2),
        "nice": os.nice(0),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS", "not set"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
    }


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
