"""A report as one HTML document that needs no other file: tables, vector figures, sentences.

It is light or dark as the reader's system is, prints, and has neither script nor link to a
resource. Figures stay on white, as in the files. All text is escaped: titles come from
checkpoints' cards.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from kdcore.report.cells import cell_text, csv_text, is_numeric, spread, true_minus

Rows = Sequence[Sequence[object]]
_CSS = """
:root { color-scheme: light dark; --ink: #12212e; --paper: #fff; --link: #0b5c94;
  --grey: #56646f; --line: #d5dbe0; --thin: #eceff1; --code: #f4f6f8; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e4e9ed; --paper: #14191e; --link: #7cc0f0; --grey: #a3b0ba; --line: #3a444d;
    --thin: #262e35; --code: #1f262c; }
  svg { background: #fff; padding: 8px; border-radius: 6px; }
}
body { margin: 0 auto; max-width: 1180px; padding: 24px 28px 64px; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 28px; line-height: 1.2; margin: 8px 0 4px; }
h2 { font-size: 21px; margin: 44px 0 8px; padding-top: 12px; border-top: 1px solid var(--line); }
p { max-width: 820px; margin: 8px 0; }
nav ol { columns: 2; max-width: 820px; padding-left: 22px; }
a { color: var(--link); }
figure { margin: 22px 0; break-inside: avoid; }
figcaption { max-width: 820px; margin-bottom: 6px; font-size: 14px; }
.source { color: var(--grey); font-size: 12px; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
.pair { display: grid; gap: 0 28px;
  grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr)); }
table { border-collapse: collapse; font-size: 12.5px; line-height: 1.35;
  border-top: 1.5px solid var(--ink); border-bottom: 1.5px solid var(--ink); }
