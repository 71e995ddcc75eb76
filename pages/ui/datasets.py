"""The Data page's form and what it shows of a data set."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, state
from pages.ui.frame import guard
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.data import ImageDataset
    from kdcore.data.coverage import Coverage

LINK = ("datasplit", "classes")
_TALL = 20  # classes; a chart of more scrolls in a box
_SPLITS = {
    "lesion-grouped": "Pictures of one lesion are never in two parts.",
    "image-level (leaky)": "Split picture by picture, as much published work does: pictures that "
    "belong together are in two parts, and scores are too good. Only to compare with such numbers.",
    "image-level (groups unknown)": "Split picture by picture, each class by the same shares: "
    "nothing says which pictures belong together.",
    "official": "The data set's own parts; where it has no validation part, a tenth of each class "
    "of its training part.",
}


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


def show_ways() -> None:
    """Draw how each data set may lie in its folder."""
    from kdcore.data import HOW_TO_KEEP

    with st.expander("What a folder may hold", icon=":material/folder_open:", key="w:ways"):
        for name, how in HOW_TO_KEEP.items():
            st.markdown(f"- **{name}:** {how}")
        st.caption(
            "Folders may be zipped. Pictures are listed by name and read when they are needed. A "
            "folder for each class is taken as it is: its names are the classes, and pictures are "
            "normalised as ImageNet's, unless a recipe says otherwise."
        )


def show_found(data: ImageDataset) -> None:
    """Draw which data set it is, how much of it there is, and its licence."""
    from kdcore.data import Ham10000

    info = data.info
    counts = {"Images": len(data.samples), "Classes": len(info.classes)}
    if isinstance(data, Ham10000):
        counts["Lesions"] = len({s.lesion_id for s in data.samples})
        counts["Lesion masks"] = data.masks
    with st.container(horizontal=True):
        for label, value in counts.items():
            st.metric(label, f"{value:,}", border=True, width=160)
    st.caption(f"{info.name}, read from `{data.root}`. {info.source}. Licence: {info.licence}.")
    if info.caution:
        st.warning(info.caution, icon=":material/warning:")
    if data.missing:
        st.warning(
            f"{data.missing:,} images named in the metadata have no file and are left out. Add "
            "HAM10000_images_part_1 and part_2 (folders or zips) beside it.",
            icon=":material/warning:",
        )


def choose_split(data: ImageDataset) -> str:
    """Draw the picker of a split, where there are several, and return its name."""
    st.subheader("Classes by part")
    names = list(data.info.splits)
    split = names[0]
    if len(names) > 1:
        split = state.choice(st.segmented_control, "datasplit", "Split", names)
    st.markdown(f"{_SPLITS[split]} It is the same on every machine.")
    return split


def show_parts(data: ImageDataset, split: str) -> None:
    """Draw the classes by part as chart and table, and how large the parts are."""
    from kdcore.charts.data import class_count_chart
    from kdcore.report.data_set import class_rows, part_rows

    parts = cache.parts_of(data, split)
    counts = {part: Counter(s.dx for s in samples) for part, samples in parts.items()}
    with st.container(height=480 if len(data.info.classes) > _TALL else "content", border=False):
        st.altair_chart(
            class_count_chart(counts, data.info.classes),
            width="stretch",
            alt="Images per class, stacked by train, validation and test part",
        )
    left, right = st.columns([3, 2])
    with left:
        show_table(class_rows(data.info, parts), file_stem(data.info.key, "classes", split))
    with right:
        show_table(part_rows(parts), file_stem(data.info.key, "parts", split), ["share"])


def show_metadata(data: ImageDataset) -> None:
    """Draw how much of the metadata is known, where there is any."""
    from kdcore.data.coverage import COLUMNS
    from kdcore.report.data_set import coverage_rows

    found = _coverage(data, cache.data_key(data))
    if found.empty:
        return
    st.subheader("What the metadata knows")
    st.markdown(
        "The share of images with a value. A subgroup with many gaps is a subgroup of those that "
        "were asked."
    )
    show_table(coverage_rows(found), file_stem(data.info.key, "metadata"), COLUMNS)


@st.cache_resource(max_entries=2, show_spinner=False)
def _coverage(_data: ImageDataset, key: str) -> Coverage:
    from kdcore.data.coverage import coverage

    return coverage(_data.samples, _data.info.classes)


def _use(folder: str) -> None:
    from kdcore.base import SettingError, remember_data_folder
    from kdcore.data import open_dataset

    if not folder.strip():
        raise SettingError("No folder was named.", "Type the path of the folder, then use it.")
    open_dataset(folder.strip(), skip_missing=True)  # a folder that can't be read isn't kept
    remember_data_folder(folder.strip())
    st.success("This folder is used from now on.", icon=":material/check:")


def _forget() -> None:
    from kdcore.base import remember_data_folder

    remember_data_folder(None)
    st.rerun()
