"""A checkpoint as TorchScript, as a `torch.export` program and as ONNX, in memory.

ONNX goes through torch's maintained exporter (`dynamo=True`), which translates an exported
program. It takes some ten seconds where the older one, by TorchScript, takes one; but that one is
deprecated, and its graphs are two to five times as long. Every export takes batches of any size.
"""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import onnx
import torch
from torch.export import Dim, ExportedProgram

from kdcore.base import ExportError, KdError
from kdcore.base.errors import first_line
from kdcore.base.progress import CancelCheck, stop_if
from kdcore.deploy.metadata import EMBEDDED, KEY, describe
from kdcore.deploy.network import Deployed
from kdcore.models import Checkpoint

FORMATS: Mapping[str, str] = {"onnx": ".onnx", "torchscript": ".pt", "export": ".pt2"}
OPSET = 18  # what torch's exporter writes without a conversion
OUTPUT = "logits"


def export_bytes(
    checkpoint: Checkpoint,
    form: str,
    folded: bool = False,
    cancelled: CancelCheck | None = None,
) -> bytes:
    """Return a checkpoint in another format, in float32, as the bytes of a file.

    Parameters
    ----------
    checkpoint : what is exported; its network is left as it is
    form : one of `FORMATS`
    folded : take pixels (N, H, W, 3), uint8 RGB, and normalise them in the graph
    cancelled : asked between the steps

    Raises
    ------
    ValueError
        If the format is not known.
    ExportError
        If the network has something that the format can't hold.
    Cancelled
        If `cancelled` returns True.
    """
    if form not in FORMATS:
        raise ValueError(f"form: expected one of {', '.join(FORMATS)}, got {form!r}")
    network = Deployed(checkpoint, folded)
    example = network.example(checkpoint.card.input_size)
    metadata = describe(checkpoint, "float32", folded)
    with _told(checkpoint.card.name, form):
        if form == "torchscript":
            return _torchscript(network, example, metadata)
        program = torch.export.export(network, (example,), dynamic_shapes=({0: Dim("batch")},))
        stop_if(cancelled, "The export")
        return _saved(program, metadata) if form == "export" else _onnx(program, metadata, folded)


def stamp(data: bytes, metadata: Mapping[str, str]) -> bytes:
    """Return an ONNX file with `metadata` in it, in place of what it said before."""
    model = onnx.load_from_string(data)
    kept = {p.key: p.value for p in model.metadata_props if not p.key.startswith(f"{KEY}.")}
    onnx.helper.set_model_props(model, kept | {f"{KEY}.{k}": v for k, v in metadata.items()})
    return model.SerializeToString()


def _torchscript(network: Deployed, example: torch.Tensor, metadata: Mapping[str, str]) -> bytes:
    with torch.inference_mode(False), torch.no_grad():
        traced = torch.jit.freeze(torch.jit.trace(network, example, check_trace=False))
    buffer = io.BytesIO()
    torch.jit.save(traced, buffer, _extra_files={EMBEDDED: json.dumps(metadata)})
    return buffer.getvalue()


def _saved(program: ExportedProgram, metadata: Mapping[str, str]) -> bytes:
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it has paths of this machine
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={EMBEDDED: json.dumps(metadata)})
    return buffer.getvalue()


def _onnx(program: ExportedProgram, metadata: Mapping[str, str], folded: bool) -> bytes:
    exported = torch.onnx.export(
        program,
        (),
        dynamo=True,
        opset_version=OPSET,
        input_names=["pixels" if folded else "images"],
        output_names=[OUTPUT],
        verbose=False,
    )
    assert exported is not None
    model = exported.model_proto
    _forget_sources(model)
    onnx.checker.check_model(model)
    return stamp(model.SerializeToString(), metadata)


def _forget_sources(model: onnx.ModelProto) -> None:
    """Drop the exporter's notes on each node: modules, rules, paths of this machine."""
    del model.graph.metadata_props[:]
    for item in (*model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del item.metadata_props[:]
        item.doc_string = ""
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]


@contextmanager
def _told(name: str, form: str) -> Iterator[None]:
    """Turn whatever an exporter raises into one sentence, and keep its chatter off the screen."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # A tracer warns of every shape that it reads; the check on real images decides.
            warnings.simplefilter("ignore")
            yield
    except (KdError, MemoryError):
        raise
    except Exception as error:  # each exporter raises kinds of its own
        raise ExportError(
            f"{name} can't be exported as {form}: {first_line(error)}.",
            "Choose another format; a layer without a translation has to be written in others.",
        ) from error
    finally:
        log.setLevel(level)
