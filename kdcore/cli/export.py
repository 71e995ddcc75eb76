"""`python -m kdcore export CHECKPOINT --out DIR`: other formats and precisions, each checked."""

from __future__ import annotations

import argparse
import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kdcore.base import checkpoints_folder, data_folder
from kdcore.cli.common import add_data_arguments, choose, open_data, say_progress, write_json
from kdcore.data import ImageDataset, Sample
from kdcore.deploy import (
    FORMATS,
    NOTICE,
    Artefact,
    Pictures,
    Target,
    load_inputs,
    make_artefacts,
    package,
    predict_artefacts,
    run_artefact,
    stratified_samples,
    write_artefact,
)
from kdcore.evaluate import agreement, evaluate_predictions
from kdcore.evaluate.robustness_grid import unseen_samples
from kdcore.models import Checkpoint, load_checkpoint
from kdcore.predict import predict_dataset
from kdcore.report.cells import columns, number

PRECISIONS = {"float": "float32", "fp16": "float16", "int8": "int8"}
HEAD = ["format", "precision", "MB", "max |Δ|", "agreement", "macro-F1", "ECE"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="folder, or name in checkpoints/")
    parser.add_argument("--format", nargs="+", choices=[*FORMATS, "all"], default=["onnx"])
    parser.add_argument(
        "--precision", nargs="+", choices=PRECISIONS, default=["float"],
        help="fp16 and int8 are of ONNX only; int8 is calibrated on validation images",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", type=Path, required=True)
    parser.add_argument(
        "--fold-preprocessing", action="store_true",
        help="take pixels (N, H, W, 3), uint8, and normalise inside",
    )  # fmt: skip
    parser.add_argument("--zip", action="store_true", help="pack each ONNX file with an example")
    parser.add_argument(
        "--calibration-images", type=_some, metavar="N", default=100,
        help="of validation; as many others are checked on",
    )  # fmt: skip
    parser.add_argument(
        "--images", type=_some, metavar="N", help="measure on the first N by hash (default: all)"
    )
    add_data_arguments(parser, split="test")


def run(options: argparse.Namespace) -> None:
    """Export, check, measure where there is data, print and write."""
    named = Path(options.checkpoint)
    folder = named if named.is_dir() else checkpoints_folder() / options.checkpoint
    checkpoint = load_checkpoint(folder)
    targets = _targets(options)
    data = None
    if data_folder(options.data):
        data = open_data(options, checkpoint.card.classes)
    pictures = _pictures(checkpoint, data, options, targets) if data else Pictures()
    made = make_artefacts(checkpoint, options.out, targets, pictures, say=_say)
    if data:
        made = _measured(checkpoint, data, options, made)
    print("\n".join(columns([HEAD, *map(_row, made)])))
    print("Agreement: " + (f"on the {options.split} part." if data else "on drawn samples."))
    print(NOTICE)
    for artefact in made if options.zip else ():
        if artefact.format == "onnx":
            target = options.out / f"{Path(artefact.file).stem}.zip"
            answer = next(iter(package(options.out / artefact.file, checkpoint, target).items()))
            print(f"{target}: its example was run and says {answer[0]}, {answer[1]:.0%}")
    write_json(options, {"artefacts": [artefact.as_dict() for artefact in made]})


def _some(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)


def _targets(options: argparse.Namespace) -> tuple[Target, ...]:
    """Return the exports asked for: every precision of ONNX, float32 of the other formats."""
    forms = list(FORMATS) if "all" in options.format else list(dict.fromkeys(options.format))
    precisions = [PRECISIONS[name] for name in dict.fromkeys(options.precision)]
    return tuple(
        Target(form, precision, options.fold_preprocessing)
        for form in forms
        for precision in (precisions if form == "onnx" or len(forms) == 1 else ["float32"])
    )


def _unseen(
    checkpoint: Checkpoint, data: ImageDataset, options: argparse.Namespace, split: str
) -> list[Sample]:
    options = copy.copy(options)
    options.split = split
    chosen = choose(data, options, checkpoint.card.recipe)
    return (
        list(chosen) if options.allow_training_images else unseen_samples(chosen, [checkpoint.card])
    )


def _pictures(
    checkpoint: Checkpoint,
    data: ImageDataset,
    options: argparse.Namespace,
    targets: Sequence[Target],
) -> Pictures:
    """Return validation images: every second one to check and search on, the others for ranges."""
    n = options.calibration_images
    unseen = _unseen(checkpoint, data, options, "val")
    images = load_inputs(checkpoint, data, stratified_samples(unseen, 2 * n))
    if len(images) < 2:
        return Pictures()
    checked = images[1::2]  # classes take turns, so both halves have all
    if any(target.precision == "int8" for target in targets):
        return Pictures(checked, images[::2], checked)
    return Pictures(checked)


def _measured(
    checkpoint: Checkpoint,
    data: ImageDataset,
    options: argparse.Namespace,
    made: Sequence[Artefact],
) -> tuple[Artefact, ...]:
    """Return the records with their quality on the chosen part, and write them again."""
    samples = _unseen(checkpoint, data, options, options.split)[: options.images]
    reference = predict_dataset(checkpoint, data, samples, options.split, say_progress)
    engines = [(artefact, run_artefact(options.out / artefact.file)) for artefact in made]
    found = predict_artefacts(checkpoint, engines, data, samples, options.split, say_progress)
    measured = []
    for artefact, predictions in zip(made, found, strict=True):
        scores = evaluate_predictions(predictions, checkpoint.card.temperature, n_boot=0).metrics
        quality = {name: scores[name].value for name in ("macro_f1", "accuracy", "ece", "nll")}
        quality["agreement"] = agreement(reference, predictions, n_boot=0).share.value
        head = {"split": options.split, "n": len(predictions), "data": data.info.name}
        measured.append(replace(artefact, quality=head | quality))
        write_artefact(options.out, measured[-1])
    return tuple(measured)


def _row(artefact: Artefact) -> list[str]:
    quality = artefact.quality
    same = quality.get("agreement", artefact.check.agreement)
    return [
        artefact.format,
        artefact.precision,
        f"{artefact.size / 1e6:.1f}",
        f"{artefact.check.max_delta:.2g}",
        f"{same:.1%}",
        number(quality["macro_f1"]) if quality else "",
        number(quality["ece"]) if quality else "",
    ]


def _say(text: str) -> None:
    print(f"Exporting: {text}")
