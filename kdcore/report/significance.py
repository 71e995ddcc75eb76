"""Tables of a sweep: methods over seeds, compared, as text, CSV, LaTeX (booktabs) and Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kdcore.evaluate import Comparison, Interval, MethodSummary, Significance
from kdcore.report.cells import columns, csv_text, markdown_table, number
from kdcore.report.tables import TITLES
from kdcore.report.tex_text import escape_latex, latex_row

PARTS = {"val": "validation", "test": "test"}
_CSV = (
    *("student", "split", "metric", "higher_is_better", "n_images", "method", "n_seeds", "seeds"),
    *("mean", "mean_low", "mean_high", "sd", "reference", "n_shared", "shared_seeds"),
    *("difference", "difference_low", "difference_high", "sd_difference", "p_t", "p_t_holm"),
    *("holm_family", "p_wilcoxon", "p_wilcoxon_floor", "d_z", "g_z", "wins", "ties", "losses"),
)


@dataclass(frozen=True)
class SweepTable:
    """One metric of a sweep and what its caption says.

    Attributes
    ----------
    result : the methods compared
    metric : a key of `kdcore.report.tables.TITLES`, or a name of its own
    split : the part it was measured on
    n_images : how many images that part has
    student : the network that all methods trained; "" where there is only one
    note : how the metric was made, a sentence; may be empty
    """

    result: Significance
    metric: str
    split: str
    n_images: int
    student: str = ""
    note: str = ""

    @property
    def title(self) -> str:
        """Return what was measured on what, as a heading."""
        part = PARTS.get(self.split, self.split).capitalize()
        of = f" of {self.student}" if self.student else ""
        return f"{part} {TITLES.get(self.metric, self.metric)}{of}, n = {self.n_images:,} images"

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        return asdict(self)


def significance_text(tables: Sequence[SweepTable]) -> str:
    """Return tables as plain text; a caption that is the next table's too stands under that."""
    captions = [_legend(table) for table in tables]
    blocks = []
    for table, caption, following in zip(tables, captions, [*captions[1:], ""], strict=True):
        blocks.append("\n".join([_headline(table), "", *columns(_cells(table))]))
        blocks += [caption] if caption != following else []
    return "\n\n".join(blocks)


def significance_markdown(tables: Sequence[SweepTable]) -> str:
    """Return tables as Markdown, each with its heading and caption."""
    blocks = [
        f"## {table.title}\n\n{markdown_table(_cells(table))}\n{significance_caption(table)}\n"
        for table in tables
    ]
    return "\n".join(blocks)


