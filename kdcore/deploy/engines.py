"""One way to run an exported file, whatever its format: normalised images in, logits out.

The files hold programs. They are run from bytes that `kdcore.deploy.artefact` has compared with
their recorded SHA-256; those of a latency benchmark are its own, from the state folder.
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from kdcore.base import ExportError
from kdcore.base.errors import first_line
from kdcore.deploy.export import FORMATS
from kdcore.deploy.metadata import EMBEDDED, KEY, is_folded

Images = NDArray[np.float32]
_AGAIN = "Copy it again, or export the checkpoint again."


@dataclass(frozen=True)
class Engine:
    """An exported network that is ready to run.

    Calling it with normalised images (N, 3, H, W) returns logits (N, C), both float32; pixels are
    made from them where the file wants pixels. `raw` takes what the file itself takes, and is
    what a benchmark times. `metadata` is what the file says of itself.
    """

    raw: Callable[[NDArray[Any]], NDArray[np.float32]]
    metadata: dict[str, str]

    def __call__(self, images: Images) -> NDArray[np.float32]:
        """Return the logits (N, C) of normalised images (N, 3, H, W)."""
        return self.raw(self.native(images))

    def native(self, images: Images) -> NDArray[Any]:
        """Return images (N, 3, H, W) as the file takes them: the same, or pixels (N, H, W, 3)."""
        if not is_folded(self.metadata):
            return np.ascontiguousarray(images, dtype=np.float32)
        mean, std = (np.array(json.loads(self.metadata[k]), np.float32) for k in ("mean", "std"))
        pixels = (images.transpose(0, 2, 3, 1) * std + mean) * 255
        return np.ascontiguousarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def open_engine(data: bytes, form: str, threads: int = 0, name: str = "The file") -> Engine:
    """Return the engine of an exported file.

    Parameters
    ----------
    data : the file's bytes
    form : one of `FORMATS`
    threads : of ONNX Runtime within an operator; 0 takes its default. torch has its own setting
    name : what errors call the file

    Raises
    ------
    ValueError
        If the format is not known.
    ExportError
        If the bytes are no such file, or do not say what they are.
    """
    openers: dict[str, Callable[[], tuple[Callable[..., Any], dict[str, str]]]] = {
        "onnx": lambda: _onnx(data, threads),
        "torchscript": lambda: _torchscript(data),
        "export": lambda: _export(data),
    }
    if form not in FORMATS:
        raise ValueError(f"form: expected one of {', '.join(FORMATS)}, got {form!r}")
    try:
        raw, metadata = openers[form]()
    except Exception as error:  # each runtime raises its own kinds on a damaged file
        said = first_line(error, "it is empty")
        raise ExportError(f"{name} can't be opened as {form}: {said}.", _AGAIN) from error
    if not {"mean", "std", "input", "classes"} <= set(metadata):
        raise ExportError(f"{name} was not exported by DistilScope.", _AGAIN)
    return Engine(raw, metadata)


def session_options(threads: int = 0) -> ort.SessionOptions:
    """Return ONNX Runtime's options here: every graph optimisation, `threads` in an operator."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors; they are raised, too
    return options


def _onnx(data: bytes, threads: int) -> tuple[Callable[..., Any], dict[str, str]]:
    session = ort.InferenceSession(
        data, session_options(threads), providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    said = session.get_modelmeta().custom_metadata_map
    metadata = {k.removeprefix(f"{KEY}."): v for k, v in said.items() if k.startswith(f"{KEY}.")}
    return lambda batch: session.run(None, {name: batch})[0], metadata


def _torchscript(data: bytes) -> tuple[Callable[..., Any], dict[str, str]]:
    extra = {EMBEDDED: ""}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TorchScript itself is deprecated
        module = torch.jit.load(io.BytesIO(data), map_location="cpu", _extra_files=extra)
    return _torch(module), json.loads(extra[EMBEDDED])


def _export(data: bytes) -> tuple[Callable[..., Any], dict[str, str]]:
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise ValueError("it is no whole zip archive")  # torch would print a page on it
    extra = {EMBEDDED: ""}
    program = torch.export.load(io.BytesIO(data), extra_files=extra)
    return _torch(program.module()), json.loads(extra[EMBEDDED])


def _torch(module: Callable[..., Any]) -> Callable[..., Any]:
    def run(batch: NDArray[Any]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return module(torch.from_numpy(batch)).numpy()

    return run
