"""The operating points of a page's models: one kind at a time, since each takes its moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import alarming, deciding, measured, state
from pages.ui.points import Points, like

if TYPE_CHECKING:
    from kdcore.predict.shelf import Measured

LINK = ("point", "focus", *alarming.LINK, *deciding.LINK)
_KINDS = {
    "alarm": ("Alarm", alarming.show_alarm),
    "benefit": ("Decision curve", alarming.show_benefit),
    "rejection": ("Leave to a human", deciding.show_rejection),
    "weights": ("Class weights", deciding.show_weights),
    "sets": ("Sets of answers", deciding.show_sets),
}


def show_operating_points(models: Sequence[Measured], colours: dict[str, str]) -> None:
    """Draw the choice of what to look at and of the model in focus, and what was chosen."""
    st.markdown(
        "What a model's probabilities are used for: where to put a threshold is chosen on the "
        "validation part, and what comes of it is measured on the test part. Probabilities are "
        "calibrated by each model's own temperature."
    )
    kind = state.choice(
        st.segmented_control,
        "point",
        "What to look at",
        list(_KINDS),
        format_func=lambda key: _KINDS[key][0],
    )
    focus = models[0]
    if len(models) > 1:
        focus = measured.choose_model("Model that the sentences are about", "focus", models)
    _KINDS[kind][1](Points(like(models, focus), focus, colours))
