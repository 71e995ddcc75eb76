"""Runs and checkpoints: what was trained, how it compares, and what is kept of it."""

import streamlit as st

from pages.ui import checkpoints, frame, run_actions, runs, state, watch

state.adopt_link()
frame.open_page(
    "Runs and checkpoints",
    "What was trained on this machine, how runs compare, and which checkpoints there are.",
    builds=True,
)
run_actions.say_done()
st.subheader("Runs")
found = runs.read_runs()
if found:
    runs.show_runs(found)
    picked = runs.pick(found)
    with frame.guard():
        if picked:
            runs.compare(picked)
            run = run_actions.choose_one(picked)
            watch.show_summary(run)
            run_actions.show_actions(run)
            run_actions.show_files(run)
else:
    st.info("Nothing has been trained on this machine yet.", icon=":material/model_training:")
    st.page_link("pages/build/train.py", label="Train a student", icon=":material/model_training:")
st.subheader("Checkpoints")
checkpoints.show_checkpoints()
checkpoints.show_import()
state.write_link(runs.LINK)
