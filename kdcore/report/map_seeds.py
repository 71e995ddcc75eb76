"""Maps over training seeds as `benchmarks/map_seeds.py` wrote them, for people."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from kdcore.base import DataError
from kdcore.evaluate import Interval
from kdcore.report.cells import Rows
from kdcore.report.explanations import METRICS
from kdcore.report.sweep_scores import method_title

SUFFIX = "-maps.csv"
NOTE = (
    "Mean ± standard deviation over training seeds; each seed is one number, the mean over all "
    "images. Difference: over shared seeds, with its 95 % t-interval; p: paired t-test, not "
    "adjusted for the number of measures. It speaks of other seeds, not of other images."
)


def map_seed_rows(folder: Path, method: str, split: str, teacher: str) -> Rows:
    """Return what the files in `folder` say of one study's maps over seeds; [] for nothing.

    Parameters
    ----------
    folder : of the results
    method, split, teacher : of the study

    Raises
    ------
    DataError
        If a file can't be read.
    """
    body: Rows = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with open(path, encoding="utf-8", newline="") as file:
                rows = [
                    row
                    for row in csv.DictReader(file)
                    if (row["maps"], row["part"], row["teacher"]) == (method, split, teacher)
                ]
            means = {(row["student"], row["measure"], row["method"]): _mean(row) for row in rows}
            body += [_row(row, means) for row in rows if row["reference"]]
        except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
            raise DataError(
                f"{path.name} can't be read as maps over seeds: {error!r}.",
                "Make it again with benchmarks/map_seeds.py, or remove it.",
            ) from error
    head: list[object] = ["student", "measure", "method", "seeds", "mean ± sd", "compared with"]
    return [[*head, "its mean ± sd", "difference", "p", "seeds won"], *body] if body else []


def _row(row: dict[str, str], means: dict[tuple[str, str, str], str]) -> list[object]:
    told: list[object] = [row["student"], METRICS[row["measure"]], method_title(row["method"])]
    told += [int(row["seeds"]), _mean(row), method_title(row["reference"])]
    told.append(means[row["student"], row["measure"], row["reference"]])
    gap = Interval(*(_number(row[name]) for name in ("difference", "low", "high")))
    return [*told, gap, _number(row["p (t)"]), int(row["seeds won"])]


def _mean(row: dict[str, str]) -> str:
    spread = f" ± {float(row['sd']):.3f}" if row["sd"] else ""
    return f"{float(row['mean']):.3f}{spread}"


def _number(text: str) -> float:
    """Return a number; what one seed does not define is empty in the file."""
    return float(text) if text else math.nan
