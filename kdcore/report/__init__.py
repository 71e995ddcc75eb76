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
from kdcore.report.subgroups import gap_rows, subgroup_rows, subgroup_score_rows
from kdcore.report.tables import evaluation_csv, evaluation_latex, evaluation_text

__all__ = [
    "SweepTable",
    "csv_text",
    "evaluation_csv",
    "evaluation_latex",
    "evaluation_text",
    "gap_rows",
    "significance_caption",
    "significance_csv",
    "significance_latex",
    "significance_markdown",
    "significance_text",
    "subgroup_rows",
    "subgroup_score_rows",
]
