"""INT8 by static quantisation after training, through ONNX Runtime, and what stays in float.

Jacob et al. 2018, section 2: weights are signed 8-bit numbers with a scale for each output
channel, activations unsigned ones with a scale and an offset for each tensor, from calibration
images. The graph keeps its float operators between pairs that quantise and dequantise (QDQ); the
runtime fuses them. It is made for ONNX Runtime: a swish is that runtime's own operator (see
`float_parts`), and where its sums saturate (see `sums_saturate`) weights may have 7 bits.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    create_calibrator,
    quant_pre_process,
    quantize_static,
    save_tensors_data,
)

from kdcore.base import ExportError, KdError
from kdcore.base.errors import first_line
from kdcore.base.progress import CancelCheck, stop_if
from kdcore.deploy.check import compare_logits, in_batches
from kdcore.deploy.engines import open_engine
from kdcore.deploy.float_parts import depthwise_after_swish, gates, join_swish, sensitive_parts

CALIBRATION = "minmax"  # the whole range of each activation
# Sigmoid and Mul are missing: gates and swish are slower in 8 bits than in float, and less exact.
OPERATORS = ("Conv", "Gemm", "MatMul", "Add", "Relu", "Clip", "MaxPool")
WORTH = 0.8  # a part stays in float if the noise falls to this share of what it was, or below
_CHUNK = 16  # calibration images whose activations are in memory at a time


@dataclass(frozen=True)
class Quantised:
    """A network in INT8.

    Attributes
    ----------
    data : the ONNX file
    n_calibration : images the ranges are from
    weight_bits : 8, or 7 where this processor's sums of 8 saturate and that costs more
    in_float : parts that were left in float
    slow_in_int8 : how many layers were left in float for their speed: gates, and depthwise
        convolutions between swishes
    noises : noise on the validation images by the parts left in float, joined by " + "
    """

    data: bytes
    n_calibration: int
    weight_bits: int
    in_float: tuple[str, ...]
    slow_in_int8: int
    noises: Mapping[str, float]


def quantise(
    data: bytes,
    calibration: NDArray[np.float32],
    validation: NDArray[np.float32] | None = None,
    cancelled: CancelCheck | None = None,
) -> Quantised:
    """Return a float ONNX export in INT8.

    Parameters
    ----------
    data : what `export_bytes` gives for "onnx"
    calibration : (N, 3, H, W) images, normalised, of all classes; a hundred are enough
    validation : (M, 3, H, W) other images, on which is searched what to leave in float; None
        leaves only the layers that 8 bits make slower
    cancelled : asked before each calibration batch and each trial

    Raises
    ------
    ValueError
        If there is no image.
    ExportError
        If the graph can't be quantised.
    Cancelled
        If `cancelled` returns True.
    """
    for name, images in (("calibration", calibration), ("validation", validation)):
        if images is not None and (images.ndim != 4 or not len(images)):
            raise ValueError(f"{name}: expected images (N, 3, H, W), got {images.shape}")
    try:
        with tempfile.TemporaryDirectory() as folder:
            work = _Work(Path(folder), data, cancelled)
            work.calibrate(calibration)
            chosen, noises = work.search(calibration, validation)
            made = work.build(chosen)
            always = len(work.always)
            return Quantised(made, len(calibration), work.weight_bits, chosen, always, noises)
    except (KdError, OSError, MemoryError):
        raise
    except Exception as error:  # ONNX Runtime's tools raise kinds of their own
        raise ExportError(
            f"The network can't be quantised: {first_line(error)}.", "Export it in float32 instead."
        ) from error


@cache
def sums_saturate() -> bool:
    """Return whether this processor's ONNX Runtime cuts sums of two 8-bit products at 16 bits.

    It does on x86 without VNNI (before about 2019 by Intel, 2022 by AMD). Weights of 7 bits always
    fit, 2 · 255 · 64 < 2¹⁵, but are rounded more; in most networks few sums come near the limit.
    """
    products = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMulInteger", ["images", "weights"], ["sums"])],
        "products",
        [onnx.helper.make_tensor_value_info("images", onnx.TensorProto.UINT8, [1, 4])],
        [onnx.helper.make_tensor_value_info("sums", onnx.TensorProto.INT32, [1, 1])],
        [onnx.numpy_helper.from_array(np.full((4, 1), 127, np.int8), "weights")],
    )
    opset = [onnx.helper.make_opsetid("", 13)]
    model = onnx.helper.make_model(products, opset_imports=opset, ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (sums,) = session.run(None, {"images": np.full((1, 4), 255, np.uint8)})
    return int(sums.item()) != 4 * 255 * 127


class _Work:
    """One quantisation: the prepared graph and the ranges stay, what is in float changes."""

    def __init__(self, folder: Path, data: bytes, cancelled: CancelCheck | None) -> None:
        self.model, self.ranges = folder / "prepared.onnx", folder / "ranges.json"
        self.engine, self.cancelled = open_engine(data, "onnx"), cancelled
        self.weight_bits = 8
        source = folder / "float.onnx"
        source.write_bytes(data)
        # ONNX's own shape inference is enough, and the symbolic one takes minutes.
        quant_pre_process(source, self.model, skip_symbolic_shape=True)
        model = onnx.load(self.model)
        join_swish(model)
        for index, node in enumerate(model.graph.node):
            node.name = f"{node.op_type}_{index}"  # nodes are left in float by name
        onnx.save_model(model, self.model)
        self.parts = sensitive_parts(model)
        self.always = (*gates(model), *depthwise_after_swish(model))

    def calibrate(self, images: NDArray[np.float32]) -> None:
        """Keep the range of each activation over the images (N, 3, H, W)."""
        calibrator = create_calibrator(
            self.model,
            list(OPERATORS),
            augmented_model_path=str(self.model.with_name("augmented.onnx")),
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"symmetric": False},
        )
        name = onnx.load(self.model, load_external_data=False).graph.input[0].name
        for start in range(0, len(images), _CHUNK):
            self._ask()
            batch = self.engine.native(images[start : start + _CHUNK])
            with contextlib.redirect_stdout(io.StringIO()):  # it tells of every histogram
                calibrator.collect_data(_Reader({name: image[None]} for image in batch))
        with contextlib.redirect_stdout(io.StringIO()):
            save_tensors_data(calibrator.compute_data(), self.ranges)

    def build(self, in_float: Sequence[str]) -> bytes:
        """Return the quantised file with the parts `in_float`, and what INT8 slows, in float."""
        self._ask()
        excluded = [*self.always, *(node for part in in_float for node in self.parts[part])]
        target = self.model.with_name("quantised.onnx")
        quantize_static(
            self.model,
            target,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(OPERATORS),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=self.weight_bits == 7,
            nodes_to_exclude=excluded,
            calibrate_method=CalibrationMethod.MinMax,
            calibration_cache_path=self.ranges,
        )
        return target.read_bytes()

    def search(
        self, calibration: NDArray[np.float32], validation: NDArray[np.float32] | None
    ) -> tuple[tuple[str, ...], dict[str, float]]:
        """Keep the better bits of weights; return the parts to leave in float, and all noises.

        Parts are searched on the validation images. Without them none is left in float, and only
        the bits are chosen, where there is a choice, by the noise on the calibration images.
        """
        candidates = (8, 7) if sums_saturate() else (8,)
        images = calibration if validation is None else validation
        if validation is None and len(candidates) == 1:
            return (), {}
        reference = in_batches(self.engine, images)
        found = {}
        for self.weight_bits in candidates:
            found[self.weight_bits] = self._greedy(images, reference, validation is not None)
        noise = {bits: noises[" + ".join(parts)] for bits, (parts, noises) in found.items()}
        self.weight_bits = min(noise, key=noise.__getitem__)
        return found[self.weight_bits] if validation is not None else ((), {})

    def _greedy(
        self, images: NDArray[np.float32], reference: NDArray[np.float32], with_parts: bool
    ) -> tuple[tuple[str, ...], dict[str, float]]:
        """Return the parts worth leaving in float, one after the other, and each trial's noise."""
        chosen: tuple[str, ...] = ()
        noises = {"": self._noise((), images, reference)}
        while left := [part for part in self.parts if with_parts and part not in chosen]:
            trials = {
                (*chosen, part): self._noise((*chosen, part), images, reference) for part in left
            }
            noises |= {" + ".join(parts): value for parts, value in trials.items()}
            best = min(trials, key=lambda parts: trials[parts])
            if trials[best] > WORTH * noises[" + ".join(chosen)]:
                break
            chosen = best
        return chosen, noises

    def _noise(
        self, in_float: Sequence[str], images: NDArray[np.float32], reference: NDArray[np.float32]
    ) -> float:
        got = in_batches(open_engine(self.build(in_float), "onnx"), images)
        return compare_logits(reference, got, "int8").noise

    def _ask(self) -> None:
        stop_if(self.cancelled, "The quantisation")


class _Reader(CalibrationDataReader):
    """Calibration inputs, one after the other."""

    def __init__(self, inputs: Iterator[dict[str, NDArray[Any]]]) -> None:
        self._inputs = inputs

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """Return the next input by name, or None after the last."""
        return next(self._inputs, None)
