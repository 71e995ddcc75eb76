"""Results as text: tables to read, to paste and to typeset."""

from kdcore.report.cells import csv_text
from kdcore.report.significance import (
    SweepTable,
    significance_caption,
    significance_csv,
    significance_latex,
    significance_markdown,
    significance_text,
)
from kdcore.report.tables import evaluation_csv, evaluation_latex, evaluation_text

__all__ = [
    "SweepTable",
    "csv_text",
    "evaluation_csv",
    "evaluation_latex",
    "evaluation_text",
    "significance_caption",
    "significance_csv",
    "significance_latex",
    "significance_markdown",
    "significance_text",
]
