"""`python -m kdcore evaluate`: scores with intervals, from a checkpoint or saved predictions."""

from __future__ import annotations

import argparse
from pathlib import Path

from kdcore.base import SettingError
from kdcore.cli.common import add_data_arguments, choose, open_data, say_progress, write_json
from kdcore.data import HAM10000
from kdcore.evaluate import evaluate_predictions, refuse_training_images
from kdcore.models import load_checkpoint
from kdcore.predict import Predictions, predict_dataset
from kdcore.report import evaluation_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--checkpoint", metavar="DIR", type=Path)
    parser.add_argument("--predictions", metavar="FILE", type=Path, help="saved by predict")
    parser.add_argument(
        "--temperature", type=float, help="divides the logits (default: the card's)"
    )
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    parser.add_argument(
        "--allow-training-images", action="store_true", help="measure what was trained on, too"
    )
    add_data_arguments(parser, split="test")


def run(options: argparse.Namespace) -> None:
    """Predict or load, measure, print, write."""
    if not (options.checkpoint or options.predictions):
        raise SettingError("Nothing to evaluate was named.", "Add --checkpoint or --predictions.")
    checkpoint = (
        load_checkpoint(options.checkpoint, HAM10000.classes) if options.checkpoint else None
    )
    if options.predictions:
        predictions = Predictions.load(options.predictions)
    else:
        assert checkpoint is not None
        data = open_data(options)
        samples = choose(data, options)
        predictions = predict_dataset(checkpoint, data, samples, options.split, say_progress)
    if checkpoint:
        refuse_training_images(
            predictions, checkpoint.card.train_groups, options.allow_training_images
        )
    temperature = options.temperature or (checkpoint.card.temperature if checkpoint else 1.0)
    evaluation = evaluate_predictions(predictions, temperature, options.resamples, options.seed)
    print(evaluation_text(evaluation))
    write_json(options, evaluation.as_dict())
