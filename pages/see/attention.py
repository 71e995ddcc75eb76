"""Where teacher and student look, stage by stage, and what the losses would penalise."""

from pages.ui import attention, controls, firstlook, frame, images, state

state.adopt_link()
frame.open_page(
    "Attention and causal masks",
    "Attention transfer asks a student to be active where its teacher is. A causal mask keeps "
    "only the part of that which speaks for the class.",
)
pair = controls.choose_pair()
chosen = images.choose(pair)
if chosen is not None:
    with frame.guard(stop=True):
        look = firstlook.predict_pair(pair, chosen)
        attention.show_stages(pair, chosen, look)
        attention.show_penalty(pair, chosen, look)
state.write_link((*controls.LINK, *images.LINK, "target", "stage", "q", "opacity"))
