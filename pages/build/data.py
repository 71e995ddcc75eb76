"""The data set: where it is and what is in it."""

import streamlit as st

from pages.ui import cache, datasets, frame

frame.open_page(
    "Data",
    "Name the folder of HAM10000 on the machine that runs this app: its images or zips and the "
    "metadata, as Dataverse or Kaggle distribute them.",
)
datasets.folder_form()
with frame.guard(stop=True):
    data = cache.data_set()
if data is None:
    st.info(
        "No data set is configured. The other pages work with uploads and drawn samples; test "
        "images need a data set.",
        icon=":material/folder_off:",
    )
    st.stop()
datasets.show_found(data)
