"""An evaluation as plain text, and what its scores are called."""

from __future__ import annotations

from kdcore.evaluate import BY_CLASS, Evaluation
from kdcore.report.cells import columns, interval_text

TITLES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "weighted_f1": "weighted F1",
    "mcc": "MCC",
    "macro_auc": "macro AUC",
    "macro_ap": "macro AP",
    "nll": "NLL (nats)",
    "ece": "ECE (15 equal-width bins)",
    "overconfidence": "confidence − accuracy",
    "brier": "Brier",
    "ece_mass": "ECE (15 equal-mass bins)",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "auc": "AUC",
    "ap": "AP",
}
# Where a column is narrow, and its page says the rest.
SHORT_TITLES = TITLES | {"macro_auc": "AUC", "macro_ap": "AP", "nll": "NLL", "ece": "ECE"}


def evaluation_text(evaluation: Evaluation) -> str:
    """Return the overall scores, the table per class and how the intervals were made."""
    name = evaluation.checkpoint or "predictions"
    head = f"{name}, split {evaluation.split or '?'}, {evaluation.corruption}: "
    overall = [[TITLES[k], interval_text(v)] for k, v in evaluation.metrics.items()]
    return "\n".join(
        [
            f"{head}{evaluation.n} images of {evaluation.n_groups} lesions, "
            f"T = {evaluation.temperature:.3g}",
            "",
            *columns(overall),
            "",
            *columns([["class", "images", *(TITLES[k] for k in BY_CLASS)], *_rows(evaluation)]),
            "",
            f"Intervals: {evaluation.interval_method}.",
        ]
    )


def _rows(evaluation: Evaluation) -> list[list[str]]:
    return [
        [row.name, str(row.support), *(interval_text(getattr(row, k)) for k in BY_CLASS)]
        for row in evaluation.per_class
    ]
