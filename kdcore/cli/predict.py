"""`python -m kdcore predict`: stream a data folder through a checkpoint, save the predictions."""

from __future__ import annotations

import argparse
from pathlib import Path

from kdcore.cli.common import (
    add_data_arguments,
    checkpoint_folder,
    open_data,
    say_progress,
    write_json,
)
from kdcore.cli.outputs import check_predictions_file
from kdcore.cli.unseen import choose_unseen
from kdcore.models import load_checkpoint
from kdcore.predict import predict_dataset


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--checkpoint", metavar="CHECKPOINT", required=True, help="folder, or name in checkpoints/"
    )
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="an .npz file")
    add_data_arguments(parser, split="test")


def run(options: argparse.Namespace) -> None:
    """Predict on what the checkpoint was not trained on, and save."""
    checkpoint = load_checkpoint(checkpoint_folder(options.checkpoint))
    data = open_data(options, checkpoint.card.classes)
    samples, excluded = choose_unseen(data, options, [checkpoint.card])
    check_predictions_file(options.out, [data.root])
    predictions = predict_dataset(checkpoint, data, samples, options.split, say_progress)
    predictions.save(options.out)
    print(f"{len(predictions):,} predictions of {checkpoint.card.name} in {options.out}")
    write_json(
        options,
        {
            "n": len(predictions),
            "checkpoint": checkpoint.card.name,
            "checkpoint_hash": checkpoint.hash,
            "split": options.split,
            "excluded_training_images": excluded,
            "file": str(options.out),
        },
    )
