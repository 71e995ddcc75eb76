"""Efficiency records as files: measured by the command, read by the report and the pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kdcore.base import DataError, write_text
from kdcore.deploy.efficiency import RULE, Efficiency, ModelCost, from_json, to_json
from kdcore.predict import Predictions
from kdcore.report.cells import csv_text, spread
from kdcore.report.efficiency import artefact_rows, markdown_summary, model_rows, table_note
from kdcore.report.latex import latex_table

NAME = "efficiency"
Kept = Mapping[str, Predictions]


def predictions_file(model: str, engine: str, part: str) -> str:
    """Return the name, below the record's folder, of a form's predictions."""
    return f"{NAME}/{model}-{engine}-{part}.npz"


def write_efficiency(folder: Path, found: Efficiency, kept: Kept) -> None:
    """Write `efficiency.json`, tables of it as CSV, LaTeX and Markdown, and the predictions.

    `kept` are as `compute_efficiency` returns them. The record is written last: with it, all it
    names is there.
    """
    for name, predictions in kept.items():
        predictions.save(folder / name)
    rows = {"": model_rows(found), "-artefacts": artefact_rows(found)}
    texts = {f"{NAME}{end}.csv": csv_text(spread(table)) for end, table in rows.items()}
    note = f"{table_note(found)}\n{RULE}"
    texts |= {f"{NAME}{end}.tex": latex_table(table, note) for end, table in rows.items()}
    texts |= {f"{NAME}.md": markdown_summary(found), f"{NAME}.json": to_json(found)}
    for name, text in texts.items():
        write_text(folder / name, text)


def read_efficiency(folder: Path) -> Efficiency | None:
    """Return what `write_efficiency` wrote into `folder`, or None where there is nothing.

    Raises
    ------
    DataError
        If the file is broken; the field is named.
    """
    path = Path(folder) / f"{NAME}.json"
    try:
        return from_json(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path.name} can't be read.", "Make it again with `python -m kdcore efficiency`."
        ) from error


def form_path(
    folder: Path | None, model: ModelCost, engine: str, part: str, network: Path | None
) -> Path | None:
    """Return the file of a form's predictions on a part; None where there is none.

    Parameters
    ----------
    folder : of the record that the model is of; None for a model of no record
    model, engine : and one of its forms
    part : "val" or "test"
    network : the network's own predictions on the part, where they are at hand
    """
    variant = model.variant(engine)
    quality = variant.quality.get(part) if variant else None
    if folder is not None and quality and quality.kept:
        return Path(folder) / predictions_file(model.name, engine, part)
    return None if engine == "int8" else network


def load_form(path: Path, weights: str) -> Predictions:
    """Return the predictions in a file that `form_path` gave.

    Raises
    ------
    DataError
        If the file is broken, or of other weights than those with the SHA-256 `weights`.
    """
    found = Predictions.load(path)
    if found.checkpoint_hash != weights:
        raise DataError(
            f"{path.name} holds predictions of other weights than its model has.",
            "Make them again with `python -m kdcore predict` or `efficiency`.",
        )
    return found
