"""A table on a page with its download: rows from `kdcore.report`, the first of them the head."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import streamlit as st

_SHOWN = 200  # rows; the download has all


def show_table(rows: Sequence[Sequence[Any]], name: str, shares: Iterable[str] = ()) -> None:
    """Draw rows as a table with a CSV download called `name`; `shares` are columns in [0, 1]."""
    from kdcore.report.cells import csv_text

    head, *body = rows
    st.dataframe(
        [dict(zip(head, row)) for row in body[:_SHOWN]],
        hide_index=True,
        width="content",
        column_config={
            column: st.column_config.NumberColumn(format="percent") for column in shares
        },
    )
    if len(body) > _SHOWN:
        st.caption(f"The first {_SHOWN} of {len(body):,} rows; the download has all.")
    st.download_button(
        "CSV",
        lambda: csv_text(rows),
        file_name=f"{name}.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        key=f"w:csv-{name}",
    )


def file_stem(*words: str) -> str:
    """Return words as a file's name: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower()).strip("-")
