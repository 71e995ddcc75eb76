"""Tables that open a report: what each model is and how large, and what it reached.

Each is a list of rows, the first of them its head; cells may be `Interval`s.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kdcore.evaluate import Evaluation
from kdcore.models import Card
from kdcore.models.size import parameter_count, weights_file
from kdcore.report.cells import Rows
from kdcore.report.tables import TITLES

SUMMARY = (
    *("macro_f1", "balanced_accuracy", "accuracy", "macro_auc"),
    *("nll", "brier", "ece", "ece_mass"),
)
_SIZE_HEAD = (
    *("model", "role", "network", "input, px", "parameters, M", "weights file, MB", "stored as"),
    *("temperature", "taught by"),
)


def summary_rows(found: Mapping[str, Evaluation]) -> Rows:
    """Return one row for each model, by its title, with the scores of `SUMMARY`."""
    body: Rows = [[title, *(e.metrics[name] for name in SUMMARY)] for title, e in found.items()]
    return [["model", *(TITLES[name] for name in SUMMARY)], *body]


def size_rows(models: Mapping[str, tuple[str, Card | None, Path]]) -> Rows:
    """Return one row for each model: role, network, input, parameters, weights, teachers.

    `models` gives role, card and folder by title. What came without a card has empty cells.
    """
    body: Rows = []
    for title, (role, card, folder) in models.items():
        if card is None:
            body.append([title, role, *[None] * (len(_SIZE_HEAD) - 2)])
            continue
        network = " + ".join(card.members) if card.members else card.architecture
        file = weights_file(folder)
        size = [file.size / 1e6, file.stored] if file else [None, None]
        taught = ", ".join(card.teachers or card.recipe.get("teachers") or ()) or None
        facts = [network, card.input_size, parameter_count(card) / 1e6, *size]
        body.append([title, role, *facts, card.temperature, taught])
    return [[*_SIZE_HEAD], *body]
