"""Where a command may write, checked before it works: never over what it reads or does not know."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from kdcore.base import BAD_NPZ, SettingError
from kdcore.models import CARD


def check_place(path: Path, option: str) -> None:
    """Raise SettingError, naming the `option`, if nothing can be written at `path`."""
    reason = _why_not_there(Path(path).absolute())
    if reason:
        raise SettingError(f"{option}: {str(path)!r} can't be written: {reason}.", "Name another.")


def _why_not_there(path: Path) -> str:
    try:
        path.lstat()
    except FileNotFoundError:
        pass
    except OSError as error:  # below a file, too long, in a closed folder
        return (error.strerror or "no such place").lower()
    folder = next((parent for parent in path.parents if os.path.lexists(parent)), path)
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{str(folder)!r} is closed to writing"


def refuse_inputs(out: Path, inputs: Iterable[Path], option: str = "--out") -> None:
    """Raise SettingError if `out` is one of a command's `inputs`, which it would replace."""
    if any(Path(out).resolve() == Path(path).resolve() for path in inputs):
        raise SettingError(
            f"{option}: {str(out)!r} is what this command reads, so it is not written over.",
            "Name another.",
        )


def check_predictions_file(out: Path, inputs: Iterable[Path]) -> None:
    """Raise SettingError if predictions can't be saved as `out`, or would replace something else.

    What is there may be replaced if it is predictions, or a broken `.npz`, and none of `inputs`.
    """
    check_place(out, "--out")
    refuse_inputs(out, inputs)
    if out.exists() and not _is_predictions(out):
        raise SettingError(
            f"--out: {str(out)!r} is no file of predictions, so it is not replaced by one.",
            "Name a new .npz file.",
        )


def _is_predictions(path: Path) -> bool:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return "head" in arrays
    except BAD_NPZ:
        return path.is_file() and path.suffix == ".npz"


def check_json(options: argparse.Namespace) -> None:
    """Check `--json FILE` before a command works for hours.

    Raises
    ------
    SettingError
        If it can't be written, is what the command reads or writes besides, or is there and no
        JSON, or a checkpoint's card.
    """
    if not options.json:
        return
    file = Path(options.json)
    if os.path.exists(file) and not (os.path.isfile(file) or os.path.isdir(file)):
        return  # a device or pipe: written to, not replaced
    check_place(file, "--json")
    refuse_inputs(file, _named_paths(options), "--json")
    if file.exists() and not _is_result(file):
        raise SettingError(
            f"--json: {options.json!r} is no command's result, so it is not replaced by one.",
            "Name a new file.",
        )


def _named_paths(options: argparse.Namespace) -> Iterator[Path]:
    """Yield the paths among the options' values; a text is one where it names a file."""
    for name, value in vars(options).items():
        for one in value if isinstance(value, list) else [value]:
            if name != "json" and (
                isinstance(one, Path) or (isinstance(one, str) and os.path.isfile(one))
            ):
                yield Path(one)


def _is_result(file: Path) -> bool:
    if not file.is_file() or file.name == CARD:
        return False
    content = file.read_bytes()
    try:
        json.loads(content or "{}")
    except (ValueError, RecursionError):
        return False
    return True
