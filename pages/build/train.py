"""Training: choose a method, a teacher and a student, start, and watch it learn."""

import streamlit as st

from pages.ui import cache, frame, recipe_draft, recipe_form, state, training, watch

state.adopt_link()
frame.open_page(
    "Train",
    "Teach a small network what a large one knows. A run is a process of its own: it goes on when "
    "this page is left, the browser is closed or the app is started again.",
    builds=True,
)
with frame.guard(stop=True):
    data = cache.data_set()
if data is None:
    training.without_data()
    watch.show_live()
    st.stop()
with frame.guard(stop=True):
    teachers, taken = training.teachers_for(data.info), training.taken_names()
    st.subheader("A new run")
    preset = training.choose_start(teachers)
    draft = recipe_draft.collect(preset, data.info, tuple(teachers), taken)
    ready = training.judge(draft, data, taken)
    recipe_form.show_changes(draft)
    recipe_form.show_main(draft, teachers)
    recipe_form.show_groups(draft)
    if draft.recipe is not None:
        with st.expander("The recipe as a file, and on the command line"):
            training.show_files(draft.recipe, data)
    device = training.choose_device()
    start = st.container()
live = watch.show_live()
with start:
    training.show_start(draft.recipe, ready, data, teachers, device, live)
state.write_link(training.LINK)
