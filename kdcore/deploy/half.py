"""ONNX in half precision: weights and arithmetic in float16, input and output still float32.

ONNX Runtime's CPU kernels compute most of it in float32 with conversions around, so this halves
the file and saves no time there; it is for GPUs and phones. bfloat16 is missing: the runtime has
no convolution in it.
"""

from __future__ import annotations

import contextlib
import io

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16

from kdcore.base import ExportError
from kdcore.base.errors import first_line


def to_float16(data: bytes) -> bytes:
    """Return a float ONNX export in float16; raises ExportError if it can't be converted."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it tells of each tiny weight it cuts
            model = convert_float_to_float16(onnx.load_from_string(data), keep_io_types=True)
        return model.SerializeToString()
    except Exception as error:  # the converter raises kinds of its own
        raise ExportError(
            f"The network can't be converted to float16: {first_line(error)}.",
            "Export it in float32.",
        ) from error
