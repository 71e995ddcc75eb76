"""Calibration: whether probabilities mean what they say, before and after mending them."""

from pages.ui import calibrating, frame, measured, recalibrating, state

state.adopt_link()
frame.open_page(
    "Calibration",
    "Do the probabilities mean what they say? Of all answers given with 80 %, 80 % should be "
    "right. A model can be accurate and still say too much, or too little.",
)
models = measured.choose_models()
subjects = calibrating.prepare(models)
view = calibrating.choose_view(subjects)
calibrating.show_diagrams(view)
recalibrating.show_measures(subjects)
recalibrating.show_answer(subjects)
recalibrating.show_brier(subjects, view)
calibrating.show_one_class(view)
state.write_link((*measured.LINK, *calibrating.LINK))
