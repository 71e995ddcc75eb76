"""What is best under a limit of time and size: quality against cost, with both uncertainties."""

from pages.ui import frame, state, tradeoff

state.adopt_link()
frame.open_page(
    "Trade-off",
    "Which model, in which form, is worth its time and its size? And which can't be told apart?",
    builds=True,
)
with frame.guard():
    source = tradeoff.choose_source()
    if source is not None:
        view = tradeoff.choose_view(source)
        if view is not None:
            answer = tradeoff.show_question(view)
            tradeoff.show_chart(view, answer)
            tradeoff.show_table_of(view)
            tradeoff.show_recommended(source)
state.write_link(tradeoff.LINK)
