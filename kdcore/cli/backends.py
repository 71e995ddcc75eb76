"""joblib's backends: processes or threads of this machine, or Ray's of a cluster.

All of them run the same call of `joblib.Parallel`; they differ in whose cores there are to share.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from kdcore.base import SettingError

BACKENDS = ("loky", "threading", "ray")


@dataclass(frozen=True)
class Backend:
    """A backend that joblib knows: its name, its own arguments, and how many at a time.

    `threads` is each one's share of the cores.
    """

    name: str
    processes: int
    threads: int
    arguments: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def started(
    name: str = "loky", processes: int = 1, threads: int | None = None, device: str = "cpu"
) -> Iterator[Backend]:
    """Make a backend ready for `processes` at a time.

    Parameters
    ----------
    name : one of `BACKENDS`. A Ray that was not running is started, or that of `RAY_ADDRESS`
        joined, and left afterwards
    processes : how many at a time
    threads : of each; None for its share of the cores
    device : what each works on; with "cuda" Ray gives it a share of a GPU

    Raises
    ------
    SettingError
        If Ray is asked for, and is not installed or has fewer CPUs than `processes`.
    """
    if name != "ray":
        share = max(1, torch.get_num_threads() // processes)
        yield Backend(name, processes, threads or share)
        return
    ray = _import_ray("ray")
    _import_ray("ray.util.joblib").register_ray()
    own = not ray.is_initialized()
    if own:
        ray.init()
    try:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        share = threads_for(processes, [int(node.get("CPU", 0)) for node in nodes])
        wanted: dict[str, float] = {"num_cpus": share}
        if device.startswith("cuda"):
            wanted["num_gpus"] = gpu_share(processes, sum(int(n.get("GPU", 0)) for n in nodes))
        yield Backend(name, processes, threads or share, {"ray_remote_args": wanted})
    finally:
        if own:
            ray.shutdown()


def threads_for(processes: int, cpus: Sequence[int]) -> int:
    """Return the most CPUs that each of `processes` can have on machines of so many `cpus`.

    Raises
    ------
    SettingError
        If there are fewer CPUs than processes.
    """
    if sum(cpus) < processes:
        raise SettingError(
            f"Ray has {sum(cpus)} CPUs, too few for {processes} members at a time.",
            "Lower --jobs, or name another cluster in RAY_ADDRESS.",
        )
    return max(n for n in range(1, max(cpus) + 1) if sum(c // n for c in cpus) >= processes)


def gpu_share(processes: int, gpus: int) -> float:
    """Return the share of a GPU that each of `processes` gets, 1 where there are enough.

    Raises
    ------
    SettingError
        If there is no GPU.
    """
    if not gpus:
        raise SettingError("Ray has no GPU.", "Choose --device cpu, or another cluster.")
    return 1 / math.ceil(processes / gpus)


def _import_ray(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SettingError(
            "The backend ray was asked for, and Ray is not installed.",
            "Install it by `pip install ray`, or leave out --backend.",
        ) from error
