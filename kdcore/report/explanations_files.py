"""A study of heatmaps as files: what the page reads again, and tables for a paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kdcore.base import write_text
from kdcore.evaluate.explanations import Explanations
from kdcore.predict.map_scores import MapScores, load_all
from kdcore.report.cells import Rows, csv_text, spread
from kdcore.report.explanations import (
    METRICS,
    agreement_table,
    corrupted_rows,
    difference_rows,
    floor_rows,
    lowest_rows,
    mean_table,
    transfer_rows,
)
from kdcore.report.explanations_text import markdown_study
from kdcore.report.latex import latex_table
from kdcore.report.notes import note

FOLDER = "explanations"


def write_explanations(
    folder: Path, records: Sequence[MapScores], found: Explanations, seconds: float
) -> None:
    """Write a study's records into `folder`/explanations, and its tables beside them.

    Parameters
    ----------
    folder : made where it is not there; other studies in it stay
    records, found : of one study
    seconds : the time that it took
    """
    study = f"{found.method}-{found.split}"
    for record in records:
        record.save(folder / FOLDER / f"{study}-{record.checkpoint}.npz")
    tables = {name: rows for name, rows in _tables(found).items() if len(rows) > 1}
    texts = {f"{name}.csv": csv_text(spread(rows)) for name, rows in tables.items()}
    texts |= {
        f"{name}.tex": latex_table(tables[name], note(found))
        for name in ("transfer", "agreement")
        if name in tables
    }
    files = {f"{FOLDER}-{study}.md": markdown_study(found, seconds)}
    files |= {f"{FOLDER}-{study}-{name}": text for name, text in texts.items()}
    for name, text in files.items():
        write_text(folder / name, text)


def read_studies(folder: Path) -> dict[tuple[str, str, str], list[MapScores]]:
    """Return the records in `folder`/explanations by study: method, part and teacher.

    The teacher's own record comes first, baselines come last. No record gives no study.

    Raises
    ------
    DataError
        If a record can't be read.
    """
    studies: dict[tuple[str, str, str], list[MapScores]] = {}
    for record in load_all(folder / FOLDER):
        studies.setdefault((record.method, record.split, record.teacher), []).append(record)
    return {study: sorted(records, key=_place_of) for study, records in studies.items()}


def _place_of(record: MapScores) -> tuple[bool, bool, str]:
    role = record.meta.get("role")
    return record.checkpoint != record.teacher, role == "baseline", record.checkpoint


def _tables(found: Explanations) -> dict[str, Rows]:
    return {
        "transfer": transfer_rows(found),
        "agreement": agreement_table(found),
        "means": mean_table(found, METRICS),
        "classes": mean_table(found, METRICS, "class"),
        "quadrants": mean_table(found, METRICS, "quadrant"),
        "floors": floor_rows(found),
        "differences": difference_rows(found),
        "corrupted": corrupted_rows(found),
        "lowest": lowest_rows(found),
    }
