"""Results as text: tables to read, to paste and to typeset."""

from kdcore.report.tables import evaluation_csv, evaluation_latex, evaluation_text

__all__ = ["evaluation_csv", "evaluation_latex", "evaluation_text"]
