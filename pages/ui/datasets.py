"""The Data page's form and what it shows of a data set."""

from __future__ import annotations

from collections import Counter
from typing import Any

import streamlit as st

from pages.ui import cache
from pages.ui.frame import guard


def folder_form() -> None:
    """Draw the folder's form: set, forget, and where the setting comes from."""
    from kdcore.base import DATA_VARIABLE, KdError, data_folder

    try:
        current = str(data_folder() or "")
    except KdError:
        current = ""  # the page says what is wrong with it below
    with st.form("data-folder"):
        folder = st.text_input(
            "Data folder",
            value=current,
            placeholder="/path/to/ham10000",
            help=f"Kept for later starts. The variable {DATA_VARIABLE} does the same.",
        )
        with st.container(horizontal=True):
            use = st.form_submit_button("Use this folder", type="primary")
            forget = st.form_submit_button("Forget it")
    with guard():
        if use:
            _use(folder)
        if forget:
            _forget()


def show_found(data: Any) -> None:
    """Draw counts, the classes by part as chart and table, and the licence."""
    from kdcore.charts import class_count_chart
    from kdcore.data import HAM10000

    parts = cache.parts_of(data)
    counts = {part: Counter(s.dx for s in samples) for part, samples in parts.items()}
    with st.container(horizontal=True):
        for label, value in (
            ("Images", len(data.samples)),
            ("Lesions", len({s.lesion_id for s in data.samples})),
            ("Lesion masks", data.masks),
        ):
            st.metric(label, f"{value:,}", border=True, width=160)
    st.caption(f"Read from `{data.root}`.")
    if data.missing:
        st.warning(
            f"{data.missing:,} images named in the metadata have no file and are left out. Add "
            "HAM10000_images_part_1 and part_2 (folders or zips) beside it.",
            icon=":material/warning:",
        )
    st.subheader("Classes by part")
    st.markdown(
        "The split is grouped by lesion: pictures of one lesion are never in two parts. It is "
        "the same on every machine."
    )
    st.altair_chart(
        class_count_chart(counts, HAM10000.classes),
        width="stretch",
        alt="Images per class, stacked by train, validation and test part",
    )
    st.dataframe(
        [
            {"class": dx, "name": name} | {part: counts[part][dx] for part in counts}
            for dx, name in zip(HAM10000.classes, HAM10000.long_names)
        ],
        hide_index=True,
        width="content",
    )
    st.caption(f"{HAM10000.name}: {HAM10000.source}. Licence {HAM10000.licence}.")


def _use(folder: str) -> None:
    from kdcore.base import SettingError, remember_data_folder
    from kdcore.data import Ham10000

    if not folder.strip():
        raise SettingError("No folder was named.", "Type the path of the folder, then use it.")
    Ham10000.open(folder.strip(), skip_missing=True)  # a folder that can't be read isn't kept
    remember_data_folder(folder.strip())
    st.success("This folder is used from now on.", icon=":material/check:")


def _forget() -> None:
    from kdcore.base import remember_data_folder

    remember_data_folder(None)
    st.rerun()
