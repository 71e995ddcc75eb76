"""A table on a page with its downloads: rows from `kdcore.report`, the first of them the head."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import streamlit as st

_SHOWN = 200  # rows; the download has all


def show_table(
    rows: Sequence[Sequence[object]],
    name: str,
    shares: Iterable[str] = (),
    note: str = "",
    shown: Sequence[Sequence[object]] | None = None,
    told: bool = True,
    printed: Sequence[Sequence[object]] | None = None,
    narrow: Iterable[str] = (),
) -> None:
    """Draw rows as a table with its downloads, CSV and LaTeX, called `name`.

    Parameters
    ----------
    rows : the first of them the head; what the downloads hold. An `Interval` is a text on screen
        and in LaTeX, and three columns in the CSV
    name : of the files
    shares : columns in [0, 1], drawn as percentages
    note : under the table, and in the LaTeX: split, number of images, how intervals were made
    shown : rows to draw in the place of `rows`, such as intervals as texts
    told : write the note under the table; else it is in the LaTeX only
    printed : rows of the LaTeX in the place of `rows`, fewer columns to fit a page
    narrow : columns of sentences, drawn no wider than some words; a click shows them whole
    """
    from kdcore.report.cells import compact, csv_text, spread

    head, *body = compact(shown or rows)
    st.dataframe(
        [dict(zip(head, row)) for row in body[:_SHOWN]],
        hide_index=True,
        width="content",
        column_config={
            **{column: st.column_config.NumberColumn(format="percent") for column in shares},
            **{column: st.column_config.TextColumn(width="medium") for column in narrow},
        },
    )
    if note and told:
        st.caption(note)
    if len(body) > _SHOWN:
        st.caption(f"The first {_SHOWN} of {len(body):,} rows; the downloads have all.")
    with st.container(horizontal=True):
        _download("CSV", lambda: csv_text(spread(rows)), f"{name}.csv", "text/csv")
        _download("LaTeX", lambda: _latex(printed or rows, note), f"{name}.tex", "text/x-tex")


def _latex(rows: Sequence[Sequence[object]], note: str) -> str:
    """Return the LaTeX, fitted to a page; what fits it takes a moment to load."""
    from kdcore.report.latex_paper import paper_table

    return paper_table(rows, note)


def _download(label: str, make: Callable[[], str], file: str, mime: str) -> None:
    st.download_button(
        label,
        make,
        file_name=file,
        mime=mime,
        on_click="ignore",
        icon=":material/download:",
        key=f"w:{label.lower()}-{file}",
        help=f"This table as {file}",
    )


def file_stem(*words: str) -> str:
    """Return words as a file's name: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower()).strip("-")
