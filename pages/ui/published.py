"""The Results page's published figures, each with its protocol, beside this project's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import state
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.report.results import Result

LINK = ("published_data",)
_HEADS = {"published": "Published by others", "ours": "This project's, on the same data set"}
_NOTES = {
    "published": "Copied from the studies. “no reference”: this project knows the report, and "
    "there is no publication to cite, so nobody can look it up.",
    "ours": "Released models, and means over the seeds of sweeps; 95 % intervals.",
}


def show_published(results: list[Result], part: str) -> None:
    """Draw the published rows on a data set, and below them this project's `results` on `part`."""
    from kdcore.report.cells import text_rows
    from kdcore.report.published import published_results
    from kdcore.report.results import (
        own_beside,
        paper_rows,
        result_rows,
        studies_text,
        values_of,
    )

    st.subheader("Published, and ours beside it")
    st.markdown(
        "Figures that others have reported, as they stand there, then this project's models on the "
        "same data set. **They are not a ranking**: images, input size and teachers differ, and an "
        "image-level split has pictures of one lesion in training and in test, which flatters."
    )
    published = published_results()
    data = state.choice(
        st.selectbox, "published_data", "Data set", values_of(published, "data"), width=260
    )
    theirs = [r for r in published if r.data == data]
    tables = {"published": theirs, "ours": own_beside(results, data)}
    for whose, chosen in tables.items():
        st.markdown(f"**{_HEADS[whose]}**")
        if not chosen:
            st.caption("There is none on this data set and part.")
            continue
        rows = result_rows(chosen, protocol=True)
        note = _NOTES[whose] if whose == "ours" else f"{_NOTES[whose]}\n\n{studies_text(chosen)}"
        show_table(
            rows,
            file_stem(whose, data, part),
            note=note,
            shown=text_rows(rows),
            printed=paper_rows(chosen),
            narrow=["protocol"],
        )
