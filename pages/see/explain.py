"""What teacher and student see in one lesion."""

import streamlit as st

from pages.ui import controls, explaining, firstlook, frame, images, lesions, maps, state

state.adopt_link()
frame.open_page(
    "Explain a lesion",
    "What does the teacher see in a picture, and what did the student keep of it?",
)
pair = controls.choose_pair(described=True)
picker, views = st.columns([2, 3], gap="large")
with picker:
    chosen = images.choose(pair)
    if chosen is not None:
        images.show(chosen)
        lesion = lesions.choose(chosen)
if chosen is not None:
    with views, frame.guard(stop=True):
        look = firstlook.show(pair, chosen)
    firstlook.show_inputs(picker, pair, chosen, lesion)
    st.subheader("Where they look")
    request = explaining.choose(pair, chosen, look)
    result = explaining.obtain(pair, chosen, request)
    if result is not None:
        maps.show_result(pair, chosen, result, request, lesion)
state.write_link((*controls.LINK, *images.LINK, "T", *explaining.LINK))
