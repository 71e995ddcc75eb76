"""What the finished runs of a sweep reached: scores by seed, and the tables that compare them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kdcore.base import DataError, KdError, write_text
from kdcore.cli.members import is_finished, predictions_file
from kdcore.data.splits import MEASURED_PARTS
from kdcore.distill import RunFolder
from kdcore.distill.prepare import TEACHER
from kdcore.distill.sweep import Member, Sweep
from kdcore.evaluate import HELD_OUT, LOWER_IS_BETTER, compare_methods, held_out_scores
from kdcore.evaluate.held_out import VAL_SCORE
from kdcore.predict import Predictions
from kdcore.report.cells import csv_text
from kdcore.report.significance import (
    SweepTable,
    significance_csv,
    significance_latex,
    significance_markdown,
)

CALIBRATED = "The logits are divided by the temperature fitted on validation."


@dataclass(frozen=True)
class Result:
    """A finished member: its scores, time in training, and its predictions on test.

    `seconds` are those of all epochs; `epochs` is how many there were, `n_val` the number of
    validation images.
    """

    member: Member
    scores: dict[str, float]
    seconds: float
    epochs: int
    n_val: int
    test: Predictions

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the predictions, for JSON."""
        return {
            "name": self.member.name,
            "student": self.member.student,
            "method": self.member.method,
            "seed": self.member.seed,
            "scores": self.scores,
            "seconds": self.seconds,
            "epochs": self.epochs,
            "weights_sha256": self.test.checkpoint_hash,
            "made_with": self.test.meta,
        }


def gather(members: Sequence[Member], root: Path) -> tuple[list[Result], dict[str, str]]:
    """Measure the finished `members` whose runs are under `root`.

    Returns their results, and by the name of each other one what is wrong with it; "" where it
    is only not finished.
    """
    results: list[Result] = []
    absent: dict[str, str] = {}
    for member in members:
        try:
            if is_finished(member, root):
                results.append(_measure(member, RunFolder(root / member.name), results))
            else:
                absent[member.name] = ""
        except KdError as error:
            absent[member.name] = str(error)
    return results, absent


def sweep_tables(sweep: Sweep, results: Sequence[Result]) -> list[SweepTable]:
    """Return a table for each student and score, in the order of the sweep's file."""
    students = dict.fromkeys(r.member.student for r in results)
    return [
        _table(sweep, [r for r in results if r.member.student == student], student, score)
        for student in students
        for score in (*HELD_OUT, VAL_SCORE)
    ]


def mean_seconds(results: Sequence[Result]) -> dict[str, float]:
    """Return the mean time in training of each method, by its label, in seconds."""
    found: dict[str, list[float]] = {}
    for r in results:
        found.setdefault(r.member.label, []).append(r.seconds)
    return {label: float(np.mean(values)) for label, values in found.items()}


def write_tables(
    folder: Path, sweep: Sweep, tables: Sequence[SweepTable], results: Sequence[Result]
) -> None:
    """Write a sweep's results into `folder`, files named after it.

    Parameters
    ----------
    folder : made if it is not there
    sweep : gives the files their name
    tables : all of them in one CSV and one Markdown file, each as a LaTeX file of its own
    results : every seed's scores, in a CSV file
    """
    files = {
        f"{sweep.name}.csv": significance_csv(tables),
        f"{sweep.name}.md": significance_markdown(tables),
        f"{sweep.name}-seeds.csv": _seeds_csv(results),
    }
    for table in tables:
        parts = (sweep.name, table.student, table.split, table.metric)
        files["-".join(p for p in parts if p) + ".tex"] = significance_latex(table)
    for name, text in files.items():
        write_text(folder / name, text)
    print(f"{len(files)} files in {folder}")


def _table(sweep: Sweep, own: Sequence[Result], student: str, score: str) -> SweepTable:
    metric = score.removeprefix("val_")
    values: dict[str, dict[int, float]] = {
        method: {r.member.seed: r.scores[score] for r in own if r.member.method == method}
        for method in sweep.methods
    }
    values = {method: by_seed for method, by_seed in values.items() if by_seed}
    lower = metric in LOWER_IS_BETTER
    return SweepTable(
        result=compare_methods(values, sweep.references, not lower),
        metric=metric,
        split="val" if score == VAL_SCORE else "test",
        n_images=own[0].n_val if score == VAL_SCORE else len(own[0].test),
        student=student,
        note=CALIBRATED if lower else "",
    )


def _measure(member: Member, folder: RunFolder, others: Sequence[Result]) -> Result:
    val, test = (Predictions.load(predictions_file(folder, part)) for part in MEASURED_PARTS)
    first = others[0].test if others else test
    if not np.array_equal(test.sample_ids, first.sample_ids):
        raise DataError(
            f"It was measured on other images than {others[0].member.name}.",
            "Use one data folder, data set and split for all members.",
        )
    for other in others:
        for key, weights in test.meta.items():
            if key.startswith(TEACHER) and other.test.meta.get(key, weights) != weights:
                raise DataError(
                    f"Its {key} had other weights than that of {other.member.name}.",
                    "Delete the runs of one of both and train them again.",
                )
    history = folder.read_history()
    seconds = sum(row.get("seconds", math.nan) for row in history) if history else math.nan
    return Result(member, held_out_scores(val, test), seconds, len(history), len(val), test)


def _seeds_csv(results: Sequence[Result]) -> str:
    names = list(results[0].scores)
    rows: list[list[object]] = [["student", "method", "seed", *names, "seconds", "epochs"]]
    for r in results:
        scores = [r.scores[name] for name in names]
        rows.append(
            [r.member.student, r.member.method, r.member.seed, *scores, r.seconds, r.epochs]
        )
    return csv_text(rows)
