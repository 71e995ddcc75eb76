"""What `python -m kdcore evaluate` does on its own: give every card in checkpoints/ again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from kdcore.base import DataError, checkpoints_folder
from kdcore.cli.common import open_data, say_progress, write_json
from kdcore.data import samples_by_part
from kdcore.evaluate import Reproduced, compare_figures, evaluate_predictions
from kdcore.evaluate.reproduced import TOLERANCE
from kdcore.models import CARD, Card, card_order, load_checkpoint, read_card
from kdcore.predict import Predictions, predict_dataset
from kdcore.predict.shelf import Measured, prediction_files
from kdcore.report.cells import columns

HEAD = ("model", "part", "from", "figures", "largest difference", "of")


def reproduce_cards(options: argparse.Namespace) -> None:
    """Compute the figures of all cards from the predictions beside them, and print how far off.

    With `--weights` from the networks and the data, too.

    Raises
    ------
    KdError
        If a figure is not given again, there is no card, or a card or predictions are broken.
    """
    rows: list[tuple[str, str, str, Reproduced]] = []
    models = _models()
    for number, model in enumerate(models, 1):
        print(f"{model.name} ({number} of {len(models)})", file=sys.stderr)
        rows += _reproduced(model, options)
    if not rows:
        raise DataError(
            f"No card with predictions lies in {checkpoints_folder()}.",
            "Name a checkpoint with --checkpoint, or saved predictions with --predictions.",
        )
    cells = [(*r[:3], f"{r[3].figures:,}", f"{r[3].largest:.1e}", r[3].figure) for r in rows]
    print("\n".join(columns([HEAD, *cells])))
    write_json(options, [dict(zip(HEAD, _plain(row), strict=True)) for row in rows])
    if wrong := [f"{r[0]} on {r[1]} from {r[2]}" for r in rows if not r[3].same]:
        raise DataError(
            f"Figures of cards are not given again: {'; '.join(wrong)}.",
            "The table says which; weights or predictions were changed after the card was written.",
        )
    total = sum(r[3].figures for r in rows)
    print(f"\nAll {total:,} figures are given again: none differs by more than {TOLERANCE:g}.")


def _models() -> list[Measured]:
    """Return the checkpoints that have predictions; what is broken is an error."""
    folders = [path.parent for path in checkpoints_folder().glob(f"*/{CARD}")]
    cards = sorted(((read_card(f), f) for f in folders), key=lambda pair: card_order(pair[0]))
    found = [
        Measured(folder.name, card.title, card.role, prediction_files(folder), card)
        for card, folder in cards
    ]
    return [model for model in found if model.files]


def _reproduced(
    model: Measured, options: argparse.Namespace
) -> Iterator[tuple[str, str, str, Reproduced]]:
    card = model.card
    assert card is not None  # `_models` has given it
    for part, metrics in card.metrics.items():
        if part not in model.files:
            print(f"{model.name}: no predictions on {part}", file=sys.stderr)
            continue
        if not isinstance(metrics, Mapping) or not metrics:
            raise DataError(
                f"The card of {model.name} has no figures on the {part} part.",
                "Restore the card, or measure with --checkpoint.",
            )
        for source, found in _sources(model, card, part, options).items():
            result = evaluate_predictions(found, card.temperature).as_dict()
            yield model.name, part, source, compare_figures(metrics, result)


def _sources(
    model: Measured, card: Card, part: str, options: argparse.Namespace
) -> Mapping[str, Predictions]:
    found = {"predictions": model.load(part)}
    if options.weights:
        checkpoint = load_checkpoint(model.path)
        data = open_data(options, card.classes)
        split = card.recipe.get("split", ""), card.recipe.get("split_seed", 0)
        samples = samples_by_part(data, *split)[part]
        found["weights"] = predict_dataset(checkpoint, data, samples, part, say_progress)
    return found


def _plain(row: tuple[str, str, str, Reproduced]) -> tuple[Any, ...]:
    return *row[:3], row[3].figures, row[3].largest, row[3].figure
