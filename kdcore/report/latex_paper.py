r"""One table as LaTeX for a paper of one's own, fitted to the text of LaTeX's article: 345 pt wide.

What fits as it is stays a plain tabular; else cells are broken into lines, letters get smaller,
and last the columns are split over several tables that repeat what names a row. A first comment
names the packages. Fonts of 8 and 7 pt are wider than cmr10 scaled down, so they count as larger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kdcore.report.document import Table
from kdcore.report.fitting import FittedTable, fit_tables, scratch
from kdcore.report.latex import comment, latex_table
from kdcore.report.latex_document import FONT, long_table
from kdcore.report.table_fit import INSET, Page

_WIDE = {8: 8.6, 7: 8.05}  # pt of cmr10 that is as wide as a font of so many pt
_NATURAL = 10.0  # pt, and the space that LaTeX leaves between columns
_COLSEP = 12.0
_INDENT = 15.0  # pt, of a paragraph that a tabular opens
_LINES = 40  # rows of a table that surely fits a page
_TEXT = 343.0  # bp, which is 344.3 pt
_ARTICLE = Page(
    _TEXT, _TEXT,
    tuple((size, False, True) for size in _WIDE.values()) + ((_WIDE[7], False, False),),
    (_WIDE[7], False), word=20.4,
)  # fmt: skip
_LETTERS = 12  # of a word; what is longer may be broken, and no 12 letters are 20.4 em wide
_LEFT, _RIGHT = (rf">{{\ragged{side}\arraybackslash}}p" for side in ("right", "left"))
_SHORT = r"Needs \usepackage{booktabs}."
_NEEDS = (
    r"Needs \usepackage{array,booktabs,longtable}. It is set in SIZE pt for a text 345 pt wide or "
    "wider, and goes on over pages, so it stands in the text, not in a table environment.\n"
    r"For a numbered caption put \captionof{table}{...}, of the package caption, before it."
)


def paper_table(rows: Sequence[Sequence[object]], note: str = "") -> str:
    """Return rows, the first of them the head, as LaTeX that is no wider than 345 pt.

    Cells are as `latex_table` has them. One that fits as it is, and is no longer than a page, is
    its tabular; another is a longtable, or several with some of the columns each.

    Parameters
    ----------
    rows : at least the head, all of one length
    note : for the caption; follows the table as a comment

    Raises
    ------
    ValueError
        If there is no head, or a row is longer or shorter than it.
    SettingError
        If the folder for temporary files can't be written to.
    """
    plain = latex_table(rows, note)
    with scratch() as folder:
        table = Table("table", "", rows, "", "")
        fitted = fit_tables([table], FONT, folder, _ARTICLE, _LETTERS)[table.name]
    if _is_natural(fitted):
        return f"% {_SHORT}\n{plain}"
    return "\n".join([*_long(fitted), *comment(note)]) + "\n"


def _is_natural(fitted: FittedTable) -> bool:
    """Tell whether a table fits the text as a tabular of 10 pt, and surely a page."""
    width = sum(_NATURAL * em + _COLSEP for em in fitted.natural)
    return width <= _TEXT - _INDENT and len(fitted.rows) <= _LINES


def _long(fitted: FittedTable) -> Iterator[str]:
    size = next(pt for pt, wide in _WIDE.items() if wide == fitted.fit.size)
    yield from (f"% {line.replace('SIZE', str(size))}" for line in _NEEDS.splitlines())
    yield rf"{{\fontsize{{{size}}}{{{1.2 * size:.1f}}}\selectfont"
    yield rf"\setlength{{\tabcolsep}}{{{INSET}bp}}"
    for part in fitted.fit.parts:
        yield from long_table(part, fitted, _LEFT, _RIGHT)
    yield "}"
