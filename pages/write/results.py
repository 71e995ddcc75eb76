"""Every result in one table, two of them side by side, the methods compared, the published."""

from pages.ui import ablating, frame, pinning, published, results, state

state.adopt_link()
frame.open_page(
    "Results",
    "What did each model reach, here and in print? Filter, pin two, find the images behind a "
    "number, and take tables with you.",
    builds=True,
)
part = results.choose_part()
with frame.guard():
    found = results.gather(part)
    results.show_results(found, part)
    with frame.guard():
        pinning.show_pinned(found, part)
    with frame.guard():
        pinning.show_cases_behind(found, part)
    with frame.guard():
        ablating.show_ablation()
    published.show_published(found, part)
state.write_link((*results.LINK, *pinning.LINK, *ablating.LINK, *published.LINK))