th, td { padding: 4px 9px 4px 0; text-align: left; vertical-align: top; }
thead th { border-bottom: 1px solid var(--ink); vertical-align: bottom; }
tbody tr + tr td { border-top: 1px solid var(--thin); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.whole, .span { white-space: nowrap; }
.span { color: var(--grey); }
svg { box-sizing: border-box; max-width: 100%; height: auto; padding-left: 14px;
  overflow: visible; }
svg text { font-family: "Liberation Sans", Arimo, Arial, Helvetica, sans-serif; }
code, pre { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
pre { background: var(--code); padding: 10px 12px; white-space: pre-wrap; overflow-wrap: anywhere; }
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  table { font-size: 7.5pt; }
  .wide { overflow: visible; }
  pre { white-space: pre-wrap; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
}
@page { size: A4 landscape; margin: 14mm; }
"""
_INTERVAL = re.compile(r"(\S+) (\[[^\]]*\])")
_BREAK = re.compile(r"([/_])(?=\w)")  # where a long name may go on in the next line
_BOLD = re.compile(r"\*\*(.+?)\*\*")


@dataclass(frozen=True)
class Table:
    """A table of a report.

    Attributes
    ----------
    name : stem of its files, of a-z, 0-9 and hyphens
    title : one line
    rows : the first is the head; cells may be `Interval`s
    note : what it is of, and how its numbers were made
    source : the files that it was made from
    data : rows for the CSV where they are not `rows`
    narrow : whether it may stand beside another
    """

    name: str
    title: str
    rows: Rows
    note: str
    source: str
    data: Rows | None = None
    narrow: bool = False

    @property
    def caption(self) -> str:
        """Its title, note and source, of which the source is a line of its own."""
        return f"{self.title}. {self.note}\nFrom {self.source}."

    def csv(self) -> str:
        """Return the numbers as they were computed, an interval in three columns."""
        return csv_text(spread(self.data or self.rows))


@dataclass(frozen=True)
class Figure:
    """A figure of a report: a `Table`'s name, title and source, and the drawing in two kinds."""

    name: str
    title: str
    source: str
    svg: bytes
    pdf: bytes


@dataclass(frozen=True)
class Text:
    """A paragraph; what stands between ** and ** is bold."""

    text: str


@dataclass(frozen=True)
class Code:
    """Lines of a command or a file, kept as they are."""

    text: str


Block = Table | Figure | Text | Code
Numbers = dict[tuple[type, str], int]


@dataclass(frozen=True)
class Section:
    """A heading, by whose `name` it is linked to, and what stands under it."""

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A report: its title, the paragraph below it, and its sections."""

    title: str
    lead: str
    sections: tuple[Section, ...]

    def tables(self) -> list[Table]:
        """Return the tables in their order."""
        return [block for s in self.sections for block in s.blocks if isinstance(block, Table)]

    def figures(self) -> list[Figure]:
        """Return the figures in their order."""
        return [block for s in self.sections for block in s.blocks if isinstance(block, Figure)]


def number_blocks(document: Document) -> Numbers:
    """Return the number of each table and figure, by its kind and name, both counted from 1."""
    numbers: Numbers = {}
    numbers |= {(Table, block.name): n for n, block in enumerate(document.tables(), 1)}
    numbers |= {(Figure, block.name): n for n, block in enumerate(document.figures(), 1)}
    return numbers


def cell_words(value: object) -> list[str]:
    """Return a cell as words that are never broken: the ends of an interval are one of them."""
    text = true_minus(cell_text(value))
    if found := _INTERVAL.fullmatch(text):
        return [found[1], found[2].replace(" ", "\u00a0")]
    return text.split()


def spans(text: str) -> list[tuple[str, bool]]:
    """Return a paragraph in pieces, and whether each is bold: what stands between ** and **."""
    pieces = _BOLD.split(true_minus(text))
    return [(piece, k % 2 == 1) for k, piece in enumerate(pieces) if piece]


def html_document(document: Document) -> str:
    """Return the whole document as HTML that is well-formed XML, too."""
    links = "".join(
        f'<li><a href="#{_attribute(s.name)}">{_escape(s.title)}</a></li>'
        for s in document.sections
    )
    numbers = number_blocks(document)
    sections = "\n".join(_section(section, numbers) for section in document.sections)
    title = _escape(document.title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{title}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n{_paragraph(document.lead)}\n"
        f'<nav aria-label="Contents"><ol>{links}</ol></nav>\n<main>\n{sections}\n</main>\n'
        "</body>\n</html>\n"
    )


def _section(section: Section, numbers: Numbers) -> str:
    head = f'<section id="{_attribute(section.name)}">\n<h2>{_escape(section.title)}</h2>'
    return "\n".join([head, *_blocks(section.blocks, numbers), "</section>"])


def _blocks(blocks: Sequence[Block], numbers: Numbers) -> Iterator[str]:
    """Yield the blocks; figures, and narrow tables, that follow each other stand side by side."""
    for beside, group in groupby(blocks, _is_narrow):
        drawn = [_block(block, numbers) for block in group]
        yield f'<div class="pair">{"".join(drawn)}</div>' if beside else "\n".join(drawn)


def _is_narrow(block: Block) -> bool:
    return isinstance(block, Figure) or (isinstance(block, Table) and block.narrow)


def _block(block: Block, numbers: Numbers) -> str:
    if isinstance(block, Table):
        return _table(block, numbers[Table, block.name])
    if isinstance(block, Figure):
        return _figure(block, numbers[Figure, block.name])
    if isinstance(block, Code):
        return f"<pre>{_escape(block.text)}</pre>"
    return _paragraph(block.text)


def _table(table: Table, number: int) -> str:
    head, *body = table.rows
    right = [is_numeric([row[k] for row in body]) for k in range(len(head))]
    lines = [f"<tr>{_cells(head, right, 'th')}</tr>"]
    rows = "\n".join(f"<tr>{_cells(row, right, 'td')}</tr>" for row in body)
    caption = _caption(f"Table {number}", table.title, table.note, table.source)
    files = f"tables/{table.name}.csv and .tex"
    return (
        f'<figure id="table-{_attribute(table.name)}">{caption}\n<div class="wide"><table>'
        f"<thead>{lines[0]}</thead>\n<tbody>{rows}</tbody></table></div>"
        f'<p class="source">Files: {_escape(files)}</p></figure>'
    )


def _figure(figure: Figure, number: int) -> str:
    caption = _caption(f"Figure {number}", figure.title, "", figure.source)
    files = f"figures/{figure.name}.svg and .pdf"
    return (
        f'<figure id="figure-{_attribute(figure.name)}">{caption}\n{_inline(figure)}'
        f'<p class="source">Files: {_escape(files)}</p></figure>'
    )


def _inline(figure: Figure) -> str:
    """Return the drawing with ids of its own: those of two drawings on one page would clash."""
    text = figure.svg.decode()
    prefix = f"{figure.name}-"
    text = re.sub(r'\bid="', f'id="{prefix}', text)
    text = re.sub(r"url\(#", f"url(#{prefix}", text)
    return re.sub(r'href="#', f'href="#{prefix}', text)


def _caption(label: str, title: str, note: str, source: str) -> str:
    text = f" {_escape(note)}" if note else ""
    return (
        f"<figcaption><strong>{label}. {_escape(title)}.</strong>{text} "
        f'<span class="source">From {_escape(source)}.</span></figcaption>'
    )


def _cells(row: Sequence[object], right: Sequence[bool], tag: str) -> str:
    return "".join(
        f'<{tag} class="number">{_cell(value)}</{tag}>' if r else f"<{tag}>{_cell(value)}</{tag}>"
        for value, r in zip(row, right, strict=True)
    )


def _cell(value: object) -> str:
    """Return a cell; an interval may stand below its value, and neither is broken."""
    text = true_minus(cell_text(value))
    if found := _INTERVAL.fullmatch(text):
        one, other = map(_escape, found.groups())
        return f'<span class="whole">{one}</span> <span class="span">{other}</span>'
    return _BREAK.sub(r"\1<wbr/>", _escape(text))


def _paragraph(text: str) -> str:
    marked = "".join(
        f"<strong>{_escape(piece)}</strong>" if bold else _escape(piece)
        for piece, bold in spans(text)
    )
    return f"<p>{marked}</p>" if text else ""


def _escape(text: str) -> str:
    return html.escape(_allowed(text), quote=False)


def _attribute(text: str) -> str:
    return html.escape(_allowed(text), quote=True)


def _allowed(text: str) -> str:
    """Return `text` without the control characters that neither HTML nor XML may hold."""
    return "".join(c for c in text if c >= " " or c in "\n\t")
