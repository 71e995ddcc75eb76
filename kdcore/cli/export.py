"""`python -m kdcore export CHECKPOINT --out DIR`: other formats and precisions, each checked."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kdcore.base import data_folder
from kdcore.base.words import percent
from kdcore.cli.common import (
    add_data_arguments,
    checkpoint_folder,
    choose,
    counting_number,
    open_data,
    say_progress,
    write_json,
)
from kdcore.cli.unseen import choose_unseen
from kdcore.data import ImageDataset, Sample, first_by_hash
from kdcore.deploy.artefact import Artefact, run_artefact, write_artefact
from kdcore.deploy.calibration import calibration_samples, export_pictures
from kdcore.deploy.export import FORMATS
from kdcore.deploy.export_plan import CALIBRATION, PRECISIONS, Step, steps, targets_of, weights_size
from kdcore.deploy.export_store import zip_of
from kdcore.deploy.make import Pictures, make_artefacts
from kdcore.deploy.metadata import NOTICE
from kdcore.deploy.package import package
from kdcore.deploy.quality import predict_artefacts
from kdcore.evaluate.exported import exported_quality
from kdcore.models import Checkpoint, load_checkpoint
from kdcore.predict import predict_dataset
from kdcore.report.cells import columns, number
from kdcore.report.exports import loss_sentence

HEAD = ["format", "precision", "MB", "max |Δ|", "agreement", "macro-F1", "ECE"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="folder, or name in checkpoints/")
    parser.add_argument("--format", nargs="+", choices=[*FORMATS, "all"], default=["onnx"])
    parser.add_argument(
        "--precision", nargs="+", choices=PRECISIONS, default=["float"],
        help="fp16 and int8 are of ONNX only; int8 is calibrated on training images",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", type=Path, required=True)
    parser.add_argument(
        "--fold-preprocessing", action="store_true",
        help="take pixels (N, H, W, 3), uint8, and normalise inside",
    )  # fmt: skip
    parser.add_argument("--zip", action="store_true", help="pack each file with an example")
    parser.add_argument(
        "--calibration-images", type=counting_number, metavar="N", default=CALIBRATION,
        help="of training; as many others are checked on",
    )  # fmt: skip
    parser.add_argument(
        "--images",
        type=counting_number,
        metavar="N",
        help="measure on the first N by hash (default: all)",
    )
    parser.add_argument(
        "--no-data", action="store_true", help="check on drawn samples, whatever is configured"
    )
    parser.add_argument(
        "--live", action="store_true", help="print progress as JSON lines, for other programs"
    )
    add_data_arguments(parser, split="test")


def run(options: argparse.Namespace) -> None:
    """Export, check, measure where there is data, pack, print and write."""
    folder = checkpoint_folder(options.checkpoint)
    checkpoint = load_checkpoint(folder)
    forms = list(FORMATS) if "all" in options.format else list(dict.fromkeys(options.format))
    targets = targets_of(forms, tuple(dict.fromkeys(options.precision)), options.fold_preprocessing)
    data, samples = None, list[Sample]()
    if not options.no_data and data_folder(options.data):
        data = open_data(options, checkpoint.card.classes)
        unseen, _ = choose_unseen(data, options, [checkpoint.card])
        samples = first_by_hash(unseen, options.images)
    planned = steps(targets, weights_size(folder), len(samples), options.zip)
    tell = _Progress(planned, options.live)
    tell.next()
    pictures = _pictures(checkpoint, data, options) if data else Pictures()
    made = make_artefacts(checkpoint, options.out, targets, pictures, say=lambda text: tell.next())
    if data:
        made = _measured(checkpoint, data, samples, options, made, tell)
    answers = {}
    for artefact in made if options.zip else ():
        tell.next()
        path = options.out / artefact.file
        answers[zip_of(path)] = package(path, checkpoint, zip_of(path))
    if not options.live:
        _print(made, answers, options.split if data else "")
    write_json(options, {"artefacts": [artefact.as_dict() for artefact in made]})


class _Progress:
    """Says which step is done: to a person in words, to programs with the share of the time."""

    def __init__(self, planned: Sequence[Step], live: bool) -> None:
        self.planned, self.live, self.at = planned, live, -1

    def next(self) -> None:
        """Say that the next step begins."""
        self.at += 1
        if self.live:
            self.part(0, 1)
        else:
            print(f"{self.planned[self.at].doing} …")

    def part(self, done: int, total: int) -> None:
        """Say how far the present step is."""
        if not self.live:
            say_progress(done, total)
            return
        before, now = self.planned[: self.at], self.planned[self.at]
        seconds = sum(step.seconds for step in before) + now.seconds * done / total
        fraction = round(seconds / sum(step.seconds for step in self.planned), 4)
        print(json.dumps({"fraction": fraction, "doing": now.doing}), flush=True)


def _print(
    made: Sequence[Artefact], answers: Mapping[Path, Mapping[str, float]], split: str
) -> None:
    print("\n".join(columns([HEAD, *map(_row, made)])))
    print("Agreement: " + (f"on the {split} part." if split else "on drawn samples."))
    for sentence in filter(None, map(loss_sentence, made)):
        print(sentence)
    print(NOTICE)
    for target, answer in answers.items():
        label, probability = next(iter(answer.items()))
        print(f"{target}: its example was run and says {label}, {percent(probability)}")


def _pictures(checkpoint: Checkpoint, data: ImageDataset, options: argparse.Namespace) -> Pictures:
    samples = choose(data, options, checkpoint.card.recipe, "train")
    return export_pictures(
        checkpoint, data, calibration_samples(samples, options.calibration_images)
    )


def _measured(
    checkpoint: Checkpoint,
    data: ImageDataset,
    samples: Sequence[Sample],
    options: argparse.Namespace,
    made: Sequence[Artefact],
    tell: _Progress,
) -> tuple[Artefact, ...]:
    """Return the records with their quality on the samples, and write them again."""
    tell.next()
    reference = predict_dataset(checkpoint, data, samples, options.split, tell.part)
    engines = [(artefact, run_artefact(options.out / artefact.file)) for artefact in made]
    tell.next()
    found = predict_artefacts(checkpoint, engines, data, samples, options.split, tell.part)
    measured = []
    for artefact, predictions in zip(made, found, strict=True):
        head = {"split": options.split, "data": data.info.name}
        quality = exported_quality(reference, predictions, checkpoint.card.temperature)
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
        f"{percent(same, 1)}",
        number(quality["macro_f1"]) if quality else "",
        number(quality["ece"]) if quality else "",
    ]
