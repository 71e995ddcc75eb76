"""What `python -m kdcore evaluate` does on its own: give every card in checkpoints/ again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from kdcore.base import DataError, checkpoints_folder
from kdcore.cli.common import open_data, say_progress, write_json
from kdcore.data import samples_by_part
from kdcore.evaluate import Reproduced, compare_figures, evaluate_predictions
from kdcore.evaluate.reproduced import TOLERANCE
from kdcore.models import CARD, card_order, load_checkpoint, read_card
from kdcore.predict import predict_dataset
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
    network = load_checkpoint(model.path) if options.weights else None
    data = open_data(options, card.classes) if options.weights else None
    split = card.recipe.get("split", ""), card.recipe.get("split_seed", 0)
    for part, metrics in card.metrics.items():
        if part not in model.files:
            print(f"{model.name}: no predictions on {part}", file=sys.stderr)
            continue
        sources = {"predictions": model.load(part)}
        if network is not None and data is not None:
            samples = samples_by_part(data, *split)[part]
            sources["weights"] = predict_dataset(network, data, samples, part, say_progress)
        for source, found in sources.items():
            result = evaluate_predictions(found, card.temperature).as_dict()
            yield model.name, part, source, compare_figures(metrics, result)


def _plain(row: tuple[str, str, str, Reproduced]) -> tuple[Any, ...]:
    return *row[:3], row[3].figures, row[3].largest, row[3].figure
