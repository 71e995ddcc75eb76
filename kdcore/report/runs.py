"""Training runs in words and tables: state, progress, durations, differences, histories."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from kdcore.base.words import duration
from kdcore.distill import Run, recipe_difference
from kdcore.distill.validation import VAL_SCORE
from kdcore.report.cells import Rows

COLUMN_TITLES = {
    VAL_SCORE: "Validation macro-F1",
    "val_balanced_accuracy": "Validation balanced accuracy",
    "val_accuracy": "Validation accuracy",
    "val_nll": "Validation NLL, nats",
    "val_agreement": "Same first choice as the teacher",
    "val_attention": "Attention like the teacher's, cosine",
    "train_loss": "Training loss",
    "train_ce": "Cross-entropy, unweighted",
    "train_kd": "Soft label's loss, unweighted",
    "train_at": "Attention transfer, unweighted",
    "train_align": "Alignment, unweighted",
    "train_hint": "Hints, unweighted",
    "lr": "Learning rate",
    "images_per_second": "Images per second",
    "seconds": "Seconds an epoch",
}
_PLAIN = {
    "starting": "Starting",
    "preparing": "Reading pictures and teachers",
    "measuring": "Measuring on validation and test",
    "": "Not started",
}


def state_words(run: Run) -> str:
    """Return what has become of a run, in a few words."""
    facts, state, ended = run.status.facts, run.status.state, _epochs(len(run.history))
    if state == "queued":
        ahead = int(_number(facts, "ahead"))
        others = "1 other run" if ahead == 1 else f"{ahead} other runs"
        return f"Queued behind {others}" if ahead else "Queued, next in turn"
    if state == "caching":
        done, total = (_number(facts, key) for key in ("done", "total"))
        return f"Filling the teacher cache: {done:,.0f} of {total:,.0f}"
    if state in ("running", "paused"):
        place = f"epoch {_number(facts, 'epoch') + 1:.0f} of {_number(facts, 'epochs'):.0f}"
        steps = f"step {_number(facts, 'step'):.0f} of {_number(facts, 'steps'):.0f}"
        return f"{'Paused in' if state == 'paused' else 'Training:'} {place}, {steps}"
    told = {
        "done": f"Done after {ended}",
        "cancelled": f"Cancelled after {ended}",
        "interrupted": f"Interrupted after {ended}: its process is gone",
        "failed": f"Failed: {facts.get('error') or 'no reason was given'}".rstrip("."),
    }
    return (told | _PLAIN).get(state, f"In an unknown state: {state}")


def kept_words(run: Run) -> str:
    """Return what stopping a live run now would leave."""
    if not run.history:
        return "It has finished no epoch yet; it can be started again on the Runs page."
    told = f"What {_epochs(len(run.history))} of training left is kept"
    return f"{told}, and it can be resumed on the Runs page."


def fraction_done(run: Run) -> float:
    """Return the share in [0, 1] of its epochs, or of its cache while that is filled."""
    facts, state = run.status.facts, run.status.state
    if state == "done":
        return 1.0
    done, total = float(len(run.history)), float(run.recipe.epochs if run.recipe else 0)
    if state in ("running", "paused"):
        done = _number(facts, "epoch") + _number(facts, "step") / max(_number(facts, "steps"), 1)
    if state == "caching":
        done, total = _number(facts, "done"), _number(facts, "total")
    return min(max(done / total, 0.0), 1.0) if total else 0.0


def best_epoch(run: Run) -> dict[str, float] | None:
    """Return the first epoch with the best validation macro-F1; None without a finished one."""
    known = [row for row in run.history if not math.isnan(row.get(VAL_SCORE, math.nan))]
    return max(known, key=lambda row: row[VAL_SCORE]) if known else None


def figures(run: Run) -> dict[str, str]:
    """Return a run's numbers for people, by their names; what is not known is left out."""
    facts, last, best = run.status.facts, run.history[-1] if run.history else {}, best_epoch(run)
    found = {}
    if run.status.state in ("running", "paused"):
        if left := _number(facts, "seconds_left"):
            found["Time left"] = duration(left)
        if pace := _number(facts, "images_per_second"):
            found["Images per second"] = f"{pace:,.0f}"
    elif run.history:
        found["Training time"] = duration(training_seconds(run))
    if "lr" in last:
        found["Learning rate"] = f"{last['lr']:.2g}"
    if VAL_SCORE in last:
        found["Last epoch's validation macro-F1"] = f"{last[VAL_SCORE]:.3f}"
    if best is not None:
        found["Best epoch's validation macro-F1"] = (
            f"{best[VAL_SCORE]:.3f} in epoch {best['epoch']:.0f}"
        )
    return found


def training_seconds(run: Run) -> float:
    """Return the seconds that the finished epochs took, pauses aside."""
    return sum(_number(row, "seconds") for row in run.history)


def run_rows(runs: Sequence[Run]) -> Rows:
    """Return one row for each run: what it is, how far it is, how good, when and how long."""
    head = ["run", "state", "data", "student", "teachers", "epochs", "best val macro-F1"]
    body: Rows = []
    for run in runs:
        recipe, best = run.recipe, best_epoch(run)
        made = [recipe.dataset, recipe.architecture] if recipe else ["unreadable recipe", ""]
        score = f"{best[VAL_SCORE]:.3f}" if best else ""
        body.append(
            [
                run.name,
                run.status.state or "not started",
                *made,
                ", ".join(recipe.teachers) if recipe else "",
                f"{len(run.history)} / {recipe.epochs if recipe else '?'}",
                score,
                _started(run),
                duration(training_seconds(run)) if run.history else "",
            ]
        )
    return [[*head, "started", "training time"], *body]


def difference_rows(one: Run, other: Run) -> Rows:
    """Return one row for each field in which two runs' recipes differ, names and titles aside."""
    if one.recipe is None or other.recipe is None:
        return [["field", one.name, other.name]]
    pairs = recipe_difference(one.recipe, other.recipe)
    body: Rows = [[f, _plain(a), _plain(b)] for f, a, b in pairs if f not in ("name", "title")]
    return [["field", one.name, other.name], *body]


def history_rows(run: Run) -> Rows:
    """Return a run's history as rows, with the columns as its file has them."""
    head = list(dict.fromkeys(key for row in run.history for key in row))
    body: Rows = [[row.get(key, math.nan) for key in head] for row in run.history]
    return [[*head], *body]


def curve_rows(runs: Sequence[Run], column: str) -> list[dict[str, Any]]:
    """Return epoch, run and value of one column of several runs' histories."""
    return [
        {"x": row["epoch"], "series": run.name, "value": row[column]}
        for run in runs
        for row in run.history
        if column in row and "epoch" in row and not math.isnan(row[column])
    ]


def shared_columns(runs: Sequence[Run]) -> list[str]:
    """Return the columns that any of the runs has, in the order of `COLUMN_TITLES`."""
    there = {key for run in runs for row in run.history[:1] for key in row}
    return [key for key in COLUMN_TITLES if key in there]


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"


def _started(run: Run) -> str:
    try:
        moment = run.folder.recipe_file.stat().st_mtime
    except OSError:
        return ""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def _number(facts: dict[str, Any], key: str) -> float:
    """Return a number of a status file, 0 where it is missing or is none."""
    value = facts.get(key)
    good = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if good else 0.0  # type: ignore[arg-type]


def _plain(value: object) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)
