"""How much teacher and students lose when pictures get worse."""

from pages.ui import frame, robust, state

state.adopt_link()
frame.open_page(
    "Robustness",
    "Noise, blur, poor light, hair, compression: how much does each model lose on the whole test "
    "part, and does the student lose more than its teacher?",
    builds=True,
)
with frame.guard():
    table = robust.choose_table()
    if table is not None:
        models = robust.choose_models(table)
        robust.show_summary(table, models)
        robust.show_corruptions(table, models)
        robust.show_severities(table, models)
        robust.show_maps(table, models)
        robust.show_table_of(table, models)
with frame.guard():
    robust.show_compute()
state.write_link(robust.LINK)
