"""A chart on a page, with what it shows and how in words, and its downloads for a paper."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st


def show_figure(chart: Any, name: str, note: str) -> None:
    """Draw a chart, the note under it, and its SVG and PDF, called `name`.

    The note says split, number of images and how intervals were made; it is in the files, too.
    """
    from kdcore.charts.figure import KINDS, figure_bytes

    st.altair_chart(chart, width="stretch")
    st.caption(note)
    with st.container(horizontal=True):
        for kind, mime in KINDS.items():
            st.download_button(
                kind.upper(),
                partial(figure_bytes, chart, kind, note),
                file_name=f"{name}.{kind}",
                mime=mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"w:{kind}-{name}",
                help=f"This figure as a vector file, {name}.{kind}",
            )
