"""`python -m kdcore evaluate`: scores with intervals, from a checkpoint or saved predictions.

On its own it gives the figures of every card again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kdcore.base import DataError, SettingError
from kdcore.cli.common import (
    add_data_arguments,
    checkpoint_folder,
    open_data,
    positive_number,
    say_progress,
    whole_number,
    write_json,
)
from kdcore.cli.reproduce import reproduce_cards
from kdcore.cli.unseen import choose_unseen
from kdcore.evaluate import (
    Subgroups,
    evaluate_predictions,
    refuse_training_images,
    subgroups,
)
from kdcore.models import Checkpoint, load_checkpoint
from kdcore.predict import Predictions, predict_dataset
from kdcore.report.group_gaps import subgroup_text
from kdcore.report.subgroups import subgroup_score_rows
from kdcore.report.tables import evaluation_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = (
        "Without --checkpoint and --predictions the figures of all cards are computed again, from "
        "the predictions beside them, and it is told how far off they are."
    )
    parser.add_argument(
        "--checkpoint", metavar="CHECKPOINT", help="folder, or name in checkpoints/"
    )
    parser.add_argument("--predictions", metavar="FILE", type=Path, help="saved by predict")
    parser.add_argument(
        "--weights", action="store_true",
        help="give every card again from the networks and the data, too (minutes a model)",
    )  # fmt: skip
    parser.add_argument(
        "--temperature", type=positive_number, help="divides the logits (default: the card's)"
    )
    parser.add_argument(
        "--resamples", type=whole_number, default=1000, help="of the bootstrap; 0: no intervals"
    )
    parser.add_argument("--seed", type=whole_number, default=0, help="of the bootstrap")
    parser.add_argument(
        "--by", nargs="+", metavar="ATTRIBUTE", default=[],
        help="scores within groups of images, too, such as sex age site",
    )  # fmt: skip
    add_data_arguments(parser, split="test")


def run(options: argparse.Namespace) -> None:
    """Predict or load, measure, print, write."""
    named = bool(options.checkpoint or options.predictions)
    _refuse_idle(options, named)
    if not named:
        reproduce_cards(options)
        return
    checkpoint, excluded = None, 0
    if options.checkpoint:
        checkpoint = load_checkpoint(checkpoint_folder(options.checkpoint))
    if options.predictions:
        predictions = _saved(options, checkpoint)
    else:
        assert checkpoint is not None
        data = open_data(options, checkpoint.card.classes)
        samples, excluded = choose_unseen(data, options, [checkpoint.card])
        predictions = predict_dataset(checkpoint, data, samples, options.split, say_progress)
    temperature = checkpoint.card.temperature if checkpoint else 1.0
    if options.temperature is not None:
        temperature = options.temperature
    drawn = temperature, options.resamples, options.seed
    groups = [subgroups(predictions, by, *drawn) for by in dict.fromkeys(options.by)]
    evaluation = evaluate_predictions(predictions, *drawn)
    print("\n\n".join([evaluation_text(evaluation), *map(subgroup_text, groups)]))
    result = evaluation.as_dict() | {"excluded_training_images": excluded}
    if groups:
        result |= {"subgroups": {found.by: _rows(found) for found in groups}}
    write_json(options, result)


def _refuse_idle(options: argparse.Namespace, named: bool) -> None:
    """Raise SettingError for an option that would do nothing."""
    if named and options.weights:
        raise SettingError(
            "--weights gives the cards again, and something else is named.",
            "Leave out --weights, or --checkpoint and --predictions.",
        )
    usual = argparse.ArgumentParser()
    add_arguments(usual)
    heeded = {"weights", *(("data", "skip_missing") if options.weights else ())}
    given = [
        f"--{name.replace('_', '-')}"
        for name, value in vars(usual.parse_args([])).items()
        if name not in heeded and getattr(options, name) != value
    ]
    if given and not named:
        raise SettingError(
            f"{', '.join(given)}: cards are given again as they were made.",
            "Add --checkpoint or --predictions, or --weights for the data, or leave that out.",
        )


def _rows(found: Subgroups) -> list[dict[str, object]]:
    head, *body = subgroup_score_rows(found)
    return [dict(zip(map(str, head), row, strict=True)) for row in body]


def _saved(options: argparse.Namespace, checkpoint: Checkpoint | None) -> Predictions:
    """Load saved predictions; refuse what is empty, another checkpoint's, or was trained on."""
    predictions = Predictions.load(options.predictions)
    if not len(predictions):
        raise DataError(
            f"{options.predictions.name} holds no predictions.",
            "Make it again with `python -m kdcore predict`.",
        )
    if checkpoint:
        if predictions.checkpoint_hash != checkpoint.hash:
            raise DataError(
                f"{options.predictions.name} holds predictions of other weights "
                f"({predictions.checkpoint or 'unnamed'}) than those of {checkpoint.card.name}.",
                "Name the checkpoint that made them, or leave out --checkpoint or --predictions.",
            )
        refuse_training_images(predictions, checkpoint.card.trained, options.allow_training_images)
    return predictions
