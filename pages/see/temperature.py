"""What softening with a temperature reveals of what a network knows."""

from pages.ui import controls, frame, images, softening, state

state.adopt_link()
frame.open_page(
    "Temperature",
    "Dividing the logits by T before the softmax shows what lies under a network's first choice: "
    "which wrong classes it finds *less* wrong. That ranking is what a student learns from.",
)
pair = controls.choose_pair()
scope = softening.choose_scope(pair)
chosen = images.choose(pair) if scope == "image" else None
with frame.guard(stop=True):
    logits = softening.logits_for(pair, scope, chosen)
if logits is not None:
    sweep = softening.sweep(logits)
    softening.show_three(sweep, logits)
    temperature = controls.choose_temperature()
    softening.show_curves(sweep, logits, temperature)
    with frame.guard():
        softening.show_similarity(pair, temperature)
state.write_link((*controls.LINK, "scope", "class", "T", *(images.LINK if chosen else ())))
