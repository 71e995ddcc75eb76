"""Subgroups and operating points: for whom a model works, and from where to act on it."""

import streamlit as st

from pages.ui import frame, measured, operating, points, state, subgrouping

state.adopt_link()
frame.open_page(
    "Subgroups and operating points",
    "For whom does a model work less well? And from which probability should one act on what it "
    "says, or leave the image to a human?",
)
chosen = measured.choose_models(least=1)
colours = measured.colours(chosen)
models = points.readable(chosen)
st.subheader("Subgroups")
with frame.guard():
    subgrouping.show_subgroups(models, colours)
st.subheader("Operating points")
with frame.guard():
    operating.show_operating_points(models, colours)
state.write_link((*measured.LINK, *subgrouping.LINK, *operating.LINK))
