"""From a checkpoint to exported files that were checked: each is put in place whole, or not."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from kdcore.base import ExportError, sha256_bytes, write_bytes
from kdcore.base.progress import CancelCheck, stop_if
from kdcore.deploy.artefact import Artefact, write_artefact
from kdcore.deploy.check import TOLERANCES, check_engine, drawn_images
from kdcore.deploy.engines import open_engine
from kdcore.deploy.export import FORMATS, export_bytes, stamp
from kdcore.deploy.half import to_float16
from kdcore.deploy.metadata import describe
from kdcore.deploy.quantise import CALIBRATION, Quantised, quantise
from kdcore.models import Checkpoint

_LIBRARIES = ("torch", "onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True)
class Target:
    """What to export: a `form` of `FORMATS`, a `precision` of `TOLERANCES`, pixels if `folded`.

    Precisions other than float32 are of ONNX only.
    """

    form: str = "onnx"
    precision: str = "float32"
    folded: bool = False

    def __post_init__(self) -> None:
        """Raise ExportError if there is no such export."""
        if self.form not in FORMATS or self.precision not in TOLERANCES:
            raise ExportError(
                f"There is no export as {self.form} in {self.precision}.",
                f"Choose of {', '.join(FORMATS)}, and of {', '.join(TOLERANCES)}.",
            )
        if self.precision != "float32" and self.form != "onnx":
            raise ExportError(
                f"There is no {self.precision} of {self.form}.", "Choose float32, or ONNX."
            )

    def file_name(self, checkpoint: str) -> str:
        """Return the file's name for a checkpoint's."""
        pixels = "-pixels" if self.folded else ""
        return f"{checkpoint}-{self.precision}{pixels}{FORMATS[self.form]}"


@dataclass(frozen=True)
class Pictures:
    """Normalised images (N, 3, H, W) for an export; drawn samples where `check` is None.

    `check`, training images, is compared on; `calibration` gives INT8 its ranges; on
    `validation`, other images, is searched what INT8 leaves in float (None: no search).
    """

    check: NDArray[np.float32] | None = None
    calibration: NDArray[np.float32] | None = None
    validation: NDArray[np.float32] | None = None


def make_artefacts(
    checkpoint: Checkpoint,
    folder: Path,
    targets: tuple[Target, ...],
    pictures: Pictures | None = None,
    cancelled: CancelCheck | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[Artefact, ...]:
    """Export a checkpoint in several ways, check each, and write it with its record.

    Parameters
    ----------
    checkpoint : what is exported
    folder : where the files go; made if it is not there
    targets : which exports
    pictures : what to check and calibrate on
    cancelled : asked between the steps; what was finished is kept
    say : told what is done next

    Raises
    ------
    ExportError
        If an export can't be made, or does not answer as the network does, or INT8 has no
        calibration images.
    Cancelled
        If `cancelled` returns True.
    OSError
        If the file can't be written; nothing is left of it.
    """
    pictures = pictures or Pictures()
    if pictures.calibration is None and any(t.precision == "int8" for t in targets):
        raise ExportError(
            "INT8 takes its ranges from pictures, and there are none.",
            "Name a data folder, or export without INT8.",
        )
    images = drawn_images(checkpoint) if pictures.check is None else pictures.check
    floats: dict[tuple[str, bool], bytes] = {}
    made = []
    for target in targets:
        stop_if(cancelled, "The export")
        say(f"{target.form} in {target.precision}")
        source = (target.form, target.folded)
        if source not in floats:  # ONNX in other precisions is made of that in float32
            floats[source] = export_bytes(checkpoint, *source, cancelled)
            if target.precision != "float32":  # whose own check would let small errors pass
                parent = open_engine(floats[source], target.form)
                check_engine(parent, checkpoint, images, "float32")
        data, notes = _converted(checkpoint, target, floats[source], pictures, cancelled)
        notes["checked_on"] = "drawn samples" if pictures.check is None else "training images"
        made.append(_place(checkpoint, Path(folder), target, data, images, notes))
    return tuple(made)


def _converted(
    checkpoint: Checkpoint,
    target: Target,
    data: bytes,
    pictures: Pictures,
    cancelled: CancelCheck | None,
) -> tuple[bytes, dict[str, Any]]:
    """Return the file of a target made of the float one, and how it was made."""
    if target.precision == "float32":
        return data, {}
    notes: dict[str, Any] = {}
    if target.precision == "float16":
        data = to_float16(data)
    else:
        assert pictures.calibration is not None  # `make_artefacts` has seen to it
        made = quantise(data, pictures.calibration, pictures.validation, cancelled=cancelled)
        data, notes = made.data, _notes(made)
    return stamp(data, describe(checkpoint, target.precision, target.folded)), notes


def _notes(made: Quantised) -> dict[str, Any]:
    return {
        "calibration": CALIBRATION,
        "calibration_images": made.n_calibration,
        "weight_bits": made.weight_bits,
        "left_in_float": list(made.in_float),
        "layers_in_float_for_speed": made.slow_in_int8,
        "noise_by_parts_in_float": dict(made.noises),
    }


def _place(
    checkpoint: Checkpoint,
    folder: Path,
    target: Target,
    data: bytes,
    images: NDArray[np.float32],
    notes: dict[str, Any],
) -> Artefact:
    """Check the bytes of a file, and only then write it and its record."""
    check = check_engine(open_engine(data, target.form), checkpoint, images, target.precision)
    artefact = Artefact(
        file=target.file_name(checkpoint.card.name),
        format=target.form,
        precision=target.precision,
        folded=target.folded,
        checkpoint=checkpoint.card.name,
        checkpoint_hash=checkpoint.hash,
        size=len(data),
        sha256=sha256_bytes(data),
        opset=_opset(data) if target.form == "onnx" else None,
        check=check,
        versions={"python": platform.python_version()} | {k: version(k) for k in _LIBRARIES},
        notes=notes,
    )
    write_bytes(folder / artefact.file, data)
    write_artefact(folder, artefact)
    return artefact


def _opset(data: bytes) -> int:
    imports = onnx.load_from_string(data).opset_import
    return next(o.version for o in imports if o.domain in ("", "ai.onnx"))
