"""Five cases for a first look, without jargon."""

from pages.ui import controls, frame, state, touring

state.adopt_link()
frame.open_page(
    "Guided demo",
    "Two minutes, a few pictures: a network, the **teacher**, and another that learnt from it, "
    "the **student**, name the same skin lesions.",
)
pair = controls.first_pair()
touring.say_who(pair)
cases = touring.find(pair)
kind = touring.choose(cases)
touring.show(pair, cases[kind], kind)
touring.steps(list(cases), kind)
state.write_link(touring.LINK)
