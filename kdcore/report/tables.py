"""Tables of an evaluation: plain text, CSV and LaTeX (booktabs)."""

from __future__ import annotations

import csv
import io
import math

from kdcore.evaluate import BY_CLASS, Evaluation, Interval

TITLES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "macro_auc": "macro AUC",
    "nll": "NLL (nats)",
    "ece": "ECE (15 equal-width bins)",
    "brier": "Brier",
    "ece_mass": "ECE (15 equal-mass bins)",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "auc": "AUC",
}


def number(value: float, digits: int = 3) -> str:
    """Return `value` with `digits` decimals, or "n/a" where it is not defined."""
    return "n/a" if math.isnan(value) else f"{value:.{digits}f}"


def interval_text(interval: Interval, digits: int = 3) -> str:
    """Return "0.812 [0.790, 0.833]"; without the brackets where there is no interval."""
    value = number(interval.value, digits)
    if math.isnan(interval.low):
        return value
    return f"{value} [{number(interval.low, digits)}, {number(interval.high, digits)}]"


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
            *_columns(overall),
            "",
            *_columns([["class", "images", *(TITLES[k] for k in BY_CLASS)], *_rows(evaluation)]),
            "",
            f"Intervals: {evaluation.interval_method}.",
        ]
    )


def evaluation_csv(evaluation: Evaluation) -> str:
    """Return one line for each score: scope, class, score, support, value, low, high.

    A number that is not defined is an empty field.
    """
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["scope", "class", "score", "support", "value", "low", "high"])
    for name, value in evaluation.metrics.items():
        write(["overall", "", name, evaluation.n, *value.as_dict().values()])
    for row in evaluation.per_class:
        for name in BY_CLASS:
            values = getattr(row, name).as_dict().values()
            write(["class", row.name, name, row.support, *values])
    return out.getvalue()


def evaluation_latex(evaluation: Evaluation) -> str:
    """Return a booktabs tabular: one line per class, then the overall scores."""
    titles = ["class", "images", *(TITLES[k] for k in BY_CLASS)]
    lines = [r"\begin{tabular}{lrllll}", r"\toprule", _latex(titles), r"\midrule"]
    lines += [_latex(row) for row in _rows(evaluation)]
    lines.append(r"\midrule")
    for name, value in evaluation.metrics.items():
        text = rf"\multicolumn{{4}}{{l}}{{{interval_text(value)}}}"
        lines.append(rf"\multicolumn{{2}}{{l}}{{{_escape(TITLES[name])}}} & {text} \\")
    lines += [r"\bottomrule", r"\end{tabular}", f"% {evaluation.interval_method}"]
    return "\n".join(lines) + "\n"


def _rows(evaluation: Evaluation) -> list[list[str]]:
    return [
        [row.name, str(row.support), *(interval_text(getattr(row, k)) for k in BY_CLASS)]
        for row in evaluation.per_class
    ]


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _latex(cells: list[str]) -> str:
    return " & ".join(map(_escape, cells)) + r" \\"


def _escape(text: str) -> str:
    for character in "&%$#_{}":
        text = text.replace(character, f"\\{character}")
    return text
