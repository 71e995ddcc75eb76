"""What the commands share: the data folder, parts of a split, progress and JSON."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdcore.base import (
    DATA_VARIABLE,
    DataError,
    SettingError,
    checkpoints_folder,
    data_folder,
    write_text,
)
from kdcore.data import SPLITS, ImageDataset, Sample, open_dataset, samples_by_part
from kdcore.data.splits import PARTS

if TYPE_CHECKING:
    from kdcore.deploy.latency import Live

SPLIT_CHOICES = (*PARTS, "all")


def whole_number(text: str) -> int:
    """Read an option that is 0, 1, 2, …; argparse tells what else came."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, got {text!r}")
    return int(text)


def counting_number(text: str) -> int:
    """Read an option that is 1, 2, 3, …; argparse tells what else came."""
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)


def positive_number(text: str) -> float:
    """Read an option that is a finite number above 0; argparse tells what else came."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def checkpoint_folder(name: str) -> Path:
    """Return the checkpoint's folder `name`; where there is none, that of a shipped one."""
    path = Path(name)
    return path if path.is_dir() else checkpoints_folder() / name


def refuse_foreign(folder: Path | None, name: str, read: Callable[[Path], object]) -> None:
    """Raise SettingError if tables written to `folder` would replace what is not this command's.

    Parameters
    ----------
    folder : of `--out`; None where nothing is written
    name : of its files, without a suffix
    read : returns the record that the command left in the folder, or None where there is none; it
        raises DataError for a broken one
    """
    if folder is None or not folder.exists():
        return
    theirs = folder.is_dir() and read(folder) is None
    files = [f"{name}{suffix}" for suffix in (".json", ".csv", ".md", ".tex")]
    taken = [file for file in files if (folder / file).exists()] if theirs else []
    if taken or not folder.is_dir():
        what = f"holds {taken[0]} without this command's record" if taken else "is a file"
        raise SettingError(
            f"{str(folder)!r} {what}.", "Delete it, or name a new or empty folder with --out."
        )


def add_data_arguments(parser: argparse.ArgumentParser, split: str = "") -> None:
    """Add `--data`, `--skip-missing` and, with a default part, what `choose` takes."""
    parser.add_argument(
        "--data", metavar="DIR", help=f"data folder (default: the Data page's, or ${DATA_VARIABLE})"
    )
    parser.add_argument(
        "--skip-missing", action="store_true", help="leave out rows whose image has no file"
    )
    if split:
        parser.add_argument(
            "--split", choices=SPLIT_CHOICES, default=split, help=f"which part (default: {split})"
        )
        parser.add_argument(
            "--split-by", choices=SPLITS.names(), help="default: as the checkpoint was trained"
        )
        parser.add_argument(
            "--split-seed", type=whole_number, help="default: as the checkpoint was trained"
        )
        parser.add_argument(
            "--allow-training-images",
            action="store_true",
            help="keep images of lesions that the checkpoint was trained on",
        )


def open_data(
    options: argparse.Namespace, classes: tuple[str, ...] = (), kind: str = ""
) -> ImageDataset:
    """Open the configured data set; with `classes` or `kind`, only one that has or is those.

    Raises
    ------
    SettingError
        If none is configured.
    DataError
        If it can't be read, or is another one.
    """
    folder = data_folder(options.data)
    if folder is None:
        raise SettingError(
            "No data folder is configured.",
            f"Name one with --data, set {DATA_VARIABLE}, or choose it on the app's Data page.",
        )
    return open_dataset(folder, kind, options.skip_missing, tuple(classes))


def choose(
    data: ImageDataset, options: argparse.Namespace, recipe: Mapping[str, Any], part: str = ""
) -> tuple[Sample, ...]:
    """Return the samples of the part, by default `--split`.

    They are split as `recipe` was unless the options say how.

    Raises
    ------
    DataError
        If the part has no image, or the data set no such split.
    """
    part = part or options.split
    if part == "all":
        return data.samples
    name = options.split_by or recipe.get("split", "")
    seed = recipe.get("split_seed", 0) if options.split_seed is None else options.split_seed
    chosen = samples_by_part(data, name, seed)[part]
    if not chosen:
        raise DataError(
            f"The {part} part of these {len(data.samples):,} images is empty.",
            "Choose another part, or --split all.",
        )
    return tuple(chosen)


def say_progress(done: int, total: int) -> None:
    """Show a counter on a terminal's error stream; nothing where it is not a terminal."""
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        print(f"\r{done:,} of {total:,}", end=end, file=sys.stderr, flush=True)


def say_live(live: Live) -> None:
    """Say on one line of a terminal how far a benchmark is, and what it times."""
    if sys.stderr.isatty():
        print(f"\r\033[K{live.fraction:4.0%}  {live.doing}", end="", file=sys.stderr, flush=True)


def write_json(options: argparse.Namespace, result: dict[str, Any] | Sequence[Any]) -> None:
    """Write `--json FILE` if asked for; a number that is not finite becomes null."""
    if options.json:
        text = json.dumps(_finite(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        write_text(Path(options.json), text)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return value
