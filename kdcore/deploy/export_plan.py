"""What an export is to make, in which steps, about how long they take, and the command for it.

The app runs that very command in a process of its own, so page and command line make the same.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdcore.base import SettingError
from kdcore.base.words import duration
from kdcore.deploy.make import Target

PRECISIONS: Mapping[str, str] = {"float": "float32", "fp16": "float16", "int8": "int8"}
FORM_TITLES: Mapping[str, str] = {
    "onnx": "ONNX",
    "torchscript": "TorchScript",
    "export": "torch.export",
}
PRECISION_TITLES: Mapping[str, str] = {"float32": "float32", "float16": "FP16", "int8": "INT8"}
CALIBRATION = 100  # pictures
_START_S = 6  # of a process, until torch and the checkpoint are loaded
_FORMAT_S: Mapping[str, float] = {"onnx": 5, "torchscript": 2, "export": 4}
_PRECISION_S: Mapping[str, float] = {"float32": 0, "float16": 1, "int8": 9}
_ZIP_S: Mapping[str, float] = {
    "onnx": 1,
    "torchscript": 4,
    "export": 6,
}  # its example imports torch
_PICTURE_S = 0.004  # of one file with `_SMALL` bytes of weights or less
_SMALL = 9_000_000
_BOOTSTRAP_S = 1.0  # of one file


@dataclass(frozen=True)
class Step:
    """One step of an export: what is done, and for about how many seconds."""

    doing: str
    seconds: float


@dataclass(frozen=True)
class ExportPlan:
    """What is made of a checkpoint.

    Attributes
    ----------
    checkpoint : its folder
    forms : of `FORMATS`, at least one
    precisions : of `PRECISIONS`, at least one
    folded : normalise in the graph
    data : the data folder to check, calibrate and measure on; None for drawn samples
    images : how many of the test part are measured on; None for all
    """

    checkpoint: Path
    forms: tuple[str, ...] = ("onnx",)
    precisions: tuple[str, ...] = ("float",)
    folded: bool = False
    data: Path | None = None
    images: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises
        ------
        SettingError
            If nothing is chosen, or INT8 without a data folder.
        ExportError
            If there is no such format or precision, alone or together.
        """
        for name in ("forms", "precisions"):
            if not getattr(self, name):
                said = "formats" if name == "forms" else name
                raise SettingError(f"No {said} were chosen.", "Choose at least one.")
        if "int8" in self.precisions and self.data is None:
            raise SettingError(
                "INT8 takes its ranges from pictures, and there are none.",
                "Name a data folder, or export without INT8.",
            )
        _ = self.targets  # each is checked

    @property
    def targets(self) -> tuple[Target, ...]:
        """The exports that are made, in order."""
        return targets_of(self.forms, self.precisions, self.folded)


def targets_of(forms: Sequence[str], precisions: Sequence[str], folded: bool) -> tuple[Target, ...]:
    """Return the exports asked for: every precision of ONNX, float32 of the other formats.

    Parameters
    ----------
    forms : of `FORMATS`
    precisions : of `PRECISIONS`
    folded : normalise in the graph

    Raises
    ------
    ExportError
        If there is no such format, or a single format other than ONNX is asked for in other
        precisions.
    """
    named = [PRECISIONS.get(name, name) for name in precisions]
    return tuple(
        Target(form, precision, folded)
        for form in forms
        for precision in (named if form == "onnx" or len(forms) == 1 else ["float32"])
    )


def steps(
    targets: Sequence[Target], weights: int, measured: int = 0, zipped: bool = True
) -> tuple[Step, ...]:
    """Return the steps of an export in the order in which the command takes them.

    Parameters
    ----------
    targets : what is made
    weights : bytes of the checkpoint's weights; large networks take longer for a picture
    measured : pictures of the test part, 0 for none
    zipped : whether each file is packed with an example
    """
    found = [Step("Reading the checkpoint", _START_S)]
    made = set()
    for target in targets:
        seconds = _PRECISION_S[target.precision]
        seconds += 0 if target.form in made else _FORMAT_S[target.form]
        made.add(target.form)
        found.append(Step(f"Exporting {title_of(target.form, target.precision)}", seconds))
    if measured:
        each = measured * _PICTURE_S * max(1, weights / _SMALL)
        found.append(Step("Asking the network on the test part", each))
        seconds = len(targets) * (each + _BOOTSTRAP_S)
        found.append(Step("Asking the exported files on the test part", seconds))
    for target in targets if zipped else ():
        title = title_of(target.form, target.precision)
        found.append(Step(f"Packing {title}, and running its example", _ZIP_S[target.form]))
    return tuple(found)


def estimate(plan: ExportPlan, measured: int = 0) -> str:
    """Return about how long a plan takes, in one sentence; `measured` as `steps` takes it."""
    count = len(plan.targets)
    planned = steps(plan.targets, weights_size(plan.checkpoint), measured)
    seconds = sum(step.seconds for step in planned)
    files = "one file" if count == 1 else f"{count} files"
    more = f", each measured on {measured:,} pictures" if measured else ""
    about = duration(max(10, 10 * round(seconds / 10)))
    return f"About {about} for {files}{more}; longer where the machine is busy."


def weights_size(folder: Path) -> int:
    """Return the bytes of a checkpoint's weights, 0 where they are not there."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def title_of(form: str, precision: str) -> str:
    """Return what people call an export: "ONNX, INT8"."""
    return f"{FORM_TITLES[form]}, {PRECISION_TITLES[precision]}"


def command(plan: ExportPlan, out: Path) -> list[str]:
    """Return the command line, without the interpreter, that carries out a plan into `out`."""
    parts = ["-m", "kdcore", "export", str(plan.checkpoint)]
    parts += ["--format", *plan.forms, "--precision", *plan.precisions]
    parts += ["--fold-preprocessing"] if plan.folded else []
    parts += ["--data", str(plan.data), "--skip-missing"] if plan.data else ["--no-data"]
    parts += ["--images", str(plan.images)] if plan.data and plan.images else []
    return [*parts, "--out", str(out), "--zip"]


def live_command(plan: ExportPlan, out: Path) -> list[str]:
    """Return the whole command line whose output `run_apart` reads."""
    return [sys.executable, *command(plan, out), "--live"]
