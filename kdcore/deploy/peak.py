"""Run as a program: open a network, run it, print the process's memory before and at its peak.

Each format imports its own runtime only, as a device would. Started by `profile.peak_memory`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

_RUNS = 3


def main(form: str, path: str, side: str, batch: str, takes: str) -> None:
    """Print {"before", "peak"} in MB (10^6 bytes) for a network of a `form`.

    `path` is its file or folder; the input is `batch` images of `side` pixels, as float "images"
    or as "pixels", which is what it `takes`.
    """
    n, s = int(batch), int(side)
    pixels = takes == "pixels"
    inputs = np.zeros((n, s, s, 3), np.uint8) if pixels else np.zeros((n, 3, s, s), np.float32)
    opener = {"onnx": _onnx, "checkpoint": _checkpoint}.get(form, _torch)
    open_network = opener(form, Path(path))
    before = memory("VmRSS")
    run = open_network()
    for _ in range(_RUNS):
        run(inputs)
    print(json.dumps({"before": before, "peak": memory("VmHWM")}))


def memory(field: str) -> float:
    """Return a field of this process's memory (Linux), MB: VmRSS is now, VmHWM the peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("this system does not tell a process's memory")


# Each imports what it needs, and returns what opens the network, and that what runs it.
def _onnx(form: str, path: Path) -> Callable[[], Callable[..., Any]]:
    import onnxruntime

    def open_network() -> Callable[..., Any]:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda inputs: session.run(None, {name: inputs})

    return open_network


def _torch(form: str, path: Path) -> Callable[[], Callable[..., Any]]:
    import torch

    def open_network() -> Callable[..., Any]:
        read = torch.jit.load if form == "torchscript" else _program
        return _on_tensors(read(str(path)))

    return open_network


def _program(path: str) -> Any:
    import torch

    return torch.export.load(path).module()


def _checkpoint(form: str, path: Path) -> Callable[[], Callable[..., Any]]:
    from kdcore.models import load_checkpoint

    return lambda: _on_tensors(load_checkpoint(path).model)


def _on_tensors(network: Callable[..., Any]) -> Callable[..., Any]:
    import torch

    def run(inputs: np.ndarray) -> None:
        with torch.inference_mode():
            network(torch.from_numpy(inputs))

    return run


if __name__ == "__main__":
    main(*sys.argv[1:])
