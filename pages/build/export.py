"""Export: a checkpoint as files for other places, each checked against the network."""

from pages.ui import exported, exporting, frame, state

state.adopt_link()
frame.open_page(
    "Export",
    "Take a network elsewhere: as a file that other programs run, checked against the original, "
    "with what a smaller precision costs.",
    builds=True,
)
with frame.guard():
    model = exporting.show_form()
    if model is not None:
        exported.show_made(model)
with frame.guard():
    exported.show_others(model)
state.write_link(exporting.LINK)
