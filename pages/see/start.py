"""What distillation is, what ships, and what to try first."""

from pages.ui import frame, starting, state

state.adopt_link()
frame.open_page(
    "DistilScope",
    "What did the student keep of its teacher, and can it be trusted?",
)
starting.show_idea()
starting.show_first_steps()
starting.show_models()
