"""What did the student keep of the teacher? Scores, differences, confusions and their cases."""

import streamlit as st

from pages.ui import comparing, confusion, foreign, frame, measured, pairing, state

state.adopt_link()
frame.open_page(
    "Compare",
    "What did the student keep of the teacher, what did it lose, and where? All scores are of "
    "saved predictions, so they need no data set.",
)
picker = st.container()
with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
    part = comparing.choose_part()
    calibrated = comparing.choose_calibrated()
with picker:
    models = measured.choose_models(least=1, part=part)
with frame.guard():
    shown = comparing.gather(models, part, calibrated)
    comparing.show_overall(shown)
    pairing.show_gains(shown)
    comparing.show_classes(shown)
    pair = pairing.choose(shown)
    if pair is not None:
        pairing.show_pair(pair)
        pairing.show_differences(pair)
        confusion.show_quadrants(pair)
        confusion.show_matrices(pair)
        confusion.show_behind(pair)
    comparing.show_melanoma(shown)
foreign.show_foreign(models, part)
state.write_link((*measured.LINK, *comparing.LINK, *pairing.LINK, *confusion.LINK))
