"""Tables of an evaluation: plain text, CSV and LaTeX (booktabs)."""

from __future__ import annotations

from kdcore.evaluate import BY_CLASS, Evaluation
from kdcore.report.cells import columns, csv_text, escape_latex, interval_text, latex_row

TITLES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
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


def evaluation_csv(evaluation: Evaluation) -> str:
    """Return one line for each score: scope, class, score, support, value, low, high.

    A number that is not defined is an empty field.
    """
    rows: list[list[object]] = [["scope", "class", "score", "support", "value", "low", "high"]]
    for name, value in evaluation.metrics.items():
        rows.append(["overall", "", name, evaluation.n, value.value, value.low, value.high])
    for row in evaluation.per_class:
        for name in BY_CLASS:
            v = getattr(row, name)
            rows.append(["class", row.name, name, row.support, v.value, v.low, v.high])
    return csv_text(rows)


def evaluation_latex(evaluation: Evaluation) -> str:
    """Return a booktabs tabular: one line per class, then the overall scores."""
    titles = ["class", "images", *(TITLES[k] for k in BY_CLASS)]
    columns_spec = "lr" + "l" * len(BY_CLASS)
    lines = [rf"\begin{{tabular}}{{{columns_spec}}}", r"\toprule", latex_row(titles), r"\midrule"]
    lines += [latex_row(row) for row in _rows(evaluation)]
    lines.append(r"\midrule")
    for name, value in evaluation.metrics.items():
        text = rf"\multicolumn{{{len(BY_CLASS)}}}{{l}}{{{interval_text(value)}}}"
        lines.append(rf"\multicolumn{{2}}{{l}}{{{escape_latex(TITLES[name])}}} & {text} \\")
    lines += [r"\bottomrule", r"\end{tabular}", f"% {evaluation.interval_method}"]
    return "\n".join(lines) + "\n"


def _rows(evaluation: Evaluation) -> list[list[str]]:
    return [
        [row.name, str(row.support), *(interval_text(getattr(row, k)) for k in BY_CLASS)]
        for row in evaluation.per_class
    ]
