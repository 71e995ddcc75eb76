r"""A report as LaTeX source, `report-latex.tex`: words, tables fitted to the page, figures.

It reads figures/*.pdf beside it, and compiles with what every TeX distribution has: geometry,
booktabs, longtable, array, pdflscape, graphicx. A table for a paper of one's own is in tables/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kdcore.report.document import Block, Code, Document, Figure, Section, Table, Text, spans
from kdcore.report.fitting import BREAK, FittedTable, breakable, fit_tables, scratch
from kdcore.report.table_fit import INSET, Part
from kdcore.report.tex_text import tex_text

FONT = "New Computer Modern"  # Typst's, of the widths of cmr10, which is set at every size here
_HEAD = r"""\ifdefined\pdfminorversion\pdfminorversion=7\fi
\documentclass[a4paper,10pt]{article}
\DeclareFontShape{OT1}{cmr}{m}{n}{<->cmr10}{}
\DeclareFontShape{OT1}{cmr}{bx}{n}{<->cmbx10}{}
\usepackage[left=49bp,right=49bp,top=50bp,bottom=50bp]{geometry}
\usepackage{array,booktabs,graphicx,longtable,pdflscape}
\setlength{\parindent}{0pt}\setlength{\parskip}{4pt}
\setlength{\LTleft}{0pt}\setlength{\LTright}{0pt}\setlength{\LTpre}{4pt}
\emergencystretch=6em \hbadness=10000 \vbadness=10000 \raggedbottom
\newcolumntype{L}[1]{>{\raggedright\arraybackslash}p{#1}}
\newcolumntype{R}[1]{>{\raggedleft\arraybackslash}p{#1}}
\newsavebox{\drawing}
\newcommand{\fitted}[1]{\sbox{\drawing}{\includegraphics[scale=0.66]{#1}}%
  \ifdim\wd\drawing>\linewidth \includegraphics[width=\linewidth,height=0.85\textheight,%
  keepaspectratio]{#1}\else\ifdim\ht\drawing>0.85\textheight
  \includegraphics[height=0.85\textheight]{#1}\else\usebox{\drawing}\fi\fi}
\newcommand{\drawn}[2]{\par\medskip\begin{minipage}{\linewidth}\refstepcounter{figure}%
  \raggedright{\small\textbf{Figure \thefigure.} #2}\par\smallskip\fitted{#1}\end{minipage}\par}
\newcommand{\told}[1]{\par\medskip\refstepcounter{table}%
  {\small\raggedright\textbf{Table \thetable.} #1\par}\nopagebreak}
\begin{document}
"""


def latex_document(document: Document) -> str:
    """Return the whole document as the source of `report-latex.tex`.

    Raises
    ------
    SettingError
        If the folder for temporary files can't be written to.
    """
    with scratch() as folder:
        fitted = fit_tables(document.tables(), FONT, folder)
    lines = [
        rf"{{\LARGE\bfseries\raggedright {_plain(document.title)}\par}}",
        rf"\medskip {_marked(document.lead)}\par",
        *(line for section in document.sections for line in _section(section, fitted)),
        r"\end{document}",
    ]
    return _HEAD + "\n".join(lines) + "\n"


def _section(section: Section, fitted: Mapping[str, FittedTable]) -> Iterator[str]:
    yield rf"\section*{{{_plain(section.title)}}}"
    for block in section.blocks:
        yield from _block(block, fitted)


def _block(block: Block, fitted: Mapping[str, FittedTable]) -> Iterator[str]:
    if isinstance(block, Text):
        yield rf"{_marked(block.text)}\par"
    elif isinstance(block, Code):
        yield r"{\footnotesize\ttfamily\raggedright"
        yield from (rf"\mbox{{}}{_code(line)}\par" for line in block.text.splitlines())
        yield "}"
    elif isinstance(block, Figure):
        said = f"{_plain(block.title)}. From {_plain(breakable(block.source))}."
        yield rf"\drawn{{figures/{block.name}.pdf}}{{{said}}}"
    else:
        yield from _table(block, fitted[block.name])


def _table(table: Table, fitted: FittedTable) -> Iterator[str]:
    said = f"{_plain(table.title)}. {_plain(table.note)} From {_plain(breakable(table.source))}."
    size = fitted.fit.size
    yield r"\begin{landscape}" if fitted.fit.turned else ""
    yield rf"\told{{{said}\label{{tab:{table.name}}}}}"
    yield rf"{{\fontsize{{{size}}}{{{1.2 * size:.1f}}}\selectfont"
    yield rf"\setlength{{\tabcolsep}}{{{INSET}bp}}"
    for part in fitted.fit.parts:
        yield from long_table(part, fitted)
    yield r"}\end{landscape}" if fitted.fit.turned else "}"


def long_table(part: Part, fitted: FittedTable, left: str = "L", right: str = "R") -> Iterator[str]:
    """Yield the lines of a longtable.

    Parameters
    ----------
    part : the columns of it
    fitted : the table that they are of
    left, right : LaTeX's types of columns that take a width, for words and for numbers
    """
    inner = [width - 2 * INSET for width in part.widths]
    kinds = [right if fitted.right[c] else left for c in part.columns]
    spec = "".join(f"{kind}{{{width:.2f}bp}}" for kind, width in zip(kinds, inner, strict=True))
    head, *body = fitted.rows
    bold = [rf"\textbf{{{_plain(head[c])}}}" if head[c] else "" for c in part.columns]
    yield rf"\begin{{longtable}}{{{spec}}}"
    yield rf"\toprule {' & '.join(bold)} \\ \midrule \endhead \bottomrule \endfoot"
    yield from (rf"{' & '.join(_cell(row[c]) for c in part.columns)} \\" for row in body)
    yield r"\end{longtable}\addtocounter{table}{-1}"  # it counts itself; the caption has counted


def _cell(text: str) -> str:
    """Return a cell; in braces where a row's end would take its first sign for an argument."""
    return f"{{{_plain(text)}}}" if text.startswith(("[", "*")) else _plain(text)


def _marked(text: str) -> str:
    return "".join(
        rf"\textbf{{{_plain(piece)}}}" if bold else _plain(piece) for piece, bold in spans(text)
    )


def _code(line: str) -> str:
    """Return a line of code: its spaces and quotes kept, long words with places to break them."""
    parts = (_plain(part).replace(" ", r"\ \hspace{0pt}") for part in breakable(line).split("'"))
    return r"{\char13}".join(parts)  # the typewriter font's upright quote


def _plain(text: str) -> str:
    """Return text that LaTeX sets as it is, with places to break long words."""
    return r"\hspace{0pt}".join(map(tex_text, text.split(BREAK)))
