"""The Results page's published figures, each with its protocol, above this project's own."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui import state
from pages.ui.tables import file_stem, show_table

LINK = ("published_data",)


def show_published(results: list[Any]) -> None:
    """Draw the published rows on a data set, and below them this project's, never mixed."""
    from kdcore.report.latex import text_rows
    from kdcore.report.published import published_results
    from kdcore.report.results import beside_rows, values_of

    st.subheader("Published, and ours beside it")
    st.markdown(
        "Figures from publications, as they stand there, then this project's models on the same "
        "data set. **They are not a ranking**: images, input size and teachers differ, and an "
        "image-level split has pictures of one lesion in training and in test, which flatters."
    )
    published = published_results()
    data = state.choice(
        st.selectbox, "published_data", "Data set", values_of(published, "data"), width=260
    )
    rows = beside_rows(published, results, data)
    note = "Each row's protocol stands in its last column."
    show_table(rows, file_stem("published", data), note=note, shown=text_rows(rows))
