"""Explanations: does the student look where the teacher looks, over a whole part of the data."""

import streamlit as st

from pages.ui import (
    explanations,
    explanations_agreement,
    explanations_cases,
    explanations_masks,
    explanations_tests,
    frame,
    state,
)

state.adopt_link()
frame.open_page(
    "Explanations",
    "Does a student look where its teacher looks, and are the maps that say so to be believed? "
    "One picture proves nothing, so here are whole parts of the data set.",
)
shown = None
with frame.guard():
    shown = explanations.choose_maps()
if shown:
    st.subheader("Does the student look where the teacher looks?")
    with frame.guard():
        explanations_agreement.show_agreement(shown)
    st.subheader("Is the map right?")
    explanations_tests.show_faithfulness(shown)
    st.subheader("Does the map need the network?")
    explanations_tests.show_checks(shown)
    st.subheader("Does it lie on the lesion?")
    explanations_tests.show_localisation(shown)
st.subheader("Do causal masks deserve the name?")
with frame.guard():
    explanations_masks.show_masks()
if shown:
    st.subheader("The cases with the lowest agreement")
    explanations_cases.show_lowest(shown)
state.write_link(
    (
        *explanations.LINK,
        *explanations_agreement.LINK,
        *explanations_tests.LINK,
        *explanations_masks.LINK,
        *explanations_cases.LINK,
    )
)