def significance_latex(table: SweepTable) -> str:
    """Return a booktabs tabular, with the caption as a comment to move into the document."""
    head, *rows = _cells(table)
    lines = [rf"\begin{{tabular}}{{{'l' * len(head)}}}", r"\toprule", latex_row(head), r"\midrule"]
    lines += [latex_row(row) for row in rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    caption = escape_latex(significance_caption(table))
    return "\n".join([*lines, rf"% \caption{{{caption}}}"]) + "\n"


def significance_csv(tables: Sequence[SweepTable]) -> str:
    """Return one line for each method and reference of all `tables`.

    A method that is compared with nothing has one line; what is not defined is an empty field.
    """
    rows: list[list[object]] = [list(_CSV)]
    for table in tables:
        for method in table.result.methods:
            found = [c for c in table.result.comparisons if c.method == method.method]
            rows += [_csv_row(table, method, c) for c in found] or [_csv_row(table, method, None)]
    return csv_text(rows)


def significance_caption(table: SweepTable) -> str:
    """Return what the numbers are: metric, part, images, seeds, tests and their adjustment."""
    return f"{_headline(table)} {_legend(table)}"


def _headline(table: SweepTable) -> str:
    better = "higher" if table.result.higher_is_better else "lower"
    seeds = sorted({s for method in table.result.methods for s in method.seeds})
    over = f"seeds {', '.join(map(str, seeds)) or '(none)'}"
    return f"{table.title}, {over}; {better} is better.{f' {table.note}' if table.note else ''}"


def _legend(table: SweepTable) -> str:
    sentences = ["Mean ± standard deviation over training seeds, all on one split of the images."]
    if table.result.comparisons:
        sentences += _tests_text(table.result)
    sentences.append("All of it speaks of other seeds, not of other images.")
    return " ".join(sentences)


def _tests_text(result: Significance) -> list[str]:
    families = []
    for reference in result.references:
        family = max((c.family for c in result.comparisons if c.reference == reference), default=0)
        families += [f"{family} with {reference}"] if family > 1 else []
    adjusted = f"Holm-adjusted over the comparisons ({', '.join(families)})" if families else ""
    floors = sorted({c.p_floor for c in result.comparisons if not math.isnan(c.p_floor)})
    least = f"; * marks the least it can be ({' or '.join(f'{f:.4g}' for f in floors)})"
    return [
        "Δ: mean difference over shared seeds with its 95 % t-interval.",
        f"p (t): paired t-test, two-sided, {adjusted or 'not adjusted'}.",
        "p (Wilcoxon): signed-rank test, two-sided, not adjusted" + (least if floors else "") + ".",
        "d_z: mean difference / standard deviation of the differences.",
        "w/t/l: seeds won, tied, lost. n/a: not defined for so few seeds or equal differences.",
    ]


def _cells(table: SweepTable) -> list[list[str]]:
    result = table.result
    referred = [r for r in result.references if any(c.reference == r for c in result.comparisons)]
    head = ["method", "seeds", "mean ± sd"]
    for reference in referred:
        head += [f"Δ to {reference} [95 %]", "p (t)", "p (Wilcoxon)", "d_z", "w/t/l"]
    rows = [head]
    for method in result.methods:
        row = [method.method, str(len(method.seeds)), _mean_text(method)]
        for reference in referred:
            row += _comparison_cells(result.comparison(method.method, reference))
        rows.append(row)
    return rows


def _mean_text(method: MethodSummary) -> str:
    mean = number(method.mean.value)
    return mean if math.isnan(method.sd) else f"{mean} ± {number(method.sd)}"


def _comparison_cells(comparison: Comparison | None) -> list[str]:
    if comparison is None:
        return [""] * 5
    c = comparison
    return [
        _difference_text(c.difference),
        _p_text(c.p_holm),
        _p_text(c.p_wilcoxon) + ("*" if c.p_wilcoxon <= c.p_floor else ""),
        _signed(c.d_z, 2),
        f"{c.wins}/{c.ties}/{c.losses}",
    ]


def _difference_text(difference: Interval) -> str:
    value = _signed(difference.value)
    if math.isnan(difference.low):
        return value
    return f"{value} [{_signed(difference.low)}, {_signed(difference.high)}]"


def _signed(value: float, digits: int = 3) -> str:
    """Return "+0.012" or "−0.012"; no sign for what rounds to 0."""
    if math.isnan(value):
        return number(value)
    size = number(abs(value), digits)
    sign = "" if float(size) == 0 else "+" if value > 0 else "−"
    return sign + size


def _p_text(p: float) -> str:
    return "<0.001" if p < 0.001 else number(p)


def _csv_row(table: SweepTable, method: MethodSummary, c: Comparison | None) -> list[object]:
    result, mean = table.result, method.mean
    row: list[object] = [table.student, table.split, table.metric, result.higher_is_better]
    row += [table.n_images, method.method, len(method.seeds), " ".join(map(str, method.seeds))]
    row += [mean.value, mean.low, mean.high, method.sd]
    if c is None:
        return row + [""] * (len(_CSV) - len(row))
    row += [c.reference, len(c.seeds), " ".join(map(str, c.seeds))]
    row += [c.difference.value, c.difference.low, c.difference.high, c.sd]
    row += [c.p_t, c.p_holm, c.family, c.p_wilcoxon, c.p_floor, c.d_z, c.g_z]
    return row + [c.wins, c.ties, c.losses]
