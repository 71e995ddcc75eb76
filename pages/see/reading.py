"""A reader study: clinicians rate explanations without knowing whose they are."""

from pages.ui import frame, reading, state

state.adopt_link()
frame.open_page(
    "Reader study",
    "Does a clinician find the student's explanations as good as the teacher's? Readers rate them "
    "one by one, in random order, without knowing whose they are.",
    builds=True,
)
with frame.guard():
    reading.show()
state.write_link(reading.LINK)
