"""How long each model takes to answer, on this machine and on others."""

from pages.ui import frame, latency, latency_kept, latency_shown, layering, state

state.adopt_link()
frame.open_page(
    "Latency",
    "How long does an answer take, on which engine and with how many threads? Is the student worth "
    "its loss?",
    builds=True,
)
with frame.guard():
    latency.show_form()
with frame.guard():
    kept = latency_kept.choose()
    if kept is not None:
        latency_shown.show_conditions(kept)
        latency_shown.show_medians(kept)
        latency_shown.show_setting(kept)
        latency_shown.show_whole_way(kept)
        latency_shown.show_table_of(kept)
        latency_kept.show_comparison(kept)
with frame.guard():
    layering.show()
with frame.guard():
    latency_kept.show_history()
state.write_link(latency_kept.LINK)
