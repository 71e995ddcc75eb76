"""The engines of a latency benchmark: each opens a checkpoint as images in, logits out.

What an engine needs exported is made once and kept in the state folder, under the hash of the
weights. INT8 is calibrated on drawn lesions: its answers are not used, and its times are the same.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from kdcore import __version__
from kdcore.base import ExportError, state_folder, write_bytes
from kdcore.deploy.check import check_engine, drawn_images
from kdcore.deploy.engines import open_engine
from kdcore.deploy.export import export_bytes
from kdcore.deploy.quantise import quantise
from kdcore.models import Checkpoint

Call = Callable[[NDArray[np.float32]], NDArray[np.float32]]
ENGINES: Mapping[str, str] = {
    "eager": "PyTorch eager",
    "torchscript": "TorchScript",
    "onnxruntime": "ONNX Runtime",
    "int8": "ONNX Runtime INT8",
}
ON_CUDA = ("eager",)
EXPORT_S: Mapping[str, float] = {"eager": 0, "torchscript": 3, "onnxruntime": 12, "int8": 20}
_FORMS = {"torchscript": "torchscript", "onnxruntime": "onnx", "int8": "onnx"}


def open_call(checkpoint: Checkpoint, engine: str, device: str = "cpu", threads: int = 0) -> Call:
    """Return what answers normalised float32 images (N, 3, H, W) with logits (N, C).

    Parameters
    ----------
    checkpoint : its network is not changed
    engine : of `ENGINES`
    device : "cpu", or "cuda" for those `ON_CUDA`
    threads : of ONNX Runtime's own pool, 0 for its default; torch's is its caller's to set

    Raises
    ------
    ExportError
        If the network can't be exported for the engine, or the export does not answer as it does.
    """
    if engine == "eager":
        return _eager(checkpoint, device)
    form, path = _FORMS[engine], cached_file(checkpoint.hash, engine)
    try:
        return open_engine(path.read_bytes(), form, threads, path.name).raw
    except (OSError, ExportError):  # not made yet, or damaged since
        data = _export(checkpoint, engine)
        write_bytes(path, data)
        return open_engine(data, form, threads, path.name).raw


def cached_file(weights: str, engine: str) -> Path:
    """Return where the export of a checkpoint with this SHA-256 is kept for an engine."""
    suffix = ".pt" if engine == "torchscript" else ".onnx"
    return state_folder() / "exports" / f"{weights}-{engine}-{__version__}{suffix}"


def is_cached(weights: str, engine: str) -> bool:
    """Return whether an engine has what it needs of a checkpoint with this SHA-256."""
    return engine == "eager" or cached_file(weights, engine).is_file()


def _export(checkpoint: Checkpoint, engine: str) -> bytes:
    if engine != "int8":
        data = export_bytes(checkpoint, _FORMS[engine])
        run = open_engine(data, _FORMS[engine], name=engine)
        check_engine(run, checkpoint, drawn_images(checkpoint), "float32")
        return data
    path = cached_file(checkpoint.hash, "onnxruntime")
    if not path.is_file():
        open_call(checkpoint, "onnxruntime")
    return quantise(path.read_bytes(), drawn_images(checkpoint)).data


def _eager(checkpoint: Checkpoint, device: str) -> Call:
    # A copy: the checkpoint may be shared, and is to stay on its device.
    network = copy.deepcopy(checkpoint.model).to(device)

    def call(images: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits: torch.Tensor = network(torch.from_numpy(images).to(device)).logits
            found: NDArray[np.float32] = logits.cpu().numpy()
            return found

    return call
