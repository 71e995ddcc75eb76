"""What do teacher and student see in one lesion?"""

import streamlit as st

from pages.ui import controls, firstlook, frame, images, state

state.adopt_link()
frame.open_page(
    "Explain a lesion",
    "What does a large network see in a picture, and what did the small one taught by it keep?",
)
pair = controls.choose_pair()
picker, views = st.columns([1, 2], gap="large")
with picker:
    chosen = images.choose()
if chosen is not None:
    with views:
        look = firstlook.show(pair, chosen)
state.write_link((*controls.LINK, *images.LINK, "T"))
