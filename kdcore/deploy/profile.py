"""What a network costs: numbers, multiplications, time by layer and memory.

Multiply-accumulates are half the operations that `torch.utils.flop_counter` counts: convolutions,
matrix products and attention. Additions, activations, norms and poolings are not among them, as
in published tables.
"""

from __future__ import annotations

import copy
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from kdcore.base import REPOSITORY, ExportError
from kdcore.base.errors import last_line
from kdcore.models import Classifier

_PEAK = Path(__file__).with_name("peak.py")


@dataclass(frozen=True)
class Layer:
    """One layer: its numbers, multiply-accumulates for one image, and median time of a batch."""

    name: str
    kind: str
    parameters: int
    macs: int
    output: tuple[int, ...]
    milliseconds: float


@dataclass(frozen=True)
class Profile:
    """What a network costs.

    Attributes
    ----------
    parameters : trainable numbers
    macs : multiply-accumulates for one image
    milliseconds : median of a whole pass, with the time that the hooks of the layers take
    layers : those without layers of their own, in the order they run
    batch, side : of the input (batch, 3, side, side)
    """

    parameters: int
    macs: int
    milliseconds: float
    layers: tuple[Layer, ...]
    batch: int
    side: int

    @property
    def elsewhere(self) -> float:
        """Milliseconds outside of layers: sums, reshapes, functions, hooks."""
        return self.milliseconds - sum(layer.milliseconds for layer in self.layers)


@dataclass(frozen=True)
class PeakMemory:
    """Of a fresh process, MB (10^6 bytes): at its peak, and before the network was opened."""

    peak: float
    before: float

    @property
    def own(self) -> float:
        """What opening and running the network took."""
        return self.peak - self.before


def count_macs(model: Classifier, side: int) -> int:
    """Return the multiply-accumulates for one image of `side` pixels."""
    return _macs_by_module(model, side)[""]


def profile_network(model: Classifier, side: int, batch: int = 1, repeats: int = 10) -> Profile:
    """Measure a network, on a copy: hooks on one that sessions share would disturb them.

    Parameters
    ----------
    model : what is measured, in eval mode
    side : of the square input, pixels
    batch : images in a pass
    repeats : passes that the medians are of, after one that warms up; 1 or more

    Raises
    ------
    ValueError
        If `batch` or `repeats` is less than 1.
    """
    if min(batch, repeats) < 1:
        raise ValueError(f"batch, repeats: expected 1 or more, got {batch}, {repeats}")
    network = copy.deepcopy(model).eval()
    macs = _macs_by_module(model, side)
    leaves = {n: m for n, m in network.named_modules() if n and not any(m.children())}
    watch = _Watch(leaves)
    inputs, passes = torch.zeros(batch, 3, side, side), []
    with torch.inference_mode():
        network(inputs)
        watch.times = {}
        for _ in range(repeats):
            start = time.perf_counter()
            network(inputs)
            passes.append(1e3 * (time.perf_counter() - start))
    layers = tuple(
        Layer(
            name=name,
            kind=type(leaves[name]).__name__,
            parameters=sum(p.numel() for p in leaves[name].parameters()),
            macs=macs.get(name, 0),
            output=watch.shapes[name],
            # A module that runs several times in a pass counts with all of them.
            milliseconds=statistics.median(times) * len(times) / repeats,
        )
        for name, times in watch.times.items()
    )
    parameters = sum(p.numel() for p in network.parameters())
    return Profile(parameters, macs[""], statistics.median(passes), layers, batch, side)


def peak_memory(
    form: str, path: Path, side: int, batch: int = 1, folded: bool = False
) -> PeakMemory:
    """Open and run a network in a process of its own, and return what memory that took.

    Parameters
    ----------
    form : one of `kdcore.deploy.FORMATS`, or "checkpoint"
    path : the exported file, or the checkpoint's folder
    side : of the square input, pixels
    batch : images in a pass
    folded : whether the file takes pixels

    Raises
    ------
    ExportError
        If the process fails; its last words are told.
    """
    command = [sys.executable, "-P", str(_PEAK), form, str(path), str(side), str(batch)]
    command.append("pixels" if folded else "images")
    paths = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": paths}
    )
    if done.returncode:
        raise ExportError(
            f"The memory of {Path(path).name} can't be measured: {last_line(done.stderr)}.",
            "Check the file, and that there is memory left.",
        )
    return PeakMemory(**json.loads(done.stdout.splitlines()[-1]))


def _macs_by_module(model: nn.Module, side: int) -> dict[str, int]:
    """Return multiply-accumulates for one image by the module's name; "" is the whole.

    They follow from shapes, so a copy without memory is asked: this costs no arithmetic.
    """
    network = copy.deepcopy(model).eval().to("meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, side, side, device="meta"))
    counts: dict[str, Any] = counter.get_flop_counts()
    root = type(network).__name__
    macs = {
        name.removeprefix(f"{root}."): sum(operations.values()) // 2
        for name, operations in counts.items()
        if name.startswith(f"{root}.")
    }
    return macs | {"": counter.get_total_flops() // 2}


class _Watch:
    """Times every call of the given modules."""

    def __init__(self, modules: dict[str, nn.Module]) -> None:
        self.times: dict[str, list[float]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._start = 0.0
        for name, module in modules.items():
            module.register_forward_pre_hook(self._begin)
            module.register_forward_hook(self._end(name))

    def _begin(self, module: nn.Module, inputs: Any) -> None:
        self._start = time.perf_counter()

    def _end(self, name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def end(module: nn.Module, inputs: Any, output: Tensor) -> None:
            spent = 1e3 * (time.perf_counter() - self._start)
            self.times.setdefault(name, []).append(spent)
            self.shapes[name] = tuple(output.shape)

        return end
