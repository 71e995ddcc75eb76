"""`python -m kdcore import`: predictions that another program made, from CSV to `.npz`."""

from __future__ import annotations

import argparse
from pathlib import Path

from kdcore.base import DataError
from kdcore.cli.common import SPLIT_CHOICES, write_json
from kdcore.cli.outputs import check_predictions_file
from kdcore.data import DATASETS
from kdcore.predict import Predictions, read_foreign
from kdcore.predict.foreign import NOTES
from kdcore.predict.imported import lesions_of, with_attributes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "csv",
        metavar="CSV",
        type=Path,
        help="ids, labels and class columns; or a folder of such files",
    )
    parser.add_argument(
        "--out", metavar="FILE", type=Path, required=True,
        help="an .npz file; of a folder, the folder for one .npz for each CSV file",
    )  # fmt: skip
    parser.add_argument(
        "--classes",
        metavar="NAMES",
        help=f"{', '.join(DATASETS)}, or names in order: a,b,c (default: the data set they name)",
    )
    parser.add_argument(
        "--logits", action="store_true", help="columns hold logits (default: probabilities)"
    )
    parser.add_argument(
        "--name", default="", help="of the model (default: the file's; not of a folder)"
    )
    parser.add_argument("--split", choices=SPLIT_CHOICES, default="all", help="which part it is")
    parser.add_argument(
        "--like",
        metavar="FILE",
        type=Path,
        help="saved predictions of the same images, for their lesions and attributes",
    )


def run(options: argparse.Namespace) -> None:
    """Read and check all, save, and say what was changed."""
    several = options.csv.is_dir()
    if several and options.name:
        raise DataError("--name is for one file.", "Models of a folder go by their files' names.")
    like = Predictions.load(options.like) if options.like else None
    read = read_foreign(
        options.csv, _classes(options.classes), options.logits, lesions_of(like),
        options.name, options.split,
    )  # fmt: skip
    outs = [options.out / f"{p.checkpoint}.npz" if several else options.out for p in read]
    for out in outs:
        check_predictions_file(out, [options.csv, *([options.like] if options.like else [])])
    made = []
    for predictions, out in zip(read, outs, strict=True):
        kept = with_attributes(predictions, like) if like else predictions
        kept.save(out)
        made.append(_said(kept, out))
    write_json(options, {"models": made} if several else made[0])


def _said(predictions: Predictions, out: Path) -> dict[str, object]:
    """Print what was read and saved, and return it for the JSON file."""
    print(f"{len(predictions):,} predictions of {predictions.checkpoint} in {out}")
    notes = predictions.meta[NOTES].splitlines()
    for note in notes:
        print(f"  {note}")
    return {
        "n": len(predictions),
        "lesions": len(set(predictions.group_ids.tolist())),
        "classes": predictions.classes,
        "checkpoint": predictions.checkpoint,
        "checkpoint_hash": predictions.checkpoint_hash,
        "notes": notes,
        "file": str(out),
    }


def _classes(text: str | None) -> tuple[str, ...]:
    """Return the classes of a data set by its key, or those that are listed; () for None."""
    if not text:
        return ()
    if text in DATASETS:
        return DATASETS[text].classes
    names = tuple(name.strip() for name in text.split(","))
    if len(names) < 2 or not all(names) or len({n.lower() for n in names}) < len(names):
        raise DataError(
            f"--classes: {text!r} is no data set, nor two or more different names.",
            f"Use one of {', '.join(DATASETS)}, or names with commas between them.",
        )
    return names
