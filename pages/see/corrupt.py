"""What a worse picture does to what teacher and student say, and to where they look."""

import streamlit as st

from pages.ui import controls, corrupting, frame, images, state

state.adopt_link()
frame.open_page(
    "Corrupt it",
    "Photos are blurred, dark, hairy, compressed. How bad must this one get before the teacher "
    "changes its mind, and does the student give way sooner?",
)
pair = controls.choose_pair()
picker, spoiler = st.columns([2, 3], gap="large")
with picker:
    chosen = images.choose(pair)
if chosen is not None:
    with spoiler:
        stack = corrupting.choose_stack()
    with frame.guard(stop=True):
        spoilt = corrupting.spoil(pair, chosen, stack)
    corrupting.show_pictures(spoilt)
    corrupting.show_answers(spoilt)
    corrupting.show_sweep(pair, spoilt)
    with frame.guard():
        corrupting.show_maps(pair, spoilt)
state.write_link((*controls.LINK, *images.LINK, *corrupting.LINK))
