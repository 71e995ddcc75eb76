"""Results as text: tables to read, to paste and to typeset."""

from kdcore.report.cells import csv_text
from kdcore.report.group_gaps import subgroup_text
from kdcore.report.latex import latex_table
from kdcore.report.pair import (
    agreement_rows,
    answer_rows,
    pair_class_rows,
    pair_rows,
    quadrant_rows,
)
from kdcore.report.significance import (
    SweepTable,
    significance_caption,
    significance_csv,
    significance_latex,
    significance_markdown,
    significance_text,
)
from kdcore.report.subgroups import subgroup_score_rows
from kdcore.report.tables import evaluation_text

__all__ = [
    "SweepTable",
    "agreement_rows",
    "answer_rows",
    "csv_text",
    "evaluation_text",
    "latex_table",
    "pair_class_rows",
    "pair_rows",
    "quadrant_rows",
    "significance_caption",
    "significance_csv",
    "significance_latex",
    "significance_markdown",
    "significance_text",
    "subgroup_score_rows",
    "subgroup_text",
]
