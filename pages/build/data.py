"""The data set: where it is, what is in it, and what leaks between its parts."""

import streamlit as st

from pages.ui import cache, class_pictures, datasets, frame, leak_check, state

state.adopt_link()
frame.open_page(
    "Data",
    "Name the folder, zip or file of a data set on the machine that runs this app: HAM10000, "
    "CIFAR, MedMNIST, COVID-QU-Ex, LC25000, or any pictures in a folder for each class.",
    builds=True,
)
datasets.folder_form()
datasets.show_ways()
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
with frame.guard():
    split = datasets.choose_split(data)
    datasets.show_parts(data, split)
    with frame.guard():
        class_pictures.show_classes(data, split)
    with frame.guard():
        leak_check.show_leaks(data, split)
    datasets.show_metadata(data)
state.write_link(datasets.LINK)
